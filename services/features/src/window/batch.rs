//! The columns of one call, checked and made ready to be read row by row.

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, UInt64Type};

use super::keys::{Namer, Names};
use super::plan::{Input, Kind, Plan};
use super::text::Texts;
use super::{Error, Rows, Spec};

/// A call's rows.
pub(super) struct Batch {
    pub(super) rows: usize,
    pub(super) names: Names,
    /// Per row, the words of flags that say to which inputs it belongs.
    flags: Vec<u64>,
    width: usize,
    /// Per [`Plan::values`].
    values: Vec<Values>,
    wanted: Option<BooleanBuffer>,
}

enum Values {
    Words(ScalarBuffer<u64>),
    Bits(BooleanBuffer),
    Texts(StringArray),
}

impl Batch {
    pub(super) fn new(spec: &Spec, plan: &Plan, namer: &Namer, rows: &Rows<'_>) -> Result<Self, Error> {
        let count = rows.time.len();
        check(spec, rows, count)?;
        let width = plan.flags();
        let mut flags = vec![0; count * width];
        for (index, input) in plan.inputs.iter().enumerate() {
            mark(&mut flags[..], width, index, members(input, rows, count).as_ref());
        }
        let values = plan.values.iter().map(|value| read(&rows.arguments[value.argument], value.kind));
        Ok(Self {
            rows: count,
            names: namer.names(rows.keys)?,
            flags,
            width,
            values: values.collect::<Result<_, _>>()?,
            wanted: rows.wanted.map(truth),
        })
    }

    #[inline]
    pub(super) fn flags(&self, row: usize) -> &[u64] {
        &self.flags[row * self.width..(row + 1) * self.width]
    }

    #[inline]
    pub(super) fn is_wanted(&self, row: usize) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| wanted.value(row))
    }

    /// The word of a value; a text is held once more.
    #[inline]
    pub(super) fn word(&self, value: usize, row: usize, texts: &mut Texts) -> u64 {
        match &self.values[value] {
            Values::Words(words) => words[row],
            Values::Bits(bits) => u64::from(bits.value(row)),
            Values::Texts(column) => texts.hold(column.value(row)),
        }
    }
}

/// Everything that could be wrong with the columns, so that a call that fails has changed nothing.
fn check(spec: &Spec, rows: &Rows<'_>, count: usize) -> Result<(), Error> {
    let same = |what, found| {
        if found == count { Ok(()) } else { Err(Error::Length { what, found, expected: count }) }
    };
    same("record_time", rows.record_time.len())?;
    same("lane", rows.lane.len())?;
    same("branch", rows.branch.len())?;
    same("offset", rows.offset.len())?;
    rows.keys.iter().try_for_each(|column| same("keys", column.len()))?;
    rows.filters.iter().try_for_each(|column| same("filters", column.len()))?;
    rows.wanted.map_or(Ok(()), |column| same("wanted", column.len()))?;
    let columns = |what, found, expected| {
        if found >= expected { Ok(()) } else { Err(Error::Columns { what, found, expected }) }
    };
    columns("arguments", rows.arguments.len(), spec.arguments.len())?;
    let filters = spec.frames.iter().filter_map(|frame| frame.filter).max().map_or(0, |most| most + 1);
    columns("filters", rows.filters.len(), filters)?;
    for (index, (column, expected)) in rows.arguments.iter().zip(&spec.arguments).enumerate() {
        same("arguments", column.len())?;
        let found = column.data_type();
        if found != expected {
            return Err(Error::Type {
                what: "arguments",
                index,
                found: found.clone(),
                expected: expected.clone(),
            });
        }
    }
    let within = |what, found: &[u32], bound: usize| match found.iter().find(|at| **at as usize >= bound) {
        Some(at) => Err(Error::Range { what, found: *at, bound }),
        None => Ok(()),
    };
    within("lane", rows.lane, spec.lanes)?;
    within("branch", rows.branch, spec.branches)
}

/// The rows of an input; `None` is all of them.
fn members(input: &Input, rows: &Rows<'_>, count: usize) -> Option<BooleanBuffer> {
    let passed = input.filter.map(|filter| truth(&rows.filters[filter]));
    let valid = input.argument.and_then(|argument| rows.arguments[argument].logical_nulls());
    let valid = valid.map(NullBuffer::into_inner).filter(|valid| valid.count_set_bits() < count);
    match (passed, valid) {
        (Some(passed), Some(valid)) => Some(&passed & &valid),
        (passed, valid) => passed.or(valid),
    }
}

fn truth(column: &arrow::array::BooleanArray) -> BooleanBuffer {
    match column.nulls() {
        Some(nulls) => column.values() & nulls.inner(),
        None => column.values().clone(),
    }
}

fn mark(flags: &mut [u64], width: usize, input: usize, members: Option<&BooleanBuffer>) {
    let (word, mask) = (input / 64, 1 << (input % 64));
    match members {
        Some(members) => members.set_indices().for_each(|row| flags[row * width + word] |= mask),
        None => flags.iter_mut().skip(word).step_by(width).for_each(|flags| *flags |= mask),
    }
}

fn read(column: &ArrayRef, kind: Kind) -> Result<Values, Error> {
    let words = |values: &arrow::buffer::Buffer| ScalarBuffer::new(values.clone(), 0, column.len());
    let to = |data_type: DataType| cast(column, &data_type);
    Ok(match kind {
        Kind::Signed => {
            Values::Words(words(to(DataType::Int64)?.as_primitive::<Int64Type>().values().inner()))
        }
        Kind::Unsigned => {
            Values::Words(words(to(DataType::UInt64)?.as_primitive::<UInt64Type>().values().inner()))
        }
        Kind::Float => {
            Values::Words(words(to(DataType::Float64)?.as_primitive::<Float64Type>().values().inner()))
        }
        Kind::Boolean => Values::Bits(column.as_boolean().values().clone()),
        Kind::Text => Values::Texts(to(DataType::Utf8)?.as_string::<i32>().clone()),
    })
}

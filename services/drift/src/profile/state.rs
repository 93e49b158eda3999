//! A profile to bytes and back: a head (rows, the sample's ids) and a state per column, packed into parts.
//!
//! Equal for equal rows: values and ids are written in ascending order.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::Profile;
use super::bytes::{BytesError, Reader, put_bytes, put_int};
use super::column::ColumnProfile;
use super::numbers::{Kept, NumberProfile};
use super::plan::{ColumnPlan, Plan};
use super::sample::RowSample;
use super::values::{Fresh, ValueProfile};

const VERSION: u8 = 1;
const TORN: fn(&'static str) -> BytesError = BytesError::Torn;

impl Profile {
    /// As bytes: equal for equal rows, whatever their order.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.part(&self.head(), 0..self.columns.len(), &|i| self.column_state(i))
    }

    /// As parts of whole columns, none above `max_bytes` unless its first column alone is; for messages of bounded size.
    pub fn to_parts(&self, max_bytes: usize) -> Vec<Vec<u8>> {
        let head = self.head();
        let states: Vec<Vec<u8>> = (0..self.columns.len()).map(|i| self.column_state(i)).collect();
        let (mut parts, mut first) = (Vec::new(), 0);
        while first < states.len() || parts.is_empty() {
            // Fixed fields and lengths take less than 64 bytes, and 10 a column.
            let mut size = 64 + if first == 0 { head.len() } else { 0 };
            let mut end = first;
            while end < states.len() && (end == first || size + states[end].len() + 10 <= max_bytes) {
                size += states[end].len() + 10;
                end += 1;
            }
            parts.push(self.part(&head, first..end, &|i| states[i].clone()));
            first = end;
        }
        parts
    }

    fn part(&self, head: &[u8], columns: Range<usize>, state: &dyn Fn(usize) -> Vec<u8>) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend_from_slice(&self.plan.fingerprint().to_le_bytes());
        out.extend_from_slice(&xxhash_rust::xxh3::xxh3_64(head).to_le_bytes());
        put_int(&mut out, columns.start as u64);
        put_int(&mut out, columns.len() as u64);
        if columns.start == 0 {
            put_bytes(&mut out, head);
        }
        columns.for_each(|i| put_bytes(&mut out, &state(i)));
        let checksum = crc32fast::hash(&out);
        out.extend_from_slice(&checksum.to_le_bytes());
        out
    }

    /// Back from [`Self::to_bytes`].
    pub fn from_bytes(plan: &Arc<Plan>, bytes: &[u8]) -> Result<Self, BytesError> {
        Self::from_parts(plan, &[bytes])
    }

    /// Back from all parts of [`Self::to_parts`], in any order.
    pub fn from_parts<B: AsRef<[u8]>>(plan: &Arc<Plan>, parts: &[B]) -> Result<Self, BytesError> {
        let mut heads = None;
        let mut states: Vec<Option<&[u8]>> = vec![None; plan.columns.len()];
        let mut of = None;
        for part in parts {
            let mut reader = opened(plan, part.as_ref())?;
            let profile = reader.word()?;
            if *of.get_or_insert(profile) != profile {
                return Err(BytesError::Parts("they are of different profiles".to_owned()));
            }
            let first = usize::try_from(reader.int()?).unwrap_or(usize::MAX);
            let count = reader.length(1)?;
            if first == 0 {
                heads = Some(reader.bytes()?);
            }
            for i in first..first.saturating_add(count) {
                let state = states.get_mut(i).ok_or(TORN("more columns than the plan has"))?;
                if state.replace(reader.bytes()?).is_some() {
                    return Err(BytesError::Parts(format!("column {} comes twice", plan.columns[i].name)));
                }
            }
            reader.end()?;
        }
        let head = heads.ok_or_else(|| BytesError::Parts("the first is missing".to_owned()))?;
        if of != Some(xxhash_rust::xxh3::xxh3_64(head)) {
            return Err(BytesError::Parts("they are of different profiles".to_owned()));
        }
        let found = states.into_iter().zip(&plan.columns).map(|(state, column)| {
            state.ok_or_else(|| BytesError::Parts(format!("column {} is missing", column.name)))
        });
        Self::of_states(plan, head, &found.collect::<Result<Vec<_>, _>>()?)
    }

    /// Rows and the sample's ids.
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_int(&mut out, self.rows);
        put_int(&mut out, self.sample.len() as u64);
        for (id, copies) in self.sample.ids() {
            out.extend_from_slice(&id.to_le_bytes());
            put_int(&mut out, u64::from(copies));
        }
        out
    }

    /// All that is kept of one column, its cells in the sample too.
    pub(crate) fn column_state(&self, index: usize) -> Vec<u8> {
        let mut out = Vec::new();
        match &self.columns[index] {
            ColumnProfile::Numbers(numbers) => put_numbers(&mut out, &self.plan.columns[index], numbers),
            ColumnProfile::Values(values) => put_values(&mut out, values),
        }
        self.sample.column(index).for_each(|cell| out.extend_from_slice(&cell.to_le_bytes()));
        out
    }

    /// Back from [`Self::head`] and every column's [`Self::column_state`].
    pub(crate) fn of_states<B: AsRef<[u8]>>(
        plan: &Arc<Plan>,
        head: &[u8],
        states: &[B],
    ) -> Result<Self, BytesError> {
        let mut reader = Reader(head);
        let rows = reader.int()?;
        let count = reader.length(9)?;
        let mut ids = Vec::with_capacity(count);
        for _ in 0..count {
            ids.push((reader.word()?, u32::try_from(reader.int()?).map_err(|_| TORN("a count too large"))?));
        }
        reader.end()?;
        if !ids.is_sorted_by(|a, b| a.0 < b.0) || ids.len() > plan.bounds.sample_rows {
            return Err(TORN("the sample's ids"));
        }
        let exact = rows <= plan.bounds.exact_rows as u64;
        let (mut columns, mut cells) = (Vec::new(), Vec::new());
        for (column, state) in plan.columns.iter().zip(states) {
            let mut reader = Reader(state.as_ref());
            let profile = match ColumnProfile::new(column, plan.bounds.max_categories) {
                ColumnProfile::Numbers(_) => {
                    ColumnProfile::Numbers(numbers(&mut reader, column, rows, exact)?)
                }
                ColumnProfile::Values(empty) => ColumnProfile::Values(values(&mut reader, empty, rows)?),
            };
            columns.push(profile);
            cells.push(ids.iter().map(|_| reader.word()).collect::<Result<Vec<_>, _>>()?);
            reader.end()?;
        }
        if columns.len() != plan.columns.len() {
            return Err(TORN("fewer columns than the plan has"));
        }
        let sample = RowSample::restore(plan.bounds, &ids, cells);
        Ok(Self { plan: plan.clone(), rows, columns, sample })
    }
}

/// Past version and plan, without the checksum.
fn opened<'a>(plan: &Plan, bytes: &'a [u8]) -> Result<Reader<'a>, BytesError> {
    let (body, checksum) = bytes.split_last_chunk::<4>().ok_or(TORN("cut off"))?;
    if crc32fast::hash(body).to_le_bytes() != *checksum {
        return Err(TORN("the checksum does not fit"));
    }
    let mut reader = Reader(body);
    let version = reader.byte()?;
    if version != VERSION {
        return Err(BytesError::Version(version, VERSION));
    }
    let fingerprint = reader.word()?;
    if fingerprint != plan.fingerprint() {
        return Err(BytesError::Plan(fingerprint, plan.fingerprint()));
    }
    Ok(reader)
}

fn put_numbers(out: &mut Vec<u8>, column: &ColumnPlan, numbers: &NumberProfile) {
    [numbers.missing, numbers.infinite, numbers.mistyped].iter().for_each(|n| put_int(out, *n));
    out.extend_from_slice(&numbers.range.0.to_le_bytes());
    out.extend_from_slice(&numbers.range.1.to_le_bytes());
    match &numbers.kept {
        Kept::Exact(_) => {
            let sample = numbers.sample(column);
            put_int(out, sample.values().len() as u64);
            sample.values().iter().for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
            sample.counts().iter().for_each(|count| put_int(out, *count));
        }
        Kept::Binned(counts) => counts.iter().for_each(|count| put_int(out, *count)),
        Kept::Log(counts) => {
            put_int(out, counts.len() as u64);
            for (bucket, count) in counts {
                put_int(out, u64::from(*bucket));
                put_int(out, *count);
            }
        }
    }
}

fn numbers(
    reader: &mut Reader<'_>,
    column: &ColumnPlan,
    rows: u64,
    exact: bool,
) -> Result<NumberProfile, BytesError> {
    let (missing, infinite, mistyped) = (reader.int()?, reader.int()?, reader.int()?);
    let range = (f64::from_bits(reader.word()?), f64::from_bits(reader.word()?));
    let kept = if exact {
        let distinct = reader.length(9)?;
        let values = (0..distinct).map(|_| reader.word().map(f64::from_bits));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        if !values.is_sorted_by(|a, b| a < b) || values.iter().any(|value| !value.is_finite()) {
            return Err(TORN("values out of order"));
        }
        let mut all = Vec::new();
        for value in values {
            let count = reader.int()?;
            if count > rows.saturating_sub(all.len() as u64) {
                return Err(TORN("more values than rows"));
            }
            all.extend(std::iter::repeat_n(value, count as usize));
        }
        Kept::Exact(all)
    } else if column.grid.has_edges() {
        Kept::Binned((0..column.grid.bins()).map(|_| reader.int()).collect::<Result<_, _>>()?)
    } else {
        let mut counts = BTreeMap::new();
        for _ in 0..reader.length(2)? {
            let bucket = u32::try_from(reader.int()?).ok().filter(|bucket| *bucket < 1 << 17);
            counts.insert(bucket.ok_or(TORN("a bucket"))?, reader.int()?);
        }
        Kept::Log(counts)
    };
    let counts = match &kept {
        Kept::Exact(values) => vec![values.len() as u64],
        Kept::Binned(counts) => counts.clone(),
        Kept::Log(counts) => counts.values().copied().collect(),
    };
    check_sum(counts.into_iter().chain([missing, infinite, mistyped]), rows)?;
    Ok(NumberProfile { missing, infinite, mistyped, range, kept })
}

fn check_sum(counts: impl Iterator<Item = u64>, rows: u64) -> Result<(), BytesError> {
    let sum = counts.map(Some).reduce(|a, b| a?.checked_add(b?)).flatten();
    if sum == Some(rows) { Ok(()) } else { Err(TORN("counts that do not add up to the rows")) }
}

fn put_values(out: &mut Vec<u8>, values: &ValueProfile) {
    values.counts.iter().for_each(|count| put_int(out, *count));
    put_int(out, values.fresh.kept.len() as u64);
    for (hash, (text, count)) in &values.fresh.kept {
        out.extend_from_slice(&hash.to_le_bytes());
        put_int(out, *count);
        put_bytes(out, text.as_bytes());
    }
}

fn values(reader: &mut Reader<'_>, empty: ValueProfile, rows: u64) -> Result<ValueProfile, BytesError> {
    let counts = empty.counts.iter().map(|_| reader.int()).collect::<Result<Vec<_>, _>>()?;
    check_sum(counts.iter().copied(), rows)?;
    let new = counts[counts.len() - 3];
    let mut kept = BTreeMap::new();
    let mut kept_rows = 0_u64;
    for _ in 0..reader.length(10)? {
        let (hash, count) = (reader.word()?, reader.int()?);
        let text = std::str::from_utf8(reader.bytes()?).map_err(|_| TORN("text that is not UTF-8"))?;
        kept.insert(hash, (text.into(), count));
        kept_rows = kept_rows.saturating_add(count);
    }
    if kept_rows > new || kept.len() > empty.fresh.bound {
        return Err(TORN("more new values than counted"));
    }
    Ok(ValueProfile { counts, fresh: Fresh { bound: empty.fresh.bound, kept } })
}

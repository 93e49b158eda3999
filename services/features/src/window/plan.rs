//! What a [`Spec`] asks for, with everything that frames share computed once.

use std::ops::Range;

use arrow::datatypes::DataType;

use super::{Bounds, Error, Frame, Function, Spec};

/// How the values of an argument lie in a word of 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Two's complement; also narrower integers, timestamps, durations and dates.
    Signed,
    Unsigned,
    /// The bits of a double.
    Float,
    Boolean,
    /// A number in [`super::text::Texts`].
    Text,
}

/// Rows that some frames aggregate: those where the filter is true and the argument is not NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Input {
    pub(super) argument: Option<usize>,
    pub(super) filter: Option<usize>,
}

/// The bit of a stored row that tells whether it belongs to an input.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bit {
    /// Word of the row; flags begin at word 1.
    pub(super) word: usize,
    pub(super) mask: u64,
}

impl Bit {
    fn of(input: usize) -> Self {
        Self { word: 1 + input / 64, mask: 1 << (input % 64) }
    }

    /// Whether a stored row belongs to the input.
    #[inline]
    pub(super) fn is_set(self, row: &[u64]) -> bool {
        row[self.word] & self.mask != 0
    }

    /// As [`Self::is_set`], of the flags alone.
    pub(super) fn is_in(self, flags: &[u64]) -> bool {
        flags[self.word - 1] & self.mask != 0
    }
}

/// What an accumulator adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SumKind {
    Count,
    Wrapping,
    Exact,
}

/// An accumulator.
#[derive(Debug)]
pub(super) struct SumPlan {
    pub(super) bit: Bit,
    pub(super) argument: usize,
    pub(super) kind: SumKind,
    input: usize,
}

/// A minimum or maximum.
#[derive(Debug)]
pub(super) struct ExtremumPlan {
    pub(super) bit: Bit,
    pub(super) argument: usize,
    pub(super) kind: Kind,
    pub(super) greatest: bool,
    input: usize,
}

/// Where a frame's result comes from: the index of an accumulator or of an extremum.
#[derive(Debug, Clone, Copy)]
pub(super) enum Read {
    Count(usize),
    Sum(usize),
    Average(usize),
    Extremum(usize),
}

/// Frames of equal bounds: they share cursors.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) bounds: Bounds,
    pub(super) sums: Range<usize>,
    /// (frame, where its result comes from)
    pub(super) reads: Vec<(usize, Read)>,
}

/// An argument whose values are stored.
#[derive(Debug)]
pub(super) struct ValuePlan {
    pub(super) argument: usize,
    pub(super) kind: Kind,
    /// Per word of flags, the inputs that read the argument.
    pub(super) masks: Vec<u64>,
}

impl ValuePlan {
    /// Whether a row with these flags has the value stored.
    #[inline]
    pub(super) fn is_in(&self, flags: &[u64]) -> bool {
        self.masks.iter().zip(flags).any(|(mask, flags)| mask & flags != 0)
    }
}

/// A compiled [`Spec`].
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) inputs: Vec<Input>,
    /// RANGE groups first.
    pub(super) groups: Vec<Group>,
    pub(super) sums: Vec<SumPlan>,
    pub(super) extrema: Vec<ExtremumPlan>,
    pub(super) values: Vec<ValuePlan>,
    /// With ROWS frames, the group of all rows up to the current time: it says how many rows there are to count back
    /// from. Rows are then stored with their offsets, and all of them.
    pub(super) visible: Option<usize>,
    /// Per frame: the type of its result, and how its words are read.
    pub(super) outputs: Vec<(DataType, Kind)>,
    pub(super) branches: usize,
}

const VISIBLE: Bounds = Bounds::Range { start: None, end: 0 };

impl Plan {
    pub(super) fn new(spec: &Spec) -> Result<Self, Error> {
        let mut inputs: Vec<Input> = Vec::new();
        let mut bounds: Vec<Bounds> = Vec::new();
        let mut outputs = Vec::new();
        for (index, frame) in spec.frames.iter().enumerate() {
            outputs.push(check(spec, index, frame)?);
            let input = Input { argument: frame.argument, filter: frame.filter };
            if !inputs.contains(&input) {
                inputs.push(input);
            }
            if !bounds.contains(&frame.bounds) {
                bounds.push(frame.bounds);
            }
        }
        let positions = bounds.iter().any(|bounds| matches!(bounds, Bounds::Rows { .. }));
        if positions && !bounds.contains(&VISIBLE) {
            bounds.push(VISIBLE);
        }
        bounds.sort_by_key(|bounds| matches!(bounds, Bounds::Rows { .. }));
        let visible = if positions { bounds.iter().position(|bounds| *bounds == VISIBLE) } else { None };
        let mut plan = Self {
            inputs,
            groups: Vec::new(),
            sums: Vec::new(),
            extrema: Vec::new(),
            values: Vec::new(),
            visible,
            outputs,
            branches: spec.branches,
        };
        for bounds in bounds {
            let group = plan.group(spec, bounds);
            plan.groups.push(group);
        }
        plan.values = plan.values(spec);
        Ok(plan)
    }

    /// Words of flags in a row.
    pub(super) fn flags(&self) -> usize {
        self.inputs.len().div_ceil(64)
    }

    /// The accumulators of a group.
    #[inline]
    pub(super) fn sums(&self, group: &Group) -> &[SumPlan] {
        &self.sums[group.sums.clone()]
    }

    fn input(&self, frame: &Frame) -> usize {
        let input = Input { argument: frame.argument, filter: frame.filter };
        self.inputs.iter().position(|other| *other == input).unwrap_or(0)
    }

    /// The accumulators of one group lie side by side; sums come first, so that counts find theirs.
    fn group(&mut self, spec: &Spec, bounds: Bounds) -> Group {
        let frames = || spec.frames.iter().enumerate().filter(move |(_, frame)| frame.bounds == bounds);
        let first = self.sums.len();
        let mut reads = Vec::new();
        for (index, frame) in frames().filter(|(_, frame)| frame.function != Function::Count) {
            let argument = frame.argument.unwrap_or(0);
            let (kind, input) = (kind_of(&spec.arguments[argument]), self.input(frame));
            let read = match frame.function {
                Function::Min | Function::Max => {
                    let greatest = frame.function == Function::Max;
                    Read::Extremum(self.extremum(argument, kind.unwrap_or(Kind::Signed), input, greatest))
                }
                Function::Avg => Read::Average(self.sum(first, argument, SumKind::Exact, input)),
                _ if kind == Some(Kind::Float) => Read::Sum(self.sum(first, argument, SumKind::Exact, input)),
                _ => Read::Sum(self.sum(first, argument, SumKind::Wrapping, input)),
            };
            reads.push((index, read));
        }
        for (index, frame) in frames().filter(|(_, frame)| frame.function == Function::Count) {
            let input = self.input(frame);
            let known = self.sums.iter().skip(first).position(|sum| sum.input == input);
            let at = match known {
                Some(at) => first + at,
                None => self.sum(first, 0, SumKind::Count, input),
            };
            reads.push((index, Read::Count(at)));
        }
        Group { bounds, sums: first..self.sums.len(), reads }
    }

    fn sum(&mut self, first: usize, argument: usize, kind: SumKind, input: usize) -> usize {
        let same = |sum: &SumPlan| sum.input == input && sum.kind == kind;
        if let Some(at) = self.sums.iter().skip(first).position(same) {
            return first + at;
        }
        self.sums.push(SumPlan { bit: Bit::of(input), argument, kind, input });
        self.sums.len() - 1
    }

    /// Whether a stored row of `time` counts in any frame at the time `at`.
    pub(super) fn reaches(&self, at: i64, floor: i64, time: i64) -> bool {
        self.groups.iter().any(|group| match group.bounds {
            Bounds::Range { start, end } => {
                let lower = start.map_or(floor, |start| at.saturating_sub(start).max(floor));
                (lower..=at.saturating_sub(end)).contains(&time)
            }
            Bounds::Rows { .. } => true,
        })
    }

    fn extremum(&mut self, argument: usize, kind: Kind, input: usize, greatest: bool) -> usize {
        self.extrema.push(ExtremumPlan { bit: Bit::of(input), argument, kind, greatest, input });
        self.extrema.len() - 1
    }

    fn values(&self, spec: &Spec) -> Vec<ValuePlan> {
        let sums =
            self.sums.iter().filter(|sum| sum.kind != SumKind::Count).map(|sum| (sum.argument, sum.input));
        let read: Vec<_> = sums.chain(self.extrema.iter().map(|best| (best.argument, best.input))).collect();
        let mut values = Vec::new();
        for (argument, data_type) in spec.arguments.iter().enumerate() {
            let mut masks = vec![0; self.flags()];
            for (_, input) in read.iter().filter(|(other, _)| *other == argument) {
                masks[input / 64] |= 1 << (input % 64);
            }
            if let (Some(kind), true) = (kind_of(data_type), masks.iter().any(|mask| *mask != 0)) {
                values.push(ValuePlan { argument, kind, masks });
            }
        }
        values
    }
}

/// How values of a type are stored; `None` if they have no order or no word of their own.
pub(super) fn kind_of(data_type: &DataType) -> Option<Kind> {
    use DataType::*;
    match data_type {
        Int8 | Int16 | Int32 | Int64 | Timestamp(_, _) | Duration(_) | Date32 | Date64 => Some(Kind::Signed),
        UInt8 | UInt16 | UInt32 | UInt64 => Some(Kind::Unsigned),
        Float32 | Float64 => Some(Kind::Float),
        Boolean => Some(Kind::Boolean),
        Utf8 | LargeUtf8 | Utf8View => Some(Kind::Text),
        _ => None,
    }
}

/// The type of a frame's result, or what is wrong with the frame.
fn check(spec: &Spec, index: usize, frame: &Frame) -> Result<(DataType, Kind), Error> {
    let wrong = |what| Error::Frame { frame: index, what };
    if let Bounds::Range { start, end } = frame.bounds
        && (end < 0 || start.is_some_and(|start| start < 0))
    {
        return Err(wrong("its RANGE looks ahead; bounds are distances back from the current row"));
    }
    if let (Function::Count, None) = (frame.function, frame.argument) {
        return Ok((DataType::Int64, Kind::Signed));
    }
    let argument = frame.argument.ok_or_else(|| wrong("only COUNT goes without an argument"))?;
    let data_type =
        spec.arguments.get(argument).ok_or_else(|| wrong("its argument is not among the arguments"))?;
    let unfit = || Error::Function { frame: index, function: frame.function, data_type: data_type.clone() };
    match (frame.function, data_type) {
        (Function::Count, _) => Ok((DataType::Int64, Kind::Signed)),
        (Function::Sum, DataType::Int64) => Ok((DataType::Int64, Kind::Signed)),
        (Function::Sum, DataType::UInt64) => Ok((DataType::UInt64, Kind::Unsigned)),
        (Function::Sum | Function::Avg, DataType::Float64) => Ok((DataType::Float64, Kind::Float)),
        (Function::Min | Function::Max, _) => {
            kind_of(data_type).map(|kind| (data_type.clone(), kind)).ok_or_else(unfit)
        }
        _ => Err(unfit()),
    }
}

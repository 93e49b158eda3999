//! The definition of window aggregates, as plainly as it can be written: every result looks at every row.

use super::decimal;
use crate::window::{Bounds, Frame, Function};

/// A value of an argument column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Int(i64),
    Unsigned(u64),
    Float(f64),
    Bool(bool),
    Text(String),
}

impl Value {
    /// Equal to the last bit; any NaN that comes of adding is as good as another.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float(one), Self::Float(other)) => {
                one.to_bits() == other.to_bits() || (one.is_nan() && other.is_nan())
            }
            (one, other) => one == other,
        }
    }
}

/// A row that was taken.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) key: Option<String>,
    pub(super) time: i64,
    pub(super) record_time: i64,
    pub(super) lane: u32,
    pub(super) branch: u32,
    pub(super) offset: i64,
    pub(super) arguments: Vec<Option<Value>>,
    pub(super) filters: Vec<Option<bool>>,
    pub(super) wanted: bool,
}

/// Everything taken so far, in order.
pub(super) struct Reference<'a> {
    pub(super) frames: &'a [Frame],
    pub(super) keep: Option<i64>,
    pub(super) rows: &'a [Row],
}

impl Reference<'_> {
    /// Rows older than this did not count once row `index` had been taken.
    fn floor(&self, index: usize) -> i64 {
        let lane = self.rows[index].lane;
        let times = self.rows[..=index].iter().filter(|row| row.lane == lane).map(|row| row.record_time);
        let task_time = times.max().expect("the row itself");
        self.keep.map_or(i64::MIN, |keep| task_time.saturating_sub(keep))
    }

    pub(super) fn is_late(&self, index: usize) -> bool {
        self.rows[index].time < self.floor(index)
    }

    fn is_same_key(&self, one: usize, other: usize) -> bool {
        (self.rows[one].lane, &self.rows[one].key) == (self.rows[other].lane, &self.rows[other].key)
    }

    /// The rows of the key that count when row `index` has just been taken, in the reservoirs' order, without it.
    fn others(&self, index: usize) -> Vec<usize> {
        let floor = self.floor(index);
        let mut others: Vec<usize> = (0..index)
            .filter(|other| self.is_same_key(*other, index) && !self.is_late(*other))
            .filter(|other| self.rows[*other].time >= floor)
            .collect();
        others.sort_by_key(|other| self.place(*other));
        others
    }

    fn place(&self, index: usize) -> (i64, u32, i64) {
        let row = &self.rows[index];
        (row.time, row.branch, row.offset)
    }

    /// Every frame at row `index`, over what was taken up to it.
    pub(super) fn results(&self, index: usize) -> Vec<Option<Value>> {
        let mut before = if self.is_late(index) { Vec::new() } else { self.others(index) };
        before.retain(|other| self.rows[*other].time <= self.rows[index].time);
        self.frames.iter().map(|frame| self.frame(frame, self.rows[index].time, index, &before)).collect()
    }

    /// Whether row `index` changes what is shown of its key: the key's greatest time, its greatest wanted row, or a frame
    /// at the greatest time.
    pub(super) fn shows(&self, index: usize) -> bool {
        let row = &self.rows[index];
        let before: Vec<usize> =
            (0..index).filter(|other| self.is_same_key(*other, index) && !self.is_late(*other)).collect();
        let greatest = before.iter().map(|other| self.rows[*other].time).max();
        let is_last = row.wanted
            && !before.iter().any(|other| self.rows[*other].wanted && self.place(*other) > self.place(index));
        let aggregated = |frame: &Frame| {
            frame.filter.is_none_or(|filter| row.filters[filter] == Some(true))
                && frame.argument.is_none_or(|argument| row.arguments[argument].is_some())
        };
        let at = greatest.map_or(row.time, |greatest| greatest.max(row.time));
        let reached = |frame: &Frame| match frame.bounds {
            Bounds::Range { start, end } => {
                start.is_none_or(|start| row.time >= at.saturating_sub(start))
                    && row.time <= at.saturating_sub(end)
            }
            Bounds::Rows { .. } => true,
        };
        let positions = self.frames.iter().any(|frame| matches!(frame.bounds, Bounds::Rows { .. }));
        let counts = (positions || self.frames.iter().any(aggregated)) && self.frames.iter().any(reached);
        greatest.is_none_or(|greatest| greatest < row.time) || is_last || counts
    }

    /// The key of row `index`, the last of its rows that shows, at its greatest row time: that time, and frames.
    pub(super) fn key_results(&self, index: usize) -> (i64, Vec<Option<Value>>) {
        let mut rows = self.others(index);
        rows.push(index);
        rows.sort_by_key(|row| self.place(*row));
        let last = rows.pop().expect("the row itself");
        let time = self.rows[last].time;
        (time, self.frames.iter().map(|frame| self.frame(frame, time, last, &rows)).collect())
    }

    /// The greatest wanted row of the key of row `index` among all rows.
    pub(super) fn last_row(&self, index: usize) -> Option<usize> {
        (0..self.rows.len())
            .filter(|row| self.is_same_key(*row, index) && self.rows[*row].wanted && !self.is_late(*row))
            .max_by_key(|row| self.place(*row))
    }

    fn frame(&self, frame: &Frame, time: i64, current: usize, before: &[usize]) -> Option<Value> {
        let reached: Vec<usize> = match frame.bounds {
            Bounds::Range { start, end } => {
                let upper = time.saturating_sub(end);
                let lower = start.map_or(i64::MIN, |start| time.saturating_sub(start));
                let in_range = |row: &usize| (lower..=upper).contains(&self.rows[*row].time);
                before.iter().chain([&current]).copied().filter(in_range).collect()
            }
            Bounds::Rows { start, end } => {
                let positions = [&current].into_iter().chain(before.iter().rev()).copied().zip(0u64..);
                let reached = |at: u64| at >= end && start.is_none_or(|start| at <= start);
                positions.filter(|(_, at)| reached(*at)).map(|(row, _)| row).collect()
            }
        };
        let passed =
            |row: &usize| frame.filter.is_none_or(|filter| self.rows[*row].filters[filter] == Some(true));
        let reached: Vec<usize> = reached.into_iter().filter(passed).collect();
        let Some(argument) = frame.argument else { return Some(Value::Int(reached.len() as i64)) };
        let values = reached.iter().filter_map(|row| self.rows[*row].arguments[argument].clone()).collect();
        aggregate(frame.function, values)
    }
}

fn aggregate(function: Function, values: Vec<Value>) -> Option<Value> {
    let count = values.len();
    match function {
        Function::Count => Some(Value::Int(count as i64)),
        Function::Min => values.into_iter().reduce(|one, other| if less(&other, &one) { other } else { one }),
        Function::Max => values.into_iter().reduce(|one, other| if less(&one, &other) { other } else { one }),
        Function::Sum => total(&values),
        Function::Avg => match total(&values)? {
            Value::Float(total) => Some(Value::Float(total / count as f64)),
            other => panic!("an average of {other:?}"),
        },
    }
}

fn total(values: &[Value]) -> Option<Value> {
    match values.first()? {
        Value::Int(_) => Some(Value::Int(values.iter().fold(0, |sum, value| match value {
            Value::Int(value) => i64::wrapping_add(sum, *value),
            other => panic!("{other:?} among integers"),
        }))),
        Value::Unsigned(_) => Some(Value::Unsigned(values.iter().fold(0, |sum, value| match value {
            Value::Unsigned(value) => u64::wrapping_add(sum, *value),
            other => panic!("{other:?} among unsigned integers"),
        }))),
        Value::Float(_) => {
            let values: Vec<f64> = values
                .iter()
                .map(|value| match value {
                    Value::Float(value) => *value,
                    other => panic!("{other:?} among doubles"),
                })
                .collect();
            if values.iter().all(|value| value.is_finite()) {
                return Some(Value::Float(decimal::sum(&values)));
            }
            // With a NaN or an infinity the finite values do not matter.
            Some(Value::Float(values.iter().filter(|value| !value.is_finite()).sum()))
        }
        other => panic!("a sum of {other:?}"),
    }
}

fn less(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Int(one), Value::Int(other)) => one < other,
        (Value::Unsigned(one), Value::Unsigned(other)) => one < other,
        (Value::Float(one), Value::Float(other)) => one.total_cmp(other).is_lt(),
        (Value::Bool(one), Value::Bool(other)) => !*one && *other,
        (Value::Text(one), Value::Text(other)) => one < other,
        _ => panic!("{one:?} beside {other:?}"),
    }
}

//! Per key, the newest known values of what an entity's fields need.

use std::collections::HashMap;
use std::collections::hash_map::Entry as MapEntry;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion_common::{Result, ScalarValue};

/// Remembered values by key text.
#[derive(Default)]
pub(super) struct Memory {
    entries: HashMap<String, Entry>,
    /// Keys touched since the last [`Memory::pending`], in the order of their first touch.
    touched: Vec<String>,
    /// How many entries the last sweep left.
    swept: usize,
}

/// Keys to write.
pub(super) struct Pending {
    /// Their texts.
    pub keys: Vec<Option<String>>,
    /// Their greatest ORDER BY times, in µs.
    pub times: Vec<i64>,
    /// The needed values, one column each.
    pub columns: Vec<ArrayRef>,
}

/// What is remembered of a key.
pub(super) struct Entry {
    /// The greatest ORDER BY time of the key, in µs.
    time: i64,
    /// That of the row whose columns are remembered.
    pub row_time: i64,
    values: Vec<ScalarValue>,
    touched: bool,
}

impl Entry {
    /// Takes the values of one row of the columns that are there.
    pub(super) fn set(&mut self, columns: &[Option<&ArrayRef>], row: usize) -> Result<()> {
        for (value, column) in self.values.iter_mut().zip(columns) {
            if let Some(column) = column {
                *value = ScalarValue::try_from_array(column, row)?;
            }
        }
        Ok(())
    }
}

fn nulls(types: &[DataType]) -> Result<Vec<ScalarValue>> {
    types.iter().map(ScalarValue::try_from).collect()
}

impl Memory {
    /// The entry of a key that has now this greatest row time. What it remembers of a row that has left every frame,
    /// lateness included, is gone: a rebuilt state would not have it either.
    pub(super) fn touch(
        &mut self,
        key: &str,
        time: i64,
        types: &[DataType],
        keep: Option<i64>,
    ) -> Result<&mut Entry> {
        let entry = match self.entries.entry(key.to_owned()) {
            MapEntry::Occupied(entry) => entry.into_mut(),
            MapEntry::Vacant(entry) => {
                entry.insert(Entry { time, row_time: i64::MIN, values: nulls(types)?, touched: false })
            }
        };
        if keep.is_some_and(|keep| entry.row_time < time.saturating_sub(keep)) {
            entry.values = nulls(types)?;
        }
        if !std::mem::replace(&mut entry.touched, true) {
            self.touched.push(key.to_owned());
        }
        entry.time = entry.time.max(time);
        Ok(entry)
    }

    /// Keys touched since the last call, their times and values; `None` if there is none.
    pub(super) fn pending(&mut self, types: &[DataType]) -> Result<Option<Pending>> {
        if self.touched.is_empty() {
            return Ok(None);
        }
        let keys = std::mem::take(&mut self.touched);
        let mut times = Vec::with_capacity(keys.len());
        let mut columns: Vec<Vec<ScalarValue>> = vec![Vec::with_capacity(keys.len()); types.len()];
        for key in &keys {
            let Some(entry) = self.entries.get_mut(key) else { continue };
            entry.touched = false;
            times.push(entry.time);
            for (column, value) in columns.iter_mut().zip(&entry.values) {
                column.push(value.clone());
            }
        }
        let columns = columns.into_iter().map(ScalarValue::iter_to_array).collect::<Result<_>>()?;
        Ok(Some(Pending { keys: keys.into_iter().map(Some).collect(), times, columns }))
    }

    /// Forgets keys whose times lie before `floor`, whenever the entries have doubled.
    pub(super) fn sweep(&mut self, floor: Option<i64>) {
        if self.entries.len() < 1_024.max(self.swept * 2) {
            return;
        }
        if let Some(floor) = floor {
            self.entries.retain(|_, entry| entry.time >= floor);
        }
        self.swept = self.entries.len();
    }

    /// Bytes held, about.
    pub(super) fn bytes(&self) -> usize {
        let entry = |(key, entry): (&String, &Entry)| {
            key.len() + entry.values.iter().map(ScalarValue::size).sum::<usize>()
        };
        self.entries.iter().map(entry).sum()
    }
}

//! A stage run once more for some of its keys, to compare what was served with what the log says.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::datatypes::DataType;

use crate::error::Error;
use crate::exec::Rows;
use crate::exec::text::key_text;
use crate::plan::{Decided, Plan};

/// Says of a key's text whether its rows are taken.
pub type Picks = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// The keys that a task takes rows of; all rows move its time.
pub(super) struct Sampled {
    /// Where the key is among the columns of the stage's input.
    column: usize,
    picks: Picks,
}

impl Sampled {
    pub(super) fn new(plan: &Plan, decided: &Decided, picks: Picks) -> Result<Self, Error> {
        let keys = plan.key_slots(decided.stage);
        let input = plan.stages.get(decided.stage).map(|stage| stage.input.as_slice()).unwrap_or_default();
        let column = input.iter().position(|slot| keys.contains(slot));
        let column = column
            .ok_or_else(|| Error::MissingColumn { stage: decided.stage, column: decided.key.clone() })?;
        Ok(Self { column, picks })
    }

    /// The rows of picked keys.
    pub(super) fn of(&self, rows: Rows) -> Result<Rows, Error> {
        Ok(rows.filter(&picked(&rows.columns[self.column], &self.picks)?)?)
    }
}

/// Per row whether its key is picked, by the text that records are keyed with; NULL never is.
pub fn picked(keys: &ArrayRef, picks: &Picks) -> Result<BooleanArray, Error> {
    if keys.data_type() == &DataType::Null {
        return Ok(BooleanArray::from(vec![false; keys.len()]));
    }
    let text = key_text(keys)?;
    Ok((0..text.len()).map(|row| Some(text.is_valid(row) && picks(text.value(row)))).collect())
}

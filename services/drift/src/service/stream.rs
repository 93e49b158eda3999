//! A watched topic: what is taken of its rows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, MapArray, StringArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, Schema};
use arrow::record_batch::RecordBatch;
use millrace_runtime::service::InputTopic;

use super::Error;
use super::notes::Maker;
use crate::hash;
use crate::profile::Plan;
use crate::window::WindowSpec;

/// A watched topic.
#[derive(Clone)]
pub struct Stream {
    /// Its stem.
    pub stem: String,
    /// How it is read.
    pub input: InputTopic,
    /// What is kept of its rows.
    pub plan: Arc<Plan>,
    /// Its windows.
    pub windows: WindowSpec,
    /// How late rows still count, in ms.
    pub lateness_ms: i64,
    /// The column that is the row's id.
    pub id: String,
    /// Of predictions: the columns passed on that make segments and groups.
    pub predictions: Option<Vec<String>>,
}

/// Predictions in columns.
pub struct Predictions {
    /// Per row who made it.
    pub makers: Vec<Maker>,
    /// Per row the score, where it is a finite number.
    pub scores: Vec<Option<f64>>,
    /// Per row the decision.
    pub decisions: StringArray,
    /// Per declared column, per row its value.
    pub context: Vec<StringArray>,
}

impl Stream {
    /// Per row the hash of its id, and the id where it has one.
    pub fn ids(
        &self,
        rows: &RecordBatch,
        partition: i32,
        offsets: &[i64],
    ) -> Result<(Vec<u64>, StringArray), Error> {
        let ids = text(rows, &self.id)?;
        let source = hash::of_text(&format!("{}/{partition}", self.stem));
        let hashes = offsets.iter().enumerate().map(|(row, offset)| match ids.is_valid(row) {
            true => hash::of_text(ids.value(row)),
            false => hash::of_place(source, offset.cast_unsigned()),
        });
        Ok((hashes.collect(), ids))
    }
}

impl Predictions {
    /// Reads the envelope's columns; `context` are the keys of its map that matter.
    pub fn read(rows: &RecordBatch, context: &[String]) -> Result<Self, Error> {
        let (model, version) = (text(rows, "model")?, text(rows, "version")?);
        let (arm, role) = (text(rows, "arm")?, text(rows, "role")?);
        let maker = |row| Maker {
            model: model.value(row).to_owned(),
            version: version.value(row).to_owned(),
            arm: arm.value(row).to_owned(),
            serving: role.value(row) == SERVING,
        };
        let scores = cast(column(rows, "score")?, &DataType::Float64).map_err(internal)?;
        let scores = scores.as_primitive::<Float64Type>();
        let score = |row| Some(scores.value(row)).filter(|score| scores.is_valid(row) && score.is_finite());
        let passed = column(rows, "context")?.as_map_opt();
        let passed = passed.ok_or_else(|| Error::Internal("predictions: `context` is no map".into()))?;
        Ok(Self {
            makers: (0..rows.num_rows()).map(maker).collect(),
            scores: (0..rows.num_rows()).map(score).collect(),
            decisions: text(rows, "decision")?,
            context: context.iter().map(|key| passed_on(passed, key)).collect::<Result<_, _>>()?,
        })
    }

    /// The columns that profiles are made of: `score`, `decision` and the context.
    pub fn watched(&self, context: &[String]) -> Result<RecordBatch, Error> {
        let scores: arrow::array::Float64Array = self.scores.iter().copied().collect();
        let mut fields =
            vec![Field::new("score", DataType::Float64, true), Field::new("decision", DataType::Utf8, true)];
        let mut columns: Vec<ArrayRef> = vec![Arc::new(scores), Arc::new(self.decisions.clone())];
        for (name, values) in context.iter().zip(&self.context) {
            fields.push(Field::new(name, DataType::Utf8, true));
            columns.push(Arc::new(values.clone()));
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(internal)
    }
}

/// The role of an answer that is acted on.
const SERVING: &str = "serving";

/// The value of one key of a map column, per row.
fn passed_on(maps: &MapArray, key: &str) -> Result<StringArray, Error> {
    let keys = maps.keys().as_string_opt::<i32>();
    let values = maps.values().as_string_opt::<i32>();
    let (Some(keys), Some(values)) = (keys, values) else {
        return Err(Error::Internal("predictions: `context` does not map text to text".into()));
    };
    let mut found = StringBuilder::new();
    for row in 0..maps.len() {
        let range = maps.value_offsets()[row]..maps.value_offsets()[row + 1];
        let at = range.filter_map(|at| usize::try_from(at).ok()).find(|at| keys.value(*at) == key);
        found.append_option(at.filter(|at| values.is_valid(*at)).map(|at| values.value(at)));
    }
    Ok(found.finish())
}

/// A column as text.
pub fn text(rows: &RecordBatch, name: &str) -> Result<StringArray, Error> {
    let column = column(rows, name)?;
    let text = if column.data_type() == &DataType::Utf8 {
        column.clone()
    } else {
        cast(column, &DataType::Utf8).map_err(internal)?
    };
    text.as_string_opt::<i32>().cloned().ok_or_else(|| Error::Internal(format!("column `{name}` is no text")))
}

/// A column of the rows.
pub fn column<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, Error> {
    rows.column_by_name(name).ok_or_else(|| Error::Internal(format!("column `{name}` is missing")))
}

fn internal(error: arrow::error::ArrowError) -> Error {
    Error::Internal(error.to_string())
}

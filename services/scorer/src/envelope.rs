//! Scores to the columns of a prediction topic.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, ListArray, MapArray, RecordBatch, StringArray,
    StructArray, UInt32Array, new_empty_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{can_cast_types, cast, interleave};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use millrace_topics::ModelRef;

use crate::near::nearest;

/// The columns of feature rows that a prediction repeats.
#[derive(Debug, Clone)]
pub struct Names<'a> {
    /// The event's id.
    pub id: &'a str,
    /// Its time.
    pub time: &'a str,
    /// Whom or what it is about.
    pub unit: &'a str,
    /// What is passed on.
    pub context: &'a [String],
}

/// Makes prediction rows of feature rows.
#[derive(Debug, Clone)]
pub struct Envelope {
    schema: SchemaRef,
    id: usize,
    time: usize,
    unit: usize,
    context: Vec<(String, usize)>,
}

/// One prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct Line<'a> {
    /// The feature row that it is of.
    pub row: u32,
    /// Who made it.
    pub version: &'a ModelRef,
    /// The arm.
    pub arm: &'a str,
    /// [`SERVING`] or [`SHADOW`].
    pub role: &'static str,
    /// The score.
    pub score: f64,
    /// The decision.
    pub decision: &'a str,
    /// Why it was decided so, beyond the score; empty: the score alone.
    pub reason: &'a str,
    /// With what probability the event met this arm.
    pub propensity: f64,
}

/// The role of the answer to act on.
pub const SERVING: &str = "serving";
/// The role of a prediction to compare alone.
pub const SHADOW: &str = "shadow";

impl Envelope {
    /// Finds the columns among the features'. `schema` is that of the prediction topic. Fails with one line per column
    /// that is not there or cannot be shown as text.
    pub fn find(schema: &SchemaRef, features: &Schema, names: &Names<'_>) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let mut find =
            |what: &str, name: &str, fits: fn(&DataType) -> bool| match column(features, name, fits) {
                Ok(index) => index,
                Err(problem) => {
                    problems.push(format!("{what} `{name}`: {problem}"));
                    0
                }
            };
        let text = |kind: &DataType| can_cast_types(kind, &DataType::Utf8);
        let id = find("id", names.id, text);
        let time = find("time", names.time, |kind| matches!(kind, DataType::Timestamp(..)));
        let unit = find("unit", names.unit, text);
        let context = names.context.iter().map(|name| (name.clone(), find("context", name, text))).collect();
        if problems.is_empty() {
            Ok(Self { schema: schema.clone(), id, time, unit, context })
        } else {
            Err(problems)
        }
    }

    /// Why a feature row cannot become a prediction whatever its score: the class of the fault and the column.
    pub fn fault(&self, rows: &RecordBatch, row: usize) -> Option<(&'static str, String)> {
        let needed = [("missing_id", self.id), ("missing_time", self.time), ("missing_unit", self.unit)];
        let (reason, column) = needed.into_iter().find(|(_, column)| rows.column(*column).is_null(row))?;
        Some((reason, format!("column `{}` is NULL", rows.schema().field(column).name())))
    }

    /// The unit of each feature row, as text.
    pub fn units(&self, features: &RecordBatch) -> Result<StringArray, ArrowError> {
        text(features.column(self.unit))
    }

    /// The id of each feature row, as text.
    pub fn ids(&self, features: &RecordBatch) -> Result<StringArray, ArrowError> {
        text(features.column(self.id))
    }

    /// Predictions of feature rows under the deployment at an offset, as rows of the prediction topic.
    pub fn rows(
        &self,
        features: &RecordBatch,
        deployment: i64,
        lines: &[Line<'_>],
    ) -> Result<RecordBatch, ArrowError> {
        let of_line: Vec<u32> = lines.iter().map(|line| line.row).collect();
        let columns = self.schema.fields().iter().map(|field| {
            let passed = |index: usize| pick(features.column(index), &of_line);
            self.column(field, &passed, deployment, lines)
        });
        RecordBatch::try_new(self.schema.clone(), columns.collect::<Result<_, _>>()?)
    }

    /// `passed` gives a feature column, one value a line.
    fn column(
        &self,
        field: &Field,
        passed: &dyn Fn(usize) -> Result<ArrayRef, ArrowError>,
        deployment: i64,
        lines: &[Line<'_>],
    ) -> Result<ArrayRef, ArrowError> {
        let texts = |text: for<'b> fn(&'b Line<'b>) -> &'b str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(lines.iter().map(|line| text(line))))
        };
        let numbers = |number: fn(&Line<'_>) -> f64| -> ArrayRef {
            Arc::new(Float64Array::from_iter_values(lines.iter().map(number)))
        };
        let column: ArrayRef = match field.name().as_str() {
            "id" => passed(self.id)?,
            "time" => passed(self.time)?,
            "unit" => passed(self.unit)?,
            "model" => texts(|line| &line.version.model),
            "version" => texts(|line| &line.version.version),
            "arm" => texts(|line| line.arm),
            "role" => texts(|line| line.role),
            "decision" => texts(|line| line.decision),
            "score" => numbers(|line| line.score),
            "propensity" => numbers(|line| line.propensity),
            "deployment" => Arc::new(Int64Array::from_value(deployment, lines.len())),
            "reasons" => return reasons(field, lines),
            "context" => return self.context_maps(field, passed, lines.len()),
            other => {
                return Err(ArrowError::SchemaError(format!("a prediction has no column `{other}`")));
            }
        };
        cast(&column, field.data_type())
    }

    /// One map a row, of column name to the value's text.
    fn context_maps(
        &self,
        field: &Field,
        passed: &dyn Fn(usize) -> Result<ArrayRef, ArrowError>,
        n: usize,
    ) -> Result<ArrayRef, ArrowError> {
        let DataType::Map(entries, sorted) = field.data_type() else { return Err(not_of_type(field, "map")) };
        let DataType::Struct(parts) = entries.data_type() else { return Err(not_of_type(field, "map")) };
        let width = self.context.len();
        let names = self.context.iter().map(|(name, _)| name.as_str());
        let keys = StringArray::from_iter_values(names.cycle().take(n * width));
        let texts: Vec<ArrayRef> = self
            .context
            .iter()
            .map(|(_, column)| cast(&passed(*column)?, &DataType::Utf8))
            .collect::<Result<_, _>>()?;
        let values = if texts.is_empty() {
            new_empty_array(&DataType::Utf8)
        } else {
            let texts: Vec<&dyn Array> = texts.iter().map(AsRef::as_ref).collect();
            let row_by_row: Vec<(usize, usize)> =
                (0..n).flat_map(|row| (0..width).map(move |column| (column, row))).collect();
            interleave(&texts, &row_by_row)?
        };
        let pairs = StructArray::try_new(parts.clone(), vec![Arc::new(keys), values], None)?;
        let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(width, n));
        Ok(Arc::new(MapArray::try_new(entries.clone(), offsets, pairs, None, *sorted)?))
    }
}

/// Checks that a schema has the columns of a prediction, and no other: one line per problem.
pub fn check_schema(schema: &Schema) -> Result<(), String> {
    const COLUMNS: [&str; 13] = [
        "id",
        "time",
        "unit",
        "model",
        "version",
        "arm",
        "role",
        "decision",
        "score",
        "reasons",
        "propensity",
        "deployment",
        "context",
    ];
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let missing = COLUMNS.iter().find(|column| !names.contains(*column));
    let foreign = names.iter().find(|name| !COLUMNS.contains(name));
    match (missing, foreign) {
        (Some(column), _) => Err(format!("the schema lacks the column `{column}` of a prediction")),
        (None, Some(column)) => Err(format!("a prediction has no column `{column}`; leave `schema` out")),
        (None, None) => Ok(()),
    }
}

fn reasons(field: &Field, lines: &[Line<'_>]) -> Result<ArrayRef, ArrowError> {
    let DataType::List(item) = field.data_type() else { return Err(not_of_type(field, "list")) };
    let item: FieldRef = item.clone();
    let given = lines.iter().map(|line| line.reason).filter(|reason| !reason.is_empty());
    let values = cast(&StringArray::from_iter_values(given), item.data_type())?;
    let offsets = OffsetBuffer::from_lengths(lines.iter().map(|line| usize::from(!line.reason.is_empty())));
    Ok(Arc::new(ListArray::try_new(item, offsets, values, None)?))
}

/// Values by index; no copy if they are all of them as they are.
fn pick(column: &ArrayRef, indices: &[u32]) -> Result<ArrayRef, ArrowError> {
    if is_whole(indices, column.len()) {
        return Ok(column.clone());
    }
    arrow::compute::take(column, &UInt32Array::from(indices.to_vec()), None)
}

fn text(column: &ArrayRef) -> Result<StringArray, ArrowError> {
    Ok(cast(column, &DataType::Utf8)?.as_string::<i32>().clone())
}

fn is_whole(indices: &[u32], rows: usize) -> bool {
    indices.len() == rows && indices.iter().zip(0_u32..).all(|(a, b)| *a == b)
}

fn not_of_type(field: &Field, wanted: &str) -> ArrowError {
    ArrowError::SchemaError(format!("column `{}` is {}, not a {wanted}", field.name(), field.data_type()))
}

fn column(features: &Schema, name: &str, fits: fn(&DataType) -> bool) -> Result<usize, String> {
    let names = || features.fields().iter().map(|field| field.name().as_str());
    let Ok(index) = features.index_of(name) else {
        let near = nearest(name, names()).map(|near| format!("; did you mean `{near}`?"));
        let all = || format!("; there are {}", names().collect::<Vec<_>>().join(", "));
        return Err(format!("there is no such column among the features{}", near.unwrap_or_else(all)));
    };
    let kind = features.field(index).data_type();
    if fits(kind) { Ok(index) } else { Err(format!("the column is {kind}, which does not fit")) }
}

/// Rows by index, in that order; no copy if they are all of them as they are.
pub fn take(rows: &RecordBatch, indices: &[u32]) -> Result<RecordBatch, ArrowError> {
    if is_whole(indices, rows.num_rows()) {
        return Ok(rows.clone());
    }
    arrow::compute::take_record_batch(rows, &UInt32Array::from(indices.to_vec()))
}

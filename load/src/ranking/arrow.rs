//! Events as Arrow batches with the columns of the application's source topics.

use std::fmt::Display;
use std::sync::Arc;

use ::arrow::array::{
    ArrayRef, Float64Array, Int32Array, Int32Builder, ListArray, StringArray, StringBuilder,
    TimestampMillisecondArray,
};
use ::arrow::buffer::OffsetBuffer;
use ::arrow::datatypes::{Field, Schema};
use ::arrow::error::ArrowError;
use ::arrow::record_batch::RecordBatch;

use super::world::Candidate;
use super::{Click, Impression, Request, World};

const UTC: &str = "+00:00";

/// A column with its name.
type Column = (&'static str, ArrayRef);

/// Requests as rows of `requests`.
pub fn requests_batch(world: &World, rows: &[Request]) -> Result<RecordBatch, ArrowError> {
    batch(request_columns(world, rows)?)
}

/// Requests as rows of `requests`, with one column more that no ranker gets: `grade`, how relevant each candidate is.
pub fn judged_batch(world: &World, rows: &[Request]) -> Result<RecordBatch, ArrowError> {
    let grades = rows.iter().flat_map(|row| row.items.iter().map(|item| row.grade(world, *item) as i32));
    let grades = list(rows, Arc::new(Int32Array::from_iter_values(grades)))?;
    let mut columns = request_columns(world, rows)?;
    columns.push(("grade", grades));
    batch(columns)
}

/// Impressions as rows of `impressions`.
pub fn impressions_batch(rows: &[Impression]) -> Result<RecordBatch, ArrowError> {
    let mut positions = Int32Builder::new();
    rows.iter().for_each(|row| positions.append_slice(&row.positions));
    let lengths = rows.iter().map(|row| row.positions.len());
    batch(vec![
        ("impression_id", text(rows.iter().map(|row| &row.id))),
        ("impression_time", times(rows.iter().map(|row| row.time_ms))),
        ("user_id", text(rows.iter().map(|row| &row.user))),
        ("request_id", text(rows.iter().map(|row| &row.request))),
        ("positions", list_of(lengths, Arc::new(positions.finish()))?),
    ])
}

/// Clicks as rows of `clicks`.
pub fn clicks_batch(rows: &[Click]) -> Result<RecordBatch, ArrowError> {
    batch(vec![
        ("click_id", text(rows.iter().map(|row| &row.id))),
        ("click_time", times(rows.iter().map(|row| row.time_ms))),
        ("user_id", text(rows.iter().map(|row| &row.user))),
        ("request_id", text(rows.iter().map(|row| &row.request))),
        ("item", text(rows.iter().map(|row| &row.item))),
    ])
}

fn request_columns(world: &World, rows: &[Request]) -> Result<Vec<Column>, ArrowError> {
    let candidates: Vec<Candidate> = rows.iter().flat_map(|row| row.features(world)).collect();
    let numbers = |of: fn(&Candidate) -> f64| {
        list(rows, Arc::new(Float64Array::from_iter_values(candidates.iter().map(of))))
    };
    let mut items = StringBuilder::new();
    rows.iter().flat_map(|row| &row.items).for_each(|item| items.append_value(format!("i{item}")));
    Ok(vec![
        ("request_id", text(rows.iter().map(Request::id))),
        ("request_time", times(rows.iter().map(|row| row.time_ms))),
        ("user_id", text(rows.iter().map(Request::user_id))),
        ("session_id", text(rows.iter().map(Request::session_id))),
        ("query", text(rows.iter().map(|row| format!("q{}", row.query)))),
        ("hour", Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.hour as i32)))),
        ("items", list(rows, Arc::new(items.finish()))?),
        ("text_match", numbers(|candidate| candidate.text_match)?),
        ("popularity", numbers(|candidate| candidate.popularity)?),
        ("freshness", numbers(|candidate| candidate.freshness)?),
        ("price", numbers(|candidate| candidate.price)?),
        ("affinity", numbers(|candidate| candidate.affinity)?),
    ])
}

fn batch(columns: Vec<Column>) -> Result<RecordBatch, ArrowError> {
    let fields: Vec<Field> =
        columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), false)).collect();
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

/// One entry per candidate.
fn list(rows: &[Request], values: ArrayRef) -> Result<ArrayRef, ArrowError> {
    list_of(rows.iter().map(|row| row.items.len()), values)
}

fn list_of(lengths: impl Iterator<Item = usize>, values: ArrayRef) -> Result<ArrayRef, ArrowError> {
    let item = Arc::new(Field::new("item", values.data_type().clone(), false));
    Ok(Arc::new(ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), values, None)?))
}

fn times(ms: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(TimestampMillisecondArray::from_iter_values(ms).with_timezone(UTC))
}

fn text(texts: impl Iterator<Item = impl Display>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(texts.map(|text| text.to_string())))
}

#[cfg(test)]
mod tests {
    use millrace_schemas::TopicSchema;

    use super::super::Params;
    use super::*;

    const REQUESTS: &str = include_str!("../../../schemas/ranking/requests.avsc");
    const IMPRESSIONS: &str = include_str!("../../../schemas/ranking/impressions.avsc");
    const CLICKS: &str = include_str!("../../../schemas/ranking/clicks.avsc");

    #[test]
    fn batches_have_the_columns_of_the_topics() {
        let params = Params { sessions: 5, ..Params::default() };
        let world = Arc::new(World::new(&params));
        let requests: Vec<Request> = super::super::stream(world.clone(), &params).collect();
        let schema = |avro| TopicSchema::parse(avro).unwrap().arrow().clone();
        let rows = requests_batch(&world, &requests).unwrap();
        assert_eq!(rows.schema(), schema(REQUESTS));
        assert_eq!(judged_batch(&world, &requests).unwrap().num_columns(), rows.num_columns() + 1);
        assert_eq!(impressions_batch(&[]).unwrap().schema(), schema(IMPRESSIONS));
        assert_eq!(clicks_batch(&[]).unwrap().schema(), schema(CLICKS));
    }
}

//! Click feedback as Arrow rows, without the detour over JSON that rarer events take.

use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayRef, Float64Array, Int32Array, Int64Array, ListArray, MapArray, RecordBatch, StringArray,
    StructArray, TimestampMillisecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, SchemaRef};

use super::{ClickFeedback, FeedbackKind};
use crate::envelope::record::Record as _;
use crate::{Error, TopicSchema};

static SCHEMA: LazyLock<Result<SchemaRef, String>> = LazyLock::new(|| {
    let schema = TopicSchema::parse(ClickFeedback::AVRO).map_err(|error| error.to_string())?;
    Ok(schema.arrow().clone())
});

/// One row per event.
pub fn to_batch(events: &[ClickFeedback]) -> Result<RecordBatch, Error> {
    let schema = SCHEMA.as_ref().map_err(|error| Error::Envelope(error.clone()))?;
    let arrays = schema.fields().iter().map(|field| array(events, field.name(), field.data_type()));
    let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(schema.clone(), arrays).map_err(wrong)
}

fn array(events: &[ClickFeedback], name: &str, data_type: &DataType) -> Result<ArrayRef, Error> {
    let text =
        |of: fn(&ClickFeedback) -> &str| Arc::new(StringArray::from_iter_values(events.iter().map(of)));
    let maybe =
        |of: fn(&ClickFeedback) -> &Option<String>| Arc::new(StringArray::from_iter(events.iter().map(of)));
    let time = |of: fn(&ClickFeedback) -> i64| {
        let times = TimestampMillisecondArray::from_iter_values(events.iter().map(of));
        Arc::new(times.with_timezone("+00:00"))
    };
    Ok(match name {
        "id" => text(|e| &e.id),
        "time" => time(|e| e.time_ms),
        "kind" => text(|e| kind(e.kind)),
        "request" => text(|e| &e.request),
        "unit" => text(|e| &e.unit),
        "deployment" => Arc::new(Int64Array::from_iter_values(events.iter().map(|e| e.deployment))),
        "arm" => text(|e| &e.arm),
        "method" => text(|e| &e.method),
        "rankers" => {
            let names = events.iter().flat_map(|e| e.rankers.iter().map(Some)).collect::<StringArray>();
            list(data_type, events.iter().map(|e| e.rankers.len()), Arc::new(names))?
        }
        "credit" => {
            let credits =
                events.iter().flat_map(|e| e.credit.iter().map(|c| Some(*c))).collect::<Float64Array>();
            list(data_type, events.iter().map(|e| e.credit.len()), Arc::new(credits))?
        }
        "verdict" => text(|e| &e.verdict),
        "click" => maybe(|e| &e.click),
        "item" => maybe(|e| &e.item),
        "position" => Arc::new(events.iter().map(|e| e.position).collect::<Int32Array>()),
        "team" => maybe(|e| &e.team),
        "delay" => Arc::new(events.iter().map(|e| e.delay).collect::<Int64Array>()),
        "list_time" => time(|e| e.list_time_ms),
        "counts" => counts(events, data_type)?,
        other => return Err(Error::Envelope(format!("click feedback has no field `{other}`"))),
    })
}

fn kind(kind: FeedbackKind) -> &'static str {
    match kind {
        FeedbackKind::Click => "click",
        FeedbackKind::Outcome => "outcome",
    }
}

fn list(
    data_type: &DataType,
    lengths: impl IntoIterator<Item = usize>,
    values: ArrayRef,
) -> Result<ArrayRef, Error> {
    let DataType::List(item) = data_type else {
        return Err(Error::Envelope(format!("{data_type} is no list")));
    };
    let made = ListArray::try_new(item.clone(), OffsetBuffer::from_lengths(lengths), values, None);
    Ok(Arc::new(made.map_err(wrong)?))
}

fn counts(events: &[ClickFeedback], data_type: &DataType) -> Result<ArrayRef, Error> {
    let no_map = || Error::Envelope(format!("{data_type} is no map"));
    let DataType::Map(entries, sorted) = data_type else { return Err(no_map()) };
    let DataType::Struct(pair) = entries.data_type() else { return Err(no_map()) };
    let names: StringArray = events.iter().flat_map(|e| e.counts.keys().map(Some)).collect();
    let numbers: Int64Array = events.iter().flat_map(|e| e.counts.values().copied()).collect();
    let pairs =
        StructArray::try_new(pair.clone(), vec![Arc::new(names), Arc::new(numbers)], None).map_err(wrong)?;
    let offsets = OffsetBuffer::from_lengths(events.iter().map(|e| e.counts.len()));
    Ok(Arc::new(MapArray::try_new(entries.clone(), offsets, pairs, None, *sorted).map_err(wrong)?))
}

fn wrong(error: arrow::error::ArrowError) -> Error {
    Error::Envelope(error.to_string())
}

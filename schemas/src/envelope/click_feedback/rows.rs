//! Click feedback as Arrow rows, without the detour over JSON that rarer events take.

use std::sync::{Arc, LazyLock};

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int32Array, Int64Array, ListArray, MapArray, RecordBatch,
    StringArray, StructArray, TimestampMillisecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Float64Type, Int64Type, SchemaRef};

use super::{ClickFeedback, FeedbackKind};
use crate::envelope::record::Record as _;
use crate::envelope::{column, of_text};
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

/// The events of decoded rows.
pub fn from_batch(rows: &RecordBatch) -> Result<Vec<ClickFeedback>, Error> {
    let columns = Columns::of(rows)?;
    (0..rows.num_rows()).map(|row| columns.event(row)).collect()
}

/// The columns of decoded rows.
struct Columns<'a> {
    texts: [&'a StringArray; 7],
    maybe: [&'a StringArray; 3],
    times: [&'a TimestampMillisecondArray; 2],
    deployment: &'a Int64Array,
    position: &'a Int32Array,
    delay: &'a Int64Array,
    rankers: &'a ListArray,
    credit: &'a ListArray,
    counts: &'a MapArray,
}

impl<'a> Columns<'a> {
    fn of(rows: &'a RecordBatch) -> Result<Self, Error> {
        let text = |name| column::<StringArray>(rows, name);
        Ok(Self {
            texts: [
                text("id")?,
                text("kind")?,
                text("request")?,
                text("unit")?,
                text("arm")?,
                text("method")?,
                text("verdict")?,
            ],
            maybe: [text("click")?, text("item")?, text("team")?],
            times: [column(rows, "time")?, column(rows, "list_time")?],
            deployment: column(rows, "deployment")?,
            position: column(rows, "position")?,
            delay: column(rows, "delay")?,
            rankers: column(rows, "rankers")?,
            credit: column(rows, "credit")?,
            counts: column(rows, "counts")?,
        })
    }

    fn event(&self, row: usize) -> Result<ClickFeedback, Error> {
        let no = |name: &str, what: &str| Error::Envelope(format!("column `{name}` is no {what}"));
        let [id, kind, request, unit, arm, method, verdict] =
            self.texts.map(|column| column.value(row).to_owned());
        let [click, item, team] =
            self.maybe.map(|column| column.is_valid(row).then(|| column.value(row).to_owned()));
        let [time_ms, list_time_ms] = self.times.map(|column| column.value(row));
        let (rankers, credit) = (self.rankers.value(row), self.credit.value(row));
        let rankers = rankers.as_string_opt::<i32>().ok_or_else(|| no("rankers", "list of texts"))?;
        let credit =
            credit.as_primitive_opt::<Float64Type>().ok_or_else(|| no("credit", "list of doubles"))?;
        let counts = self.counts.value(row);
        let names = counts.column(0).as_string_opt::<i32>().ok_or_else(|| no("counts", "map from text"))?;
        let numbers =
            counts.column(1).as_primitive_opt::<Int64Type>().ok_or_else(|| no("counts", "map to long"))?;
        Ok(ClickFeedback {
            id,
            time_ms,
            kind: of_text("kind", &kind)?,
            request,
            unit,
            deployment: self.deployment.value(row),
            arm,
            method,
            rankers: rankers.iter().flatten().map(str::to_owned).collect(),
            credit: credit.values().to_vec(),
            verdict,
            click,
            item,
            position: self.position.is_valid(row).then(|| self.position.value(row)),
            team,
            delay: self.delay.is_valid(row).then(|| self.delay.value(row)),
            list_time_ms,
            counts: names.iter().flatten().map(str::to_owned).zip(numbers.iter()).collect(),
        })
    }
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

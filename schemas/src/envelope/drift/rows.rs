//! Drift events as Arrow rows and back.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, AsArray, BooleanArray, Float64Array, Int32Array, Int64Array, MapArray, RecordBatch, StringArray,
    StructArray, TimestampMillisecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Float64Type};

use super::DriftEvent;
use crate::envelope::record::Record;
use crate::envelope::{column, of_text, text_of};
use crate::{Error, TopicSchema};

impl Record for DriftEvent {
    const AVRO: &'static str = include_str!("../../../drift.avsc");

    /// Column by column: there may be a thousand in a window.
    fn to_batch(events: &[Self]) -> Result<RecordBatch, Error> {
        let schema = TopicSchema::parse(Self::AVRO)?;
        let columns = Columns { events };
        let arrays =
            schema.arrow().fields().iter().map(|field| columns.array(field.name(), field.data_type()));
        let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
        RecordBatch::try_new(Arc::clone(schema.arrow()), arrays).map_err(|e| Error::Envelope(e.to_string()))
    }

    fn from_batch(rows: &RecordBatch) -> Result<Vec<Self>, Error> {
        (0..rows.num_rows()).map(|i| Row { rows, i }.event()).collect()
    }
}

struct Columns<'a> {
    events: &'a [DriftEvent],
}

impl Columns<'_> {
    fn array(&self, name: &str, data_type: &DataType) -> Result<Arc<dyn Array>, Error> {
        Ok(match name {
            "id" => self.text(|e| &e.id),
            "kind" => self.word(|e| text_of(&e.kind)),
            "status" => self.word(|e| text_of(&e.status)),
            "revision" => self.int(|e| Some(e.revision)),
            "time" => self.time(|e| e.time_ms),
            "window_start" => self.time(|e| e.window_start_ms),
            "window_end" => self.time(|e| e.window_end_ms),
            "window" => self.text(|e| &e.window),
            "app" => self.text(|e| &e.app),
            "topic" => self.text(|e| &e.topic),
            "subject" => self.word(|e| text_of(&e.subject)),
            "column" => self.maybe(|e| e.column.as_deref()),
            "segment" => self.maybe(|e| e.segment.as_deref()),
            "model" => self.maybe(|e| e.model.as_deref()),
            "version" => self.maybe(|e| e.version.as_deref()),
            "arm" => self.maybe(|e| e.arm.as_deref()),
            "method" => self.text(|e| &e.method),
            "statistic" => self.number(|e| e.statistic),
            "threshold" => self.number(|e| e.threshold),
            "p_value" => self.number(|e| e.p_value),
            "p_adjusted" => self.number(|e| e.p_adjusted),
            "effect" => self.number(|e| e.effect),
            "low" => self.number(|e| e.low),
            "high" => self.number(|e| e.high),
            "error" => self.number(|e| e.error),
            "rows" => self.long(|e| Some(e.rows)),
            "reference_rows" => self.long(|e| Some(e.reference_rows)),
            "p_rows" => self.long(|e| e.p_rows),
            "reference" => self.text(|e| &e.reference),
            "drifted" => Arc::new(BooleanArray::from_iter(self.events.iter().map(|e| Some(e.drifted)))),
            "severity" => self.number(|e| Some(e.severity)),
            "alarm" => self.word(|e| text_of(&e.alarm)),
            "cause_group" => self.int(|e| e.cause_group),
            "rank" => self.int(|e| e.rank),
            "root" => self.maybe(|e| e.root.as_deref()),
            "detail" => self.text(|e| &e.detail),
            "values" => {
                let numbers = self.events.iter().flat_map(|e| e.values.values().map(|v| Some(*v)));
                self.map(data_type, |e| &e.values, Arc::new(numbers.collect::<Float64Array>()))?
            }
            "distributions" => {
                let texts = self.events.iter().flat_map(|e| e.distributions.values().map(Some));
                self.map(data_type, |e| &e.distributions, Arc::new(texts.collect::<StringArray>()))?
            }
            other => return Err(Error::Envelope(format!("a drift event has no field `{other}`"))),
        })
    }

    fn text(&self, of: fn(&DriftEvent) -> &str) -> Arc<dyn Array> {
        Arc::new(StringArray::from_iter_values(self.events.iter().map(of)))
    }

    fn word(&self, of: fn(&DriftEvent) -> String) -> Arc<dyn Array> {
        Arc::new(StringArray::from_iter_values(self.events.iter().map(of)))
    }

    fn maybe(&self, of: fn(&DriftEvent) -> Option<&str>) -> Arc<dyn Array> {
        Arc::new(self.events.iter().map(of).collect::<StringArray>())
    }

    fn number(&self, of: fn(&DriftEvent) -> Option<f64>) -> Arc<dyn Array> {
        Arc::new(self.events.iter().map(of).collect::<Float64Array>())
    }

    fn int(&self, of: fn(&DriftEvent) -> Option<i32>) -> Arc<dyn Array> {
        Arc::new(self.events.iter().map(of).collect::<Int32Array>())
    }

    fn long(&self, of: fn(&DriftEvent) -> Option<i64>) -> Arc<dyn Array> {
        Arc::new(self.events.iter().map(of).collect::<Int64Array>())
    }

    fn time(&self, of: fn(&DriftEvent) -> i64) -> Arc<dyn Array> {
        let times = TimestampMillisecondArray::from_iter_values(self.events.iter().map(of));
        Arc::new(times.with_timezone("+00:00"))
    }

    /// A map from text; `values` are those of all events, one after the other.
    fn map<V>(
        &self,
        data_type: &DataType,
        of: fn(&DriftEvent) -> &BTreeMap<String, V>,
        values: Arc<dyn Array>,
    ) -> Result<Arc<dyn Array>, Error> {
        let wrong = || Error::Envelope(format!("{data_type} is no map"));
        let DataType::Map(entries, sorted) = data_type else { return Err(wrong()) };
        let DataType::Struct(pair) = entries.data_type() else { return Err(wrong()) };
        let names: StringArray = self.events.iter().flat_map(|e| of(e).keys()).map(Some).collect();
        let made =
            StructArray::try_new(pair.clone(), vec![Arc::new(names), values], None).and_then(|pairs| {
                let offsets = OffsetBuffer::from_lengths(self.events.iter().map(|e| of(e).len()));
                MapArray::try_new(Arc::clone(entries), offsets, pairs, None, *sorted)
            });
        Ok(Arc::new(made.map_err(|e| Error::Envelope(e.to_string()))?))
    }
}

struct Row<'a> {
    rows: &'a RecordBatch,
    i: usize,
}

impl Row<'_> {
    fn event(&self) -> Result<DriftEvent, Error> {
        Ok(DriftEvent {
            id: self.text("id")?,
            kind: of_text("kind", &self.text("kind")?)?,
            status: of_text("status", &self.text("status")?)?,
            revision: self.int("revision")?.unwrap_or_default(),
            time_ms: self.time("time")?,
            window_start_ms: self.time("window_start")?,
            window_end_ms: self.time("window_end")?,
            window: self.text("window")?,
            app: self.text("app")?,
            topic: self.text("topic")?,
            subject: of_text("subject", &self.text("subject")?)?,
            column: self.maybe("column")?,
            segment: self.maybe("segment")?,
            model: self.maybe("model")?,
            version: self.maybe("version")?,
            arm: self.maybe("arm")?,
            method: self.text("method")?,
            statistic: self.number("statistic")?,
            threshold: self.number("threshold")?,
            p_value: self.number("p_value")?,
            p_adjusted: self.number("p_adjusted")?,
            effect: self.number("effect")?,
            low: self.number("low")?,
            high: self.number("high")?,
            error: self.number("error")?,
            rows: self.long("rows")?.unwrap_or_default(),
            reference_rows: self.long("reference_rows")?.unwrap_or_default(),
            p_rows: self.long("p_rows")?,
            reference: self.text("reference")?,
            drifted: column::<BooleanArray>(self.rows, "drifted")?.value(self.i),
            severity: self.number("severity")?.unwrap_or_default(),
            alarm: of_text("alarm", &self.text("alarm")?)?,
            cause_group: self.int("cause_group")?,
            rank: self.int("rank")?,
            root: self.maybe("root")?,
            detail: self.text("detail")?,
            values: self.values()?,
            distributions: self.distributions()?,
        })
    }

    fn maybe(&self, name: &str) -> Result<Option<String>, Error> {
        let texts = column::<StringArray>(self.rows, name)?;
        Ok(texts.is_valid(self.i).then(|| texts.value(self.i).to_owned()))
    }

    fn text(&self, name: &str) -> Result<String, Error> {
        Ok(self.maybe(name)?.unwrap_or_default())
    }

    fn number(&self, name: &str) -> Result<Option<f64>, Error> {
        let numbers = column::<Float64Array>(self.rows, name)?;
        Ok(numbers.is_valid(self.i).then(|| numbers.value(self.i)))
    }

    fn int(&self, name: &str) -> Result<Option<i32>, Error> {
        let numbers = column::<Int32Array>(self.rows, name)?;
        Ok(numbers.is_valid(self.i).then(|| numbers.value(self.i)))
    }

    fn long(&self, name: &str) -> Result<Option<i64>, Error> {
        let numbers = column::<Int64Array>(self.rows, name)?;
        Ok(numbers.is_valid(self.i).then(|| numbers.value(self.i)))
    }

    fn time(&self, name: &str) -> Result<i64, Error> {
        Ok(column::<TimestampMillisecondArray>(self.rows, name)?.value(self.i))
    }

    fn values(&self) -> Result<BTreeMap<String, f64>, Error> {
        let wrong = || Error::Envelope("column `values` is no map from text to double".into());
        let pairs = column::<MapArray>(self.rows, "values")?.value(self.i);
        let names = pairs.column(0).as_string_opt::<i32>().ok_or_else(wrong)?;
        let numbers = pairs.column(1).as_primitive_opt::<Float64Type>().ok_or_else(wrong)?;
        Ok((0..pairs.len()).map(|k| (names.value(k).to_owned(), numbers.value(k))).collect())
    }

    fn distributions(&self) -> Result<BTreeMap<String, String>, Error> {
        let wrong = || Error::Envelope("column `distributions` is no map from text to text".into());
        let pairs = column::<MapArray>(self.rows, "distributions")?.value(self.i);
        let names = pairs.column(0).as_string_opt::<i32>().ok_or_else(wrong)?;
        let texts = pairs.column(1).as_string_opt::<i32>().ok_or_else(wrong)?;
        Ok((0..pairs.len()).map(|k| (names.value(k).to_owned(), texts.value(k).to_owned())).collect())
    }
}

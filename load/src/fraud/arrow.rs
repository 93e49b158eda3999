//! Payments and labels as Arrow batches with the columns of the fraud application's topics.

use std::fmt::Display;
use std::sync::Arc;

use ::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, StringArray, StringBuilder, TimestampMillisecondArray,
};
use ::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use ::arrow::error::ArrowError;
use ::arrow::record_batch::RecordBatch;

use super::{Country, Label, Payment};

const UTC: &str = "+00:00";

fn field(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, false)
}

fn timestamp(name: &str) -> Field {
    field(name, DataType::Timestamp(TimeUnit::Millisecond, Some(UTC.into())))
}

/// The columns of `transactions`.
pub fn payments_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        field("tx_id", DataType::Utf8),
        timestamp("tx_time"),
        field("customer_id", DataType::Utf8),
        field("terminal_id", DataType::Utf8),
        field("amount", DataType::Float64),
        Field::new("country", DataType::Utf8, true),
    ]))
}

/// The columns of `labels`.
pub fn labels_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        field("tx_id", DataType::Utf8),
        timestamp("label_time"),
        timestamp("tx_time"),
        field("customer_id", DataType::Utf8),
        field("terminal_id", DataType::Utf8),
        field("fraud", DataType::Boolean),
    ]))
}

/// Payments as rows of `transactions`.
pub fn payments_batch(rows: &[Payment]) -> Result<RecordBatch, ArrowError> {
    let countries: StringArray = rows.iter().map(|p| p.country.map(Country::code)).collect();
    let columns: Vec<ArrayRef> = vec![
        text(rows.iter().map(|p| p.tx_id)),
        times(rows.iter().map(|p| p.tx_time_ms)),
        text(rows.iter().map(|p| p.customer)),
        text(rows.iter().map(|p| p.terminal)),
        Arc::new(Float64Array::from_iter_values(rows.iter().map(|p| p.amount))),
        Arc::new(countries),
    ];
    RecordBatch::try_new(payments_schema(), columns)
}

/// Labels as rows of `labels`.
pub fn labels_batch(rows: &[Label]) -> Result<RecordBatch, ArrowError> {
    let columns: Vec<ArrayRef> = vec![
        text(rows.iter().map(|l| l.tx_id)),
        times(rows.iter().map(|l| l.label_time_ms)),
        times(rows.iter().map(|l| l.tx_time_ms)),
        text(rows.iter().map(|l| l.customer)),
        text(rows.iter().map(|l| l.terminal)),
        Arc::new(rows.iter().map(|l| Some(l.fraud)).collect::<BooleanArray>()),
    ];
    RecordBatch::try_new(labels_schema(), columns)
}

fn times(ms: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(TimestampMillisecondArray::from_iter_values(ms).with_timezone(UTC))
}

fn text(ids: impl ExactSizeIterator<Item = impl Display>) -> ArrayRef {
    use std::fmt::Write;
    let mut builder = StringBuilder::with_capacity(ids.len(), 8 * ids.len());
    for id in ids {
        // Writing to a string builder cannot fail.
        let _ = write!(builder, "{id}");
        builder.append_value("");
    }
    Arc::new(builder.finish())
}

#[cfg(test)]
mod tests {
    use ::arrow::array::AsArray;
    use ::arrow::datatypes::{Float64Type, TimestampMillisecondType};

    use super::super::{Params, generate};
    use super::*;

    #[test]
    fn batches_hold_the_rows_in_the_topics_columns() {
        let params = Params { customers: 50, terminals: 50, days: 5, radius: 20.0, ..Params::default() };
        let payments = generate(&params);
        let labels: Vec<Label> = payments.iter().map(|p| Label::of(p, params.label_delay_ms)).collect();
        let (rows, outcomes) = (payments_batch(&payments).unwrap(), labels_batch(&labels).unwrap());
        assert_eq!((rows.num_rows(), outcomes.num_rows()), (payments.len(), payments.len()));
        for (i, p) in payments.iter().enumerate() {
            let string = |batch: &RecordBatch, name: &str| {
                batch.column_by_name(name).unwrap().as_string::<i32>().value(i).to_owned()
            };
            let time = |batch: &RecordBatch, name: &str| {
                batch.column_by_name(name).unwrap().as_primitive::<TimestampMillisecondType>().value(i)
            };
            for batch in [&rows, &outcomes] {
                assert_eq!(string(batch, "tx_id"), p.tx_id.to_string());
                assert_eq!(string(batch, "customer_id"), p.customer.to_string());
                assert_eq!(string(batch, "terminal_id"), p.terminal.to_string());
                assert_eq!(time(batch, "tx_time"), p.tx_time_ms);
            }
            assert_eq!(time(&outcomes, "label_time"), p.tx_time_ms + params.label_delay_ms);
            assert_eq!(rows["amount"].as_primitive::<Float64Type>().value(i), p.amount);
            assert_eq!(outcomes["fraud"].as_boolean().value(i), p.fraud);
            let country = rows["country"].as_string::<i32>();
            assert_eq!(country.iter().nth(i).unwrap(), p.country.map(Country::code));
        }
    }
}

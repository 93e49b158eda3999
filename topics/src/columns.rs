//! Columns that topic files name, checked against the schema that the rows have.

use arrow::datatypes::{DataType, Schema};

use crate::near::{did_you_mean, listed};
use crate::{Problem, Role, Topic};

/// Checks `key`, `id` and `time` of a topic against its rows' schema. For a derived topic this is made where the schema is derived.
pub fn check_columns(topic: &Topic, rows: &Schema) -> Vec<Problem> {
    let named = [
        ("key", topic.kafka.key.as_deref(), is_text as fn(&DataType) -> bool, "a string or an integer"),
        ("id", topic.id.as_deref(), is_text, "a string or an integer"),
        ("time", topic.time.as_deref(), is_time, "a timestamp (in Avro: long, logicalType timestamp-millis)"),
    ];
    let check = |(key, column, fits, wanted): (_, Option<&str>, fn(&DataType) -> bool, _)| {
        let message = check_column(rows, column?, fits, wanted)?;
        Some(topic.problem(key, message))
    };
    named.into_iter().filter_map(check).collect()
}

/// Checks the columns that a `[predictions]` topic names against those of the feature view that it scores. Topics of other roles have no problem.
pub fn check_predictions(topic: &Topic, features: &Schema) -> Vec<Problem> {
    let Role::Predictions(table) = &topic.role else { return Vec::new() };
    let unit = check_column(features, &table.unit, is_text, "a string or an integer");
    let context = table.context.iter().filter_map(|column| check_column(features, column, |_| true, ""));
    let unit = unit.into_iter().map(|message| topic.problem("predictions.unit", message));
    unit.chain(context.map(|message| topic.problem("predictions.context", message))).collect()
}

pub(crate) fn check_column(
    rows: &Schema,
    column: &str,
    fits: fn(&DataType) -> bool,
    wanted: &str,
) -> Option<String> {
    let names = || rows.fields().iter().map(|field| field.name().as_str());
    match rows.field_with_name(column) {
        Ok(field) if fits(field.data_type()) => None,
        Ok(field) => {
            Some(format!("column `{column}` is {}; name one that is {wanted}", type_name(field.data_type())))
        }
        Err(_) => {
            let hint = did_you_mean(column, names());
            Some(format!(
                "there is no column `{column}`{hint}{}",
                if hint.is_empty() { format!("; there are {}", listed(names())) } else { String::new() }
            ))
        }
    }
}

pub(crate) fn is_text(kind: &DataType) -> bool {
    kind.is_integer() || matches!(kind, DataType::Utf8)
}

fn is_time(kind: &DataType) -> bool {
    matches!(kind, DataType::Timestamp(_, _))
}

/// A type as a sentence names it: "a string", "a timestamp".
pub fn type_name(kind: &DataType) -> String {
    match kind {
        DataType::Utf8 => "a string".into(),
        DataType::Boolean => "a boolean".into(),
        DataType::Int32 => "an int".into(),
        DataType::Int64 => "a long".into(),
        DataType::Float32 => "a float".into(),
        DataType::Float64 => "a double".into(),
        DataType::Timestamp(_, _) => "a timestamp".into(),
        DataType::Binary => "bytes".into(),
        other => format!("{other}"),
    }
}

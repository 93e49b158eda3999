//! Plans as text, and refusals with their places.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};

use super::{Plan, View};
use crate::sql::Source;

fn time() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("+00:00".into()))
}

fn source(name: &str, key: &str, time_column: &str, columns: Vec<Field>) -> Source {
    Source { name: name.into(), schema: Arc::new(Schema::new(columns)), key: key.into(), time: time_column.into() }
}

fn fraud_sources() -> Vec<Source> {
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    vec![
        source(
            "labels",
            "customer_id",
            "label_time",
            vec![
                text("tx_id"),
                Field::new("label_time", time(), false),
                Field::new("tx_time", time(), false),
                text("customer_id"),
                text("terminal_id"),
                Field::new("fraud", DataType::Boolean, false),
            ],
        ),
        source(
            "transactions",
            "customer_id",
            "tx_time",
            vec![
                text("tx_id"),
                Field::new("tx_time", time(), false),
                text("customer_id"),
                text("terminal_id"),
                Field::new("amount", DataType::Float64, false),
                Field::new("country", DataType::Utf8, true),
            ],
        ),
    ]
}

fn plan(sql: &str) -> Result<Plan, Vec<String>> {
    let sources = fraud_sources();
    let view = View { sql, sources: &sources, key: None, lateness_ms: 172_800_000, horizon_ms: None };
    Plan::new(&view).map_err(|refusals| refusals.iter().map(ToString::to_string).collect())
}

#[test]
fn the_fraud_view_needs_one_hop() {
    let plan = plan(include_str!("../../../../topics/fraud/features.sql")).unwrap();
    println!("{plan}");
    assert_eq!(plan.to_string(), "");
}

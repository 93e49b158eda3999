//! What the tests share: the models of `testdata/` and rows for them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use millrace_schemas::envelope::{Alert, Deployment, Record as _, ScorerStats, prediction};
use millrace_schemas::{Format, TopicSchema};
use millrace_topics::{
    Application, DeploymentsTable, KafkaTopic, ModelRef, Partitioner, PredictionsTable, Role, Topic,
};
use serde::Deserialize;

use crate::deployed::Deployed;
use crate::loading::load;
use crate::version::{FeatureColumns, Version};

/// Scores that `testdata/make_models.py` computed without ONNX Runtime.
#[derive(Deserialize)]
pub(crate) struct Golden {
    /// amount, night, customer_tx_1d.
    pub(crate) rows: Vec<[f64; 3]>,
    pub(crate) logistic: Vec<f64>,
    pub(crate) trees: Vec<f64>,
    pub(crate) linear: Vec<f64>,
}

pub(crate) fn golden() -> Golden {
    serde_json::from_str(include_str!("../testdata/golden.json")).unwrap()
}

pub(crate) fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/models")
}

pub(crate) fn version_named(model: &str) -> ModelRef {
    ModelRef { model: model.into(), version: "1".into() }
}

pub(crate) fn prediction_schema() -> SchemaRef {
    TopicSchema::parse(prediction::AVRO).unwrap().arrow().clone()
}

/// Columns of a feature view, nullable as derived ones are.
pub(crate) fn feature_schema() -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Millisecond, Some("+00:00".into()));
    Arc::new(Schema::new(vec![
        Field::new("tx_id", DataType::Utf8, true),
        Field::new("tx_time", time, true),
        Field::new("customer_id", DataType::Int64, true),
        Field::new("country", DataType::Utf8, true),
        Field::new("amount", DataType::Float64, true),
        Field::new("night", DataType::Int64, true),
        Field::new("customer_tx_1d", DataType::Int64, true),
    ]))
}

pub(crate) fn feature_columns() -> FeatureColumns {
    FeatureColumns { topic: "fraud.features".into(), schema: feature_schema() }
}

pub(crate) fn version(model: &str) -> Version {
    Version::load(&models(), &version_named(model), &feature_columns(), 1).unwrap()
}

/// A deployment of a champion alone.
pub(crate) fn deployed(model: &str, offset: i64) -> Deployed {
    follow(&Deployment::champion("predictions", model, "1", 0), offset)
}

pub(crate) fn follow(deployment: &Deployment, offset: i64) -> Deployed {
    load(&models(), (offset, deployment), &feature_columns(), false, None).unwrap()
}

/// Feature rows of `testdata`'s, numbered; every third country is NULL.
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn feature_rows(rows: &[[f64; 3]]) -> RecordBatch {
    let n = rows.len() as i64;
    let whole = |column: usize| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row[column] as i64)))
    };
    let times =
        TimestampMillisecondArray::from_iter_values((0..n).map(|i| 1_000 * i)).with_timezone("+00:00");
    let countries: StringArray =
        (0..n).map(|i| (i % 3 != 0).then_some(["FR", "BE"][i as usize % 2])).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values((0..n).map(|i| format!("t{i}")))),
        Arc::new(times),
        Arc::new(Int64Array::from_iter_values((0..n).map(|i| i % 5))),
        Arc::new(countries),
        Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row[0]))),
        whole(1),
        whole(2),
    ];
    RecordBatch::try_new(feature_schema(), columns).unwrap()
}

/// The batch with one cell set to NULL.
pub(crate) fn with_null(rows: &RecordBatch, column: &str, row: usize) -> RecordBatch {
    let index = rows.schema().index_of(column).unwrap();
    let mut columns = rows.columns().to_vec();
    let null = arrow::array::new_null_array(columns[index].data_type(), 1);
    let parts =
        [columns[index].slice(0, row), null, columns[index].slice(row + 1, rows.num_rows() - row - 1)];
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    columns[index] = arrow::compute::concat(&parts).unwrap();
    RecordBatch::try_new(rows.schema(), columns).unwrap()
}

/// The texts of a string column.
pub(crate) fn texts(column: &ArrayRef) -> Vec<Option<&str>> {
    column.as_string::<i32>().iter().collect()
}

fn topic(stem: &str, schema: Option<TopicSchema>, role: Role) -> Topic {
    Topic {
        stem: stem.into(),
        file: PathBuf::from(format!("fraud/{stem}.toml")),
        title: stem.into(),
        kafka: KafkaTopic {
            name: format!("fraud.{stem}"),
            format: Format::Avro,
            schema: schema.map(Arc::new),
            key: None,
            partitioner: Partitioner::Murmur2,
            partitions: 1,
            retention_ms: None,
            settings: BTreeMap::new(),
        },
        time: (stem == "features").then(|| "tx_time".into()),
        id: (stem == "features").then(|| "tx_id".into()),
        max_ahead_ms: 0,
        role,
        lines: BTreeMap::from([("deployments.first.predictions".into(), 12)]),
    }
}

/// An application whose model repository is `testdata/models`.
pub(crate) fn application(first: &[(&str, &str)]) -> Application {
    let table = PredictionsTable {
        features: "features".into(),
        unit: "customer_id".into(),
        context: vec!["country".into()],
        explore: None,
    };
    let first =
        first.iter().map(|(stem, model)| ((*stem).to_owned(), ModelRef::parse(model).unwrap())).collect();
    let avro = |text| Some(TopicSchema::parse(text).unwrap());
    let features = TopicSchema::derive("fraud", "features", &feature_schema()).unwrap();
    Application {
        name: "fraud".into(),
        folder: models().parent().unwrap().to_owned(),
        definitions: Vec::new(),
        unsound: Vec::new(),
        draft_files: BTreeMap::new(),
        topics: vec![
            topic("dead-letters", None, Role::DeadLetters),
            topic("deployments", avro(Deployment::AVRO), Role::Deployments(DeploymentsTable { first })),
            topic("features", Some(features), Role::Source),
            topic("predictions", avro(prediction::AVRO), Role::Predictions(table)),
            topic("alerts", avro(Alert::AVRO), Role::Alerts),
            topic("scorer-stats", avro(ScorerStats::AVRO), Role::ScorerStats),
        ],
    }
}

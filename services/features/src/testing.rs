//! What tests of this crate share: the fraud application, made-up payments with labels, and their features by definition.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, StringArray, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::record_batch::RecordBatch;
use millrace_statistics::random::Random;
use millrace_topics::Application;

use crate::sql::Source;

pub(crate) fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("+00:00".into()))
}

pub(crate) fn source(name: &str, key: &str, time: &str, columns: &[(&str, DataType, bool)]) -> Source {
    let fields: Vec<Field> =
        columns.iter().map(|(name, kind, null)| Field::new(*name, kind.clone(), *null)).collect();
    Source { name: name.into(), schema: Arc::new(Schema::new(fields)), key: key.into(), time: time.into() }
}

/// The sources of the fraud application.
pub(crate) fn fraud_sources() -> Vec<Source> {
    let text = DataType::Utf8;
    vec![
        source(
            "labels",
            "customer_id",
            "label_time",
            &[
                ("tx_id", text.clone(), false),
                ("label_time", time_type(), false),
                ("tx_time", time_type(), false),
                ("customer_id", text.clone(), false),
                ("terminal_id", text.clone(), false),
                ("fraud", DataType::Boolean, false),
            ],
        ),
        source(
            "transactions",
            "customer_id",
            "tx_time",
            &[
                ("tx_id", text.clone(), false),
                ("tx_time", time_type(), false),
                ("customer_id", text.clone(), false),
                ("terminal_id", text.clone(), false),
                ("amount", DataType::Float64, false),
                ("country", text, true),
            ],
        ),
    ]
}

/// The fraud application of the repository.
pub(crate) fn fraud() -> Application {
    let topics = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../topics");
    millrace_topics::load(&topics, "fraud").unwrap()
}

/// One payment; its label comes 6 days later.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Payment {
    pub id: usize,
    /// Seconds since 1970.
    pub time: i64,
    pub customer: u64,
    pub terminal: u64,
    pub amount: f64,
    pub fraud: bool,
}

pub(crate) const DAY: i64 = 86_400;
const LABEL_DELAY: i64 = 6 * DAY;

impl Payment {
    pub(crate) fn label_time(&self) -> i64 {
        self.time + LABEL_DELAY
    }
}

/// Payments in order of time, often at the same second, spread over `days`.
pub(crate) fn payments(count: usize, days: i64, seed: u64) -> Vec<Payment> {
    let mut random = Random::of(seed);
    let start = 1_522_540_800;
    let mut times: Vec<i64> = (0..count)
        .map(|_| start + i64::try_from(random.below(usize::try_from(days * 240).unwrap())).unwrap() * 360)
        .collect();
    times.sort_unstable();
    times
        .into_iter()
        .enumerate()
        .map(|(id, time)| Payment {
            id,
            time,
            customer: random.below(40) as u64,
            terminal: random.below(25) as u64,
            amount: f64::from(u32::try_from(random.below(1_000_000)).unwrap()) / 100.0,
            fraud: random.below(5) == 0,
        })
        .collect()
}

fn strings(values: impl Iterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn times(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(TimestampMillisecondArray::from_iter_values(values.map(|s| s * 1_000)).with_timezone("+00:00"))
}

/// Payments as rows of `transactions`.
pub(crate) fn transactions(payments: &[Payment]) -> RecordBatch {
    let schema = fraud_sources()[1].schema.clone();
    let country = payments.iter().map(|p| (p.customer % 3 > 0).then(|| format!("C{}", p.customer % 3)));
    RecordBatch::try_new(
        schema,
        vec![
            strings(payments.iter().map(|p| p.id.to_string())),
            times(payments.iter().map(|p| p.time)),
            strings(payments.iter().map(|p| p.customer.to_string())),
            strings(payments.iter().map(|p| p.terminal.to_string())),
            Arc::new(Float64Array::from_iter_values(payments.iter().map(|p| p.amount))),
            Arc::new(country.collect::<StringArray>()),
        ],
    )
    .unwrap()
}

/// Labels of payments as rows of `labels`.
pub(crate) fn labels(payments: &[Payment]) -> RecordBatch {
    let schema = fraud_sources()[0].schema.clone();
    RecordBatch::try_new(
        schema,
        vec![
            strings(payments.iter().map(|p| p.id.to_string())),
            times(payments.iter().map(Payment::label_time)),
            times(payments.iter().map(|p| p.time)),
            strings(payments.iter().map(|p| p.customer.to_string())),
            strings(payments.iter().map(|p| p.terminal.to_string())),
            Arc::new(payments.iter().map(|p| Some(p.fraud)).collect::<BooleanArray>()),
        ],
    )
    .unwrap()
}

/// The 14 features after the amount, by their definition: windows are (t - w, t], a terminal's end 7 days ago.
pub(crate) fn features_by_definition(payments: &[Payment], i: usize) -> Vec<f64> {
    let payment = &payments[i];
    let t = payment.time;
    // 1970-01-01 was a Thursday.
    let weekday = (t.div_euclid(DAY) + 4).rem_euclid(7);
    let mut features = vec![
        f64::from(u8::from(weekday == 0 || weekday == 6)),
        f64::from(u8::from(t.rem_euclid(DAY) / 3_600 <= 6)),
    ];
    let ratio = |sum: f64, count: f64| if count == 0.0 { 0.0 } else { sum / count };
    for w in [1, 7, 30] {
        let window = payments[..=i]
            .iter()
            .filter(|p| p.customer == payment.customer && p.time > t - w * DAY && p.time <= t);
        let amounts: Vec<f64> = window.map(|p| p.amount).collect();
        let count = f64::from(u32::try_from(amounts.len()).unwrap());
        features.extend([count, ratio(amounts.iter().sum(), count)]);
    }
    for w in [1, 7, 30] {
        let end = t - 7 * DAY;
        let window: Vec<&Payment> = payments
            .iter()
            .filter(|p| p.terminal == payment.terminal && p.time > end - w * DAY && p.time <= end)
            .collect();
        let count = f64::from(u32::try_from(window.len()).unwrap());
        let frauds = f64::from(u32::try_from(window.iter().filter(|p| p.fraud).count()).unwrap());
        features.extend([count, ratio(frauds, count)]);
    }
    features
}

/// The names of those features.
pub(crate) const FEATURES: [&str; 14] = [
    "weekend",
    "night",
    "customer_tx_1d",
    "customer_avg_1d",
    "customer_tx_7d",
    "customer_avg_7d",
    "customer_tx_30d",
    "customer_avg_30d",
    "terminal_tx_1d",
    "terminal_risk_1d",
    "terminal_tx_7d",
    "terminal_risk_7d",
    "terminal_tx_30d",
    "terminal_risk_30d",
];

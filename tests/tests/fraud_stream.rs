//! The main job through real servers: 200,000 payments with their labels, four partitions, two workers.
//!
//! Whatever the delivery mode, the order of arrival or a killed process, the topics and Redis hold what `backfill` says.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Result, ensure};
use arrow::array::{Array, AsArray};
use arrow::datatypes::Float64Type;
use arrow::record_batch::RecordBatch;
use millrace_tests::application::Application;
use millrace_tests::foreign::Producer;
use millrace_tests::millrace::{Millrace, Service};
use millrace_tests::payments::{self, Order, Payments};
use millrace_tests::rows::{
    column, ensure_equal, ensure_equal_by, ids, last_of_each, read_parquet, take, texts,
};
use millrace_tests::stack::Stack;
use millrace_tests::{reader, reaper};

const PAYMENTS: usize = 200_000;
const CUSTOMERS: u32 = 1_000;
const DAYS: u32 = 100;
const SIX_HOURS_MS: i64 = 6 * 3_600_000;
const DONE_WITHIN: Duration = Duration::from_secs(600);

const CUSTOMER_FIELDS: [&str; 6] = [
    "customer_tx_1d",
    "customer_avg_1d",
    "customer_tx_7d",
    "customer_avg_7d",
    "customer_tx_30d",
    "customer_avg_30d",
];
const TERMINAL_FIELDS: [&str; 6] = [
    "terminal_tx_1d",
    "terminal_risk_1d",
    "terminal_tx_7d",
    "terminal_risk_7d",
    "terminal_tx_30d",
    "terminal_risk_30d",
];

#[test]
fn payments_produced_live_are_featured_and_scored_once_each_exactly_once() {
    live("exactly-once").unwrap();
}

#[test]
fn payments_produced_live_are_featured_and_scored_once_each_at_least_once() {
    live("at-least-once").unwrap();
}

#[test]
fn payments_then_labels_produced_before_the_start_give_the_same_exactly_once() {
    all_before_the_start("exactly-once").unwrap();
}

#[test]
fn payments_then_labels_produced_before_the_start_give_the_same_at_least_once() {
    all_before_the_start("at-least-once").unwrap();
}

#[test]
fn a_killed_features_process_is_continued_by_more_workers_without_a_trace_exactly_once() {
    killed_half_way("exactly-once").unwrap();
}

#[test]
fn a_killed_features_process_is_continued_by_more_workers_with_equal_repeats_at_least_once() {
    killed_half_way("at-least-once").unwrap();
}

fn live(delivery: &str) -> Result<()> {
    let run = Run::new(delivery)?;
    let services = [run.features(2)?, run.scorer()?];
    run.producer()?.flush_every_ms(SIX_HOURS_MS).publish(&input()?.lines(Order::Merged)?)?;
    run.wait_until_done()?;
    run.stop(services)?;
    run.check(Repeats::None)
}

fn all_before_the_start(delivery: &str) -> Result<()> {
    let run = Run::new(delivery)?;
    run.producer()?.publish(&input()?.lines(Order::PaymentsFirst)?)?;
    let services = [run.features(2)?, run.scorer()?];
    run.wait_until_done()?;
    run.stop(services)?;
    run.check(Repeats::None)
}

fn killed_half_way(delivery: &str) -> Result<()> {
    let run = Run::new(delivery)?;
    let scorer = run.scorer()?;
    let mut features = run.features(2)?;
    let publishing = run.producer()?.flush_every_ms(SIX_HOURS_MS).start(&input()?.lines(Order::Merged)?)?;
    reader::wait_for_origins(run.stack, &run.app.topic("features"), PAYMENTS / 2, DONE_WITHIN)?;
    features.process.kill()?;
    let features = run.features(3)?;
    publishing.finish()?;
    run.wait_until_done()?;
    run.stop([features, scorer])?;
    run.check(if delivery == "exactly-once" { Repeats::None } else { Repeats::Equal })
}

/// Whether a topic may hold an event more than once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeats {
    None,
    Equal,
}

/// One application with its own topics on the shared servers.
struct Run {
    stack: &'static Stack,
    app: Application,
    delivery: String,
}

impl Run {
    fn new(delivery: &str) -> Result<Self> {
        let run = Self {
            stack: Stack::shared()?,
            app: Application::copy("fraud")?,
            delivery: delivery.to_string(),
        };
        run.millrace().succeed(&["topics", "apply", "{app}"], Duration::from_secs(60))?;
        Ok(run)
    }

    fn millrace(&self) -> Millrace<'_> {
        Millrace::new(self.stack, &self.app).env("MILLRACE_DELIVERY", &self.delivery)
    }

    fn features(&self, workers: usize) -> Result<Service> {
        self.millrace().start(&["features", "{app}", "--workers", &workers.to_string()])
    }

    fn scorer(&self) -> Result<Service> {
        self.millrace().start(&["scorer", "{app}"])
    }

    fn producer(&self) -> Result<Producer<'_>> {
        Ok(Producer::new(self.stack, self.app.name(), payments::topics()?))
    }

    fn wait_until_done(&self) -> Result<()> {
        for stem in ["features", "predictions"] {
            reader::wait_for_origins(self.stack, &self.app.topic(stem), PAYMENTS, DONE_WITHIN)?;
        }
        Ok(())
    }

    /// Ends the services in the order of the data, so that nothing that one wrote is left to the next.
    fn stop(&self, services: [Service; 2]) -> Result<()> {
        services.into_iter().try_for_each(Service::stop)
    }

    fn check(&self, repeats: Repeats) -> Result<()> {
        let expected = expected()?;
        let features = self.rows("features", "tx_id", repeats)?;
        ensure_equal_by("tx_id", &features, expected)?;
        let predictions = self.rows("predictions", "id", repeats)?;
        check_predictions(&predictions, expected)?;
        self.check_store("customer_id", &CUSTOMER_FIELDS, expected)?;
        self.check_store("terminal_id", &TERMINAL_FIELDS, expected)?;
        let rejected = reader::read_all(self.stack, &self.app.topic("dead-letters"))?;
        ensure!(rejected.is_empty(), "{} records in the dead letters", rejected.len());
        Ok(())
    }

    /// The rows of a topic, the first of each id; where repeats are allowed, each must equal the first.
    fn rows(&self, stem: &str, id: &str, repeats: Repeats) -> Result<RecordBatch> {
        let topic = self.app.topic(stem);
        let rows = reader::decode(self.stack, &topic, &reader::read_all(self.stack, &topic)?)?;
        if repeats == Repeats::None {
            return Ok(rows);
        }
        let mut first = HashMap::new();
        let (mut firsts, mut again, mut their_first) = (Vec::new(), Vec::new(), Vec::new());
        for (row, id) in ids(&rows, id)?.into_iter().enumerate() {
            match first.get(&id) {
                Some(first) => {
                    again.push(row);
                    their_first.push(*first);
                }
                None => {
                    first.insert(id, row);
                    firsts.push(row);
                }
            }
        }
        ensure_equal(&take(&rows, again)?, &take(&rows, their_first)?)?;
        take(&rows, firsts)
    }

    /// Redis holds, for each key, the fields of its last row, as numbers that are bit for bit those of the topic.
    fn check_store(&self, entity: &str, fields: &[&str], expected: &RecordBatch) -> Result<()> {
        let prefix = format!("millrace:{}:features:{entity}:", self.app.name());
        let hashes = self.stack.redis.hashes(&prefix)?;
        let last = last_of_each(expected, entity)?;
        ensure!(hashes.len() == last.len(), "{} keys {prefix}*, {} expected", hashes.len(), last.len());
        let time = millis(expected, "tx_time")?;
        for (key, row) in &last {
            let name = format!("{prefix}{key}");
            let hash = hashes.get(&name).ok_or_else(|| anyhow::anyhow!("no {name}"))?;
            let mut names: Vec<&str> = hash.keys().map(String::as_str).collect();
            names.sort_unstable();
            let mut wanted: Vec<&str> = fields.iter().copied().chain(["_time", "_version"]).collect();
            wanted.sort_unstable();
            ensure!(names == wanted, "{name} has the fields {names:?}");
            ensure!(
                hash["_time"] == time[*row].to_string(),
                "{name}: _time {} instead of {}",
                hash["_time"],
                time[*row]
            );
            for field in fields {
                let value = number(expected, field, *row)?;
                let stored: f64 = hash[*field].parse()?;
                ensure!(stored.to_bits() == value.to_bits(), "{name}: {field} is {stored}, not {value}");
            }
        }
        if let Some(key) = last.keys().next() {
            ensure!(self.stack.redis.ttl_ms(&format!("{prefix}{key}"))?.is_some(), "no time to live");
        }
        Ok(())
    }
}

fn check_predictions(predictions: &RecordBatch, expected: &RecordBatch) -> Result<()> {
    let order = |rows: &RecordBatch, id: &str| -> Result<HashMap<String, usize>> {
        Ok(ids(rows, id)?.into_iter().enumerate().map(|(row, id)| (id, row)).collect())
    };
    let rows = order(predictions, "id")?;
    ensure!(
        predictions.num_rows() == PAYMENTS && rows.len() == PAYMENTS,
        "{} predictions",
        predictions.num_rows()
    );
    let (unit, customer) = (texts(predictions, "unit")?, texts(expected, "customer_id")?);
    let (time, tx_time) = (millis(predictions, "time")?, millis(expected, "tx_time")?);
    let scores = column(predictions, "score")?.as_primitive::<Float64Type>();
    for (id, expected_row) in order(expected, "tx_id")? {
        let Some(&row) = rows.get(&id) else { anyhow::bail!("no prediction of {id}") };
        ensure!(unit[row] == customer[expected_row], "{id}: unit {:?}", unit[row]);
        ensure!(time[row] == tx_time[expected_row], "{id}: time {}", time[row]);
        ensure!((0.0..=1.0).contains(&scores.value(row)), "{id}: score {}", scores.value(row));
    }
    // The features are equal to the last bit, so two runs that score the same payment must agree to the last bit too.
    static FIRST_RUN: OnceLock<RecordBatch> = OnceLock::new();
    let compared = ["id", "model", "version", "role", "score", "decision"];
    let indices = compared.iter().map(|name| predictions.schema().index_of(name));
    let predictions = predictions.project(&indices.collect::<Result<Vec<_>, _>>()?)?;
    ensure_equal_by("id", &predictions, FIRST_RUN.get_or_init(|| predictions.clone()))
}

fn millis(rows: &RecordBatch, name: &str) -> Result<Vec<i64>> {
    use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMillisecondType};
    let utc = DataType::Timestamp(TimeUnit::Millisecond, Some("+00:00".into()));
    let times = arrow::compute::cast(column(rows, name)?, &utc)?;
    let times = times.as_primitive::<TimestampMillisecondType>().reinterpret_cast::<Int64Type>();
    Ok(times.values().to_vec())
}

fn number(rows: &RecordBatch, name: &str, row: usize) -> Result<f64> {
    let value =
        arrow::compute::cast(&column(rows, name)?.slice(row, 1), &arrow::datatypes::DataType::Float64)?;
    ensure!(value.is_valid(0), "{name} is NULL");
    Ok(value.as_primitive::<Float64Type>().value(0))
}

fn input() -> Result<&'static Payments> {
    static INPUT: OnceLock<Result<Payments>> = OnceLock::new();
    let input = INPUT.get_or_init(|| Payments::generate(PAYMENTS, CUSTOMERS, DAYS));
    input.as_ref().map_err(|error| anyhow::anyhow!("{error:#}"))
}

/// What `backfill` says of the same payments and labels.
fn expected() -> Result<&'static RecordBatch> {
    static EXPECTED: OnceLock<Result<RecordBatch>> = OnceLock::new();
    EXPECTED.get_or_init(backfill).as_ref().map_err(|error| anyhow::anyhow!("{error:#}"))
}

fn backfill() -> Result<RecordBatch> {
    let (app, folder, input) = (Application::copy("fraud")?, reaper::temporary_folder()?, input()?);
    let output = folder.path().join("features.parquet");
    let source = |name: &str| format!("{name}={}", input.parquet(name).display());
    let (transactions, labels) = (source("transactions"), source("labels"));
    let words = ["backfill", "{app}", "features", "--input", &transactions, "--input", &labels, "--output"];
    let output_path = output.display().to_string();
    let words: Vec<&str> = words.into_iter().chain([output_path.as_str()]).collect();
    Millrace::offline(&app).succeed(&words, Duration::from_secs(300))?;
    let rows = read_parquet(&output)?;
    ensure!(rows.num_rows() == PAYMENTS, "backfill wrote {} rows of {PAYMENTS}", rows.num_rows());
    Ok(rows)
}

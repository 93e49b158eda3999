//! Reads what the services write: predictions, the features behind them, dead letters.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use arrow::array::{Array, AsArray as _, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, TimestampMillisecondType};
use millrace_load::fraud::Payment;
use millrace_runtime::Shutdown;
use millrace_schemas::envelope::{DriftEvent, Record as _, RetrainRequest};
use millrace_topics::Application;

use super::alert::{Alert, Features, stands_out};
use super::course::Course;
use super::latency::{Histogram, Percentiles};
use super::topic::Topic;
use super::view::Snapshot;
use super::watched::Watched;
use crate::application::kafka_topics;
use crate::embedded::Embedded;

const APPROVE: &str = "approve";
const NEWEST: usize = 14;
const RECENT: Duration = Duration::from_secs(2);
/// Rows of features kept until their prediction comes; what is in flight is far less.
const FEATURES_KEPT: usize = 200_000;

/// What was seen of every payment.
#[derive(Debug, Default, Clone)]
pub struct Scores {
    /// The score of each payment; NaN where there is none.
    pub score: Vec<f64>,
    /// Rows of the feature topic.
    pub features: u64,
    /// Predictions.
    pub predictions: u64,
    /// Dead letters.
    pub rejected: u64,
    /// From the first payment to the last prediction, in seconds.
    pub seconds: f64,
    /// From publishing a payment to reading its prediction, those sent ahead left out.
    pub latency: Histogram,
    /// Alerts, and the frauds among them.
    pub alerts: (u64, u64),
    /// What the drift service said.
    pub watched: Watched,
}

#[derive(Default)]
struct Seen {
    scores: Scores,
    time_ms: i64,
    newest: VecDeque<Alert>,
    recent: Histogram,
    recent_since: Option<(Instant, u64)>,
    shown: (f64, Option<Percentiles>),
    failure: Option<anyhow::Error>,
}

/// The reader of what the services write.
pub struct Observer {
    seen: Arc<Mutex<Seen>>,
    thread: JoinHandle<()>,
    course: Course,
    start_ms: i64,
}

impl Observer {
    /// Begins to read; `payments` are those that will be published.
    pub fn start(
        embedded: &Embedded,
        app: &Application,
        payments: &[Payment],
        course: Course,
        shutdown: Shutdown,
    ) -> Result<Self> {
        let seen = Arc::new(Mutex::new(Seen::default()));
        lock(&seen).scores.score = vec![f64::NAN; payments.len()];
        let topics = kafka_topics(app)?;
        let registry = &embedded.environment.registry;
        let open = |name: &str| Topic::open(&embedded.client, &embedded.flow, registry, &topics, name);
        let mut reader = Reader {
            features: open("fraud.features")?,
            predictions: open("fraud.predictions")?,
            dead_letters: open("fraud.dead-letters")?,
            drift: open("fraud.drift")?,
            requests: open("fraud.retrain-requests")?,
            known: HashMap::new(),
            payments: payments.to_vec(),
            course: course.clone(),
            seen: seen.clone(),
        };
        let run = move || {
            while !shutdown.requested() {
                if let Err(error) = reader.step() {
                    lock(&reader.seen).failure = Some(error);
                    shutdown.request();
                }
            }
        };
        let thread = std::thread::Builder::new().name("observer".into()).spawn(run)?;
        Ok(Self { seen, thread, course, start_ms: payments.first().map_or(0, |p| p.tx_time_ms) })
    }

    /// How things stand.
    pub fn snapshot(&self, total: u64) -> Snapshot {
        let published = self.course.published() as u64;
        let mut seen = lock(&self.seen);
        seen.refresh();
        Snapshot {
            payments: published,
            total,
            features: seen.scores.features,
            predictions: seen.scores.predictions,
            rejected: seen.scores.rejected,
            rows_per_s: seen.shown.0,
            latency: seen.shown.1,
            stream_time_ms: seen.time_ms.max(self.start_ms),
            start_ms: self.start_ms,
            alerts: seen.scores.alerts,
            newest: seen.newest.iter().cloned().collect(),
            watched: seen.scores.watched.lines(),
        }
    }

    /// What was seen; called after the end was asked for.
    pub fn stop(self) -> Result<Scores> {
        self.thread.join().map_err(|_| anyhow!("the observer panicked"))?;
        let mut seen = lock(&self.seen);
        seen.failure.take().map_or_else(|| Ok(seen.scores.clone()), Err)
    }
}

impl Seen {
    /// Rate and latency of the last two seconds.
    fn refresh(&mut self) {
        let predictions = self.scores.predictions;
        let (since, before) = *self.recent_since.get_or_insert((Instant::now(), predictions));
        let elapsed = since.elapsed();
        if elapsed >= RECENT {
            self.shown = ((predictions - before) as f64 / elapsed.as_secs_f64(), self.recent.percentiles());
            self.recent.clear();
            self.recent_since = Some((Instant::now(), predictions));
        }
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Reader {
    features: Topic,
    predictions: Topic,
    dead_letters: Topic,
    drift: Topic,
    requests: Topic,
    known: HashMap<usize, Features>,
    payments: Vec<Payment>,
    course: Course,
    seen: Arc<Mutex<Seen>>,
}

impl Reader {
    fn step(&mut self) -> Result<()> {
        let predictions = self.predictions.rows(Duration::from_millis(5))?;
        while let Some(rows) = self.features.rows(Duration::ZERO)? {
            self.take_features(&rows)?;
        }
        if let Some(rows) = predictions {
            self.take_predictions(&rows)?;
        }
        if let Some(rows) = self.dead_letters.rows(Duration::ZERO)? {
            lock(&self.seen).scores.rejected += rows.num_rows() as u64;
        }
        if let Some(rows) = self.drift.rows(Duration::ZERO)? {
            lock(&self.seen).scores.watched.reports(&DriftEvent::from_batch(&rows)?);
        }
        if let Some(rows) = self.requests.rows(Duration::ZERO)? {
            lock(&self.seen).scores.watched.requests(RetrainRequest::from_batch(&rows)?);
        }
        let seen = lock(&self.seen);
        self.course.settle(seen.scores.predictions + seen.scores.rejected);
        Ok(())
    }

    fn take_features(&mut self, rows: &RecordBatch) -> Result<()> {
        let ids = positions(rows, "tx_id")?;
        let column = |name: &str| numbers(rows, name);
        let columns = [
            column("amount")?,
            column("customer_tx_1d")?,
            column("customer_tx_30d")?,
            column("customer_avg_30d")?,
            column("terminal_risk_1d")?,
            column("terminal_risk_7d")?,
            column("terminal_risk_30d")?,
        ];
        if self.known.len() > FEATURES_KEPT {
            self.known.clear();
        }
        for (row, id) in ids.iter().enumerate() {
            let [amount, tx_1d, tx_30d, avg_30d, risk_1d, risk_7d, risk_30d] =
                columns.each_ref().map(|c| c.get(row).copied().unwrap_or_default());
            self.known.insert(
                *id,
                Features {
                    amount,
                    customer_tx_1d: tx_1d,
                    customer_tx_30d: tx_30d,
                    customer_avg_30d: avg_30d,
                    terminal_risk_1d: risk_1d,
                    terminal_risk_7d: risk_7d,
                    terminal_risk_30d: risk_30d,
                },
            );
        }
        lock(&self.seen).scores.features += rows.num_rows() as u64;
        Ok(())
    }

    fn take_predictions(&mut self, rows: &RecordBatch) -> Result<()> {
        let now_us = self.course.now_us();
        let (ids, scores) = (positions(rows, "id")?, numbers(rows, "score")?);
        let times = column(rows, "time")?.as_primitive::<TimestampMillisecondType>();
        let decisions = column(rows, "decision")?.as_string::<i32>();
        let mut seen = lock(&self.seen);
        for (row, (id, score)) in ids.iter().zip(&scores).enumerate() {
            let payment =
                self.payments.get(*id).with_context(|| format!("payment {id} was never published"))?;
            let features = self.known.remove(id);
            if let Some(slot) = seen.scores.score.get_mut(*id) {
                if !slot.is_nan() {
                    continue; // at least once: an equal repeat
                }
                *slot = *score;
            }
            seen.scores.predictions += 1;
            if let Some(latency_us) = self.course.latency_us(*id, now_us) {
                seen.scores.latency.add(latency_us);
                seen.recent.add(latency_us);
            }
            seen.time_ms = seen.time_ms.max(times.value(row));
            if decisions.value(row) != APPROVE {
                seen.scores.alerts.0 += 1;
                seen.scores.alerts.1 += u64::from(payment.fraud);
                seen.newest.push_front(alert(payment, *score, features.as_ref()));
                seen.newest.truncate(NEWEST);
            }
        }
        seen.scores.seconds = now_us as f64 / 1e6;
        Ok(())
    }
}

fn alert(payment: &Payment, score: f64, features: Option<&Features>) -> Alert {
    Alert {
        time_ms: payment.tx_time_ms,
        customer: payment.customer.to_string(),
        amount: payment.amount,
        score,
        fraud: payment.fraud,
        stands_out: features.map(stands_out).unwrap_or_default(),
    }
}

fn column<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a Arc<dyn Array>> {
    rows.column_by_name(name).with_context(|| format!("there is no column `{name}`"))
}

fn numbers(rows: &RecordBatch, name: &str) -> Result<Vec<f64>> {
    let values = cast(column(rows, name)?, &DataType::Float64)?;
    Ok(values.as_primitive::<Float64Type>().iter().map(|v| v.unwrap_or(f64::NAN)).collect())
}

fn positions(rows: &RecordBatch, name: &str) -> Result<Vec<usize>> {
    let ids = column(rows, name)?.as_string::<i32>();
    ids.iter().map(|id| Ok(id.unwrap_or_default().parse()?)).collect()
}

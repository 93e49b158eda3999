//! What is measured, named in one place.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// Seconds from Kafka's timestamp of the event at the root of the chain to the commit of what it caused.
pub const LATENCY_SECONDS: &str = "millrace_latency_seconds";
/// Rows of a batch.
pub const BATCH_ROWS: &str = "millrace_batch_rows";

/// One stage's numbers, all workers together.
pub struct StageMetrics {
    service: String,
    stage: String,
    /// Rows taken live.
    pub rows_in: Counter,
    /// Rows produced.
    pub rows_out: Counter,
    /// Rows that the view's own SQL filtered.
    pub filtered: Counter,
    /// Rows that came too late to count.
    pub late: Counter,
    /// Rows that at-least-once delivery repeated.
    pub repeated: Counter,
    /// Rows taken again to rebuild state.
    pub rebuilt: Counter,
    /// Rows before the view's start.
    pub warmed: Counter,
    /// Waits for other partitions, or for an input, that took too long.
    pub overdue: Counter,
    /// Times that a task stopped because other partitions lay too far behind.
    pub waits: Counter,
    /// Rows of a batch.
    pub batch_rows: Histogram,
    /// See [`LATENCY_SECONDS`].
    pub latency: Histogram,
}

impl StageMetrics {
    /// The numbers of a stage of a service.
    pub fn new(service: &str, stage: &str) -> Self {
        let labels = [("service", service.to_owned()), ("stage", stage.to_owned())];
        Self {
            service: service.to_owned(),
            stage: stage.to_owned(),
            rows_in: counter!("millrace_rows_in_total", &labels),
            rows_out: counter!("millrace_rows_out_total", &labels),
            filtered: counter!("millrace_rows_filtered_total", &labels),
            late: counter!("millrace_rows_late_total", &labels),
            repeated: counter!("millrace_rows_repeated_total", &labels),
            rebuilt: counter!("millrace_rows_rebuilt_total", &labels),
            warmed: counter!("millrace_rows_warmed_total", &labels),
            overdue: counter!("millrace_waits_overdue_total", &labels),
            waits: counter!("millrace_alignment_waits_total", &labels),
            batch_rows: histogram!(BATCH_ROWS, &labels),
            latency: histogram!(LATENCY_SECONDS, &labels),
        }
    }

    /// A record went to the dead letters.
    pub fn rejected(&self, reason: &str) {
        let labels =
            [("service", self.service.clone()), ("stage", self.stage.clone()), ("reason", reason.to_owned())];
        counter!("millrace_rows_rejected_total", &labels).increment(1);
    }

    /// What a task holds and whether it still rebuilds.
    pub fn task(&self, partition: i32, (rows, bytes): (u64, u64), held: usize, rebuilding: bool) {
        let labels = [
            ("service", self.service.clone()),
            ("stage", self.stage.clone()),
            ("partition", partition.to_string()),
        ];
        set(&gauge!("millrace_state_rows", &labels), rows);
        set(&gauge!("millrace_state_bytes", &labels), bytes);
        set(&gauge!("millrace_held_rows", &labels), held as u64);
        set(&gauge!("millrace_rebuilding", &labels), u64::from(rebuilding));
    }
}

/// One worker's numbers.
pub struct WorkerMetrics {
    /// Commits.
    pub commits: Counter,
    /// Transactions aborted, or commits refused.
    pub aborts: Counter,
    /// Keys held back while the online store is away.
    pub store_waiting: Gauge,
    /// Whether the online store is away.
    pub store_away: Gauge,
    /// Tasks owned.
    pub tasks: Gauge,
}

impl WorkerMetrics {
    /// The numbers of a worker of a service.
    pub fn new(service: &str, worker: usize) -> Self {
        let labels = [("service", service.to_owned()), ("worker", worker.to_string())];
        Self {
            commits: counter!("millrace_commits_total", &labels),
            aborts: counter!("millrace_aborts_total", &labels),
            store_waiting: gauge!("millrace_store_waiting_keys", &labels),
            store_away: gauge!("millrace_store_away", &labels),
            tasks: gauge!("millrace_tasks", &labels),
        }
    }
}

/// Records between the consumer's position and the end of the log.
pub fn lag(group: &str, topic: &str, partition: i32, rows: i64) {
    let labels =
        [("group", group.to_owned()), ("topic", topic.to_owned()), ("partition", partition.to_string())];
    set(&gauge!("millrace_lag_rows", &labels), u64::try_from(rows).unwrap_or(0));
}

/// Counts far below 2^53 are exact as floats.
#[allow(clippy::cast_precision_loss)]
fn set(gauge: &Gauge, value: u64) {
    gauge.set(value as f64);
}

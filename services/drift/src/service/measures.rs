//! What is measured of the service, named in one place. Labels are of a fixed set: kinds and partitions.

use metrics::{Counter, Gauge, counter, gauge};
use millrace_schemas::envelope::{AlarmState, DriftEvent, DriftKind, Subject};

use super::join::State;

/// The service's numbers, all tasks of the process together.
pub struct Measures {
    app: String,
    provisional: Counter,
    settled: Counter,
    profiles: Counter,
    late_profiles: Counter,
    open_windows: Gauge,
}

impl Measures {
    /// Of an application.
    pub fn new(app: &str) -> Self {
        let passed = |status: &'static str| counter!("millrace_drift_windows_passed_total", "app" => app.to_owned(), "status" => status);
        Self {
            app: app.to_owned(),
            provisional: passed("provisional"),
            settled: passed("final"),
            profiles: counter!("millrace_drift_profiles_total", "app" => app.to_owned()),
            late_profiles: counter!("millrace_drift_profiles_late_total", "app" => app.to_owned()),
            open_windows: gauge!("millrace_drift_open_windows", "app" => app.to_owned()),
        }
    }

    /// A partition passed a window.
    pub fn passed(&self, provisional: bool) {
        if provisional { self.provisional.increment(1) } else { self.settled.increment(1) }
    }

    /// The judge took a partition's profile.
    pub fn profile(&self) {
        self.profiles.increment(1);
    }

    /// A profile came after its window was judged; what is taken again counts once.
    pub fn late_profile(&self, again: bool) {
        self.late_profiles.increment(u64::from(!again));
    }

    /// So many windows wait for partitions.
    pub fn open_windows(&self, count: usize) {
        set(&self.open_windows, count as u64);
    }

    /// What a task of the join holds and has met.
    pub fn join(&self, partition: i32, state: &State, waiting: usize) {
        let labels = [("app", self.app.clone()), ("partition", partition.to_string())];
        set(&gauge!("millrace_drift_join_ids", &labels), state.len() as u64);
        set(&gauge!("millrace_drift_join_waiting_rows", &labels), waiting as u64);
        let tally = state.tally();
        let met = [
            ("unmatched", tally.unmatched),
            ("orphan", tally.orphans),
            ("duplicate", tally.duplicates),
            ("corrected", tally.corrected),
            ("late", tally.late),
        ];
        for (what, count) in met {
            let labels = [labels[0].clone(), labels[1].clone(), ("what", what.to_owned())];
            counter!("millrace_drift_join_rows_total", &labels).absolute(count);
        }
    }

    /// What was reported.
    pub fn reported(&self, events: &[DriftEvent], requests: usize) {
        for event in events.iter().filter(|event| event.kind == DriftKind::Finding && event.drifted) {
            let labels = [("app", self.app.clone()), ("subject", word(event.subject).to_owned())];
            counter!("millrace_drift_subjects_total", &labels).increment(1);
        }
        counter!("millrace_drift_retrain_requests_total", "app" => self.app.clone())
            .increment(requests as u64);
    }

    /// How many alarms are in each state.
    pub fn alarms(&self, states: impl Iterator<Item = AlarmState>) {
        let mut counts = [("open", 0_u64), ("acknowledged", 0), ("muted", 0)];
        for state in states {
            let at = match state {
                AlarmState::Open => 0,
                AlarmState::Acknowledged => 1,
                AlarmState::Muted => 2,
                AlarmState::None | AlarmState::Closed => continue,
            };
            counts[at].1 += 1;
        }
        for (state, count) in counts {
            set(&gauge!("millrace_drift_alarms", "app" => self.app.clone(), "state" => state), count);
        }
    }
}

fn word(subject: Subject) -> &'static str {
    match subject {
        Subject::Data => "data",
        Subject::Prediction => "prediction",
        Subject::Performance => "performance",
        Subject::Estimate => "estimate",
        Subject::Quality => "quality",
        Subject::Domain => "domain",
        Subject::Skew => "skew",
        Subject::Labels => "labels",
        Subject::Fairness => "fairness",
        Subject::Dataset => "dataset",
        Subject::Detector => "detector",
    }
}

/// Counts far below 2^53 are exact as floats.
#[allow(clippy::cast_precision_loss)]
fn set(gauge: &Gauge, value: u64) {
    gauge.set(value as f64);
}

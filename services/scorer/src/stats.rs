//! How versions do: what tasks tell of each batch, summed over about a second.
//!
//! It depends on the clock and the machine, so it goes to a topic of its own by a thread of its own ([`writer`]), beside
//! the predictions: a queue that is full loses what is told, counted, and scoring never waits.

pub mod writer;

use std::collections::BTreeMap;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use metrics::counter;
use millrace_schemas::envelope::ScorerStats;
use millrace_topics::ModelRef;

use crate::answers::{Answer, Answers};
use crate::deployed::{Assigned, Deployed};
use crate::envelope::{SERVING, SHADOW};

/// What one batch tells.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchStats {
    partition: i32,
    time_ms: i64,
    deployment: i64,
    arms: Vec<ArmStats>,
}

/// What one version did for one arm.
#[derive(Debug, Clone, PartialEq)]
struct ArmStats {
    version: ModelRef,
    arm: String,
    role: &'static str,
    counts: Counts,
    /// How long the version ran for all arms together.
    took: Duration,
    /// For how many rows.
    of_rows: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Counts {
    rows: i64,
    scored: i64,
    missing: i64,
    defaulted: i64,
    errors: i64,
}

impl Counts {
    fn add(&mut self, answer: &Answer, defaulted: bool) {
        let count = match answer {
            Answer::NotAsked => return,
            Answer::Score(_) => &mut self.scored,
            Answer::Missing(_) => &mut self.missing,
            Answer::NotFinite(_) | Answer::Failed(_) => &mut self.errors,
        };
        *count += 1;
        self.rows += 1;
        self.defaulted += i64::from(defaulted);
    }
}

impl BatchStats {
    /// Of the answers of all versions, by who was assigned.
    pub fn of(
        partition: i32,
        time_ms: i64,
        deployed: &Deployed,
        assigned: &[Assigned],
        answers: &[Answers],
    ) -> Self {
        let by_arm: Vec<Option<usize>> = assigned.iter().map(|assigned| Some(assigned.arm)).collect();
        Self::of_lists(partition, time_ms, deployed, &by_arm, answers)
    }

    /// Of the answers of all versions on candidates, by the arm whose list each is on; `None`: an interleaved one, which all
    /// rankers made.
    pub fn of_lists(
        partition: i32,
        time_ms: i64,
        deployed: &Deployed,
        by_arm: &[Option<usize>],
        answers: &[Answers],
    ) -> Self {
        let arms = &deployed.arms;
        let count = |version: usize, of: &dyn Fn(Option<usize>) -> bool| {
            let mut counts = Counts::default();
            let said = &answers[version];
            for (row, answer) in said.answers.iter().enumerate().filter(|(row, _)| of(by_arm[*row])) {
                counts.add(answer, said.defaulted[row]);
            }
            counts
        };
        let of_rows = |version: usize| {
            answers[version].answers.iter().filter(|a| **a != Answer::NotAsked).count() as i64
        };
        let stats = |version: usize, arm: &str, role, counts| ArmStats {
            version: deployed.versions[version].reference().clone(),
            arm: arm.to_owned(),
            role,
            counts,
            took: answers[version].took,
            of_rows: of_rows(version),
        };
        let serving = arms.serving.iter().enumerate().map(|(index, arm)| {
            let serves = |of: Option<usize>| of.map_or(arms.rankers.contains(&index), |of| of == index);
            stats(arm.version, &arm.name, SERVING, count(arm.version, &serves))
        });
        let shadows = arms.shadows.iter().map(|shadow| {
            let watches = |of: Option<usize>| of.is_none_or(|of| arms.serving[of].version != shadow.version);
            stats(shadow.version, &shadow.name, SHADOW, count(shadow.version, &watches))
        });
        let arms = serving.chain(shadows).filter(|arm| arm.counts.rows > 0).collect();
        Self { partition, time_ms, deployment: deployed.offset, arms }
    }
}

/// Where tasks put what they tell.
#[derive(Clone)]
pub struct StatsQueue(Option<SyncSender<BatchStats>>);

impl StatsQueue {
    /// Into `sender`.
    pub fn new(sender: SyncSender<BatchStats>) -> Self {
        Self(Some(sender))
    }

    /// Nobody listens.
    #[cfg(test)]
    pub fn none() -> Self {
        Self(None)
    }

    /// Tells of a batch, if there is room; never waits.
    pub fn tell(&self, stats: impl FnOnce() -> BatchStats) {
        let Some(sender) = &self.0 else { return };
        if let Err(TrySendError::Full(_)) = sender.try_send(stats()) {
            counter!("millrace_scorer_stats_dropped_total").increment(1);
        }
    }
}

/// Sums over batches, one per partition, deployment, version, arm and role.
#[derive(Debug, Default)]
pub struct Sums(BTreeMap<Key, ScorerStats>);

/// Partition, deployment, version, arm, role.
type Key = (i32, i64, ModelRef, String, &'static str);

impl Sums {
    /// Adds a batch of the prediction topic with this stem.
    pub fn add(&mut self, topic: &str, batch: BatchStats) {
        for arm in batch.arms {
            let key = (batch.partition, batch.deployment, arm.version, arm.arm, arm.role);
            let none = empty(topic, &key);
            let sum = self.0.entry(key).or_insert(none);
            let rows = arm.counts.rows;
            sum.time_ms = sum.time_ms.max(batch.time_ms);
            sum.rows += rows;
            sum.scored += arm.counts.scored;
            sum.missing += arm.counts.missing;
            sum.defaulted += arm.counts.defaulted;
            sum.errors += arm.counts.errors;
            let took = arm.took.as_secs_f64();
            sum.seconds += took * rows as f64 / arm.of_rows.max(1) as f64;
            let index = ScorerStats::latency_index(took);
            if sum.latencies.len() <= index {
                sum.latencies.resize(index + 1, 0);
            }
            sum.latencies[index] += rows;
            sum.squares += rows * arm.of_rows;
        }
    }

    /// What was summed since the last time.
    pub fn take(&mut self, wall_time_ms: i64) -> Vec<ScorerStats> {
        let sums = std::mem::take(&mut self.0).into_values();
        sums.map(|sum| ScorerStats { wall_time_ms, ..sum }).collect()
    }

    /// How many records there will be.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

fn empty(topic: &str, (partition, deployment, version, arm, role): &Key) -> ScorerStats {
    ScorerStats {
        time_ms: i64::MIN,
        wall_time_ms: 0,
        topic: topic.to_owned(),
        partition: *partition,
        deployment: *deployment,
        model: version.model.clone(),
        version: version.version.clone(),
        arm: arm.clone(),
        role: (*role).to_owned(),
        rows: 0,
        scored: 0,
        missing: 0,
        defaulted: 0,
        errors: 0,
        seconds: 0.0,
        latencies: Vec::new(),
        squares: 0,
    }
}

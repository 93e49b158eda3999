//! Two versions on the rows that both scored, and how their requests went.

use std::collections::BTreeMap;

use millrace_schemas::envelope::ScorerStats;

use crate::analysis::fixed::welch;
use crate::analysis::paired::{RowMetric, Scored, auc, effect};
use crate::analysis::{Sums, Tested, Undefined};
use crate::canary::Evidence;
use crate::canary::requests::{Latencies, Share, compare, compare_latencies};
use crate::service::counted::Pair;

/// Rows kept of each class.
const MOST_ROWS: usize = 200_000;

/// Rows that both versions scored: of each class those with the least hashes, so that they are the same in whatever order
/// they came.
#[derive(Debug, Clone, Default)]
pub struct Scores {
    positives: BTreeMap<u64, Pair>,
    others: BTreeMap<u64, Pair>,
    seen: u64,
}

/// A metric of both versions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Treatment less control.
    pub tested: Tested,
    /// The control's and the treatment's, where each has its own.
    pub each: Option<[f64; 2]>,
    /// What it rests on: labelled positives (AUC), else rows.
    pub support: u64,
}

/// Metrics of scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoreMetric {
    /// Area under the ROC curve.
    Auc,
    /// Logarithmic loss.
    LogLoss,
    /// Squared distance.
    Brier,
    /// The mean score.
    Score,
    /// The share of rows that both decide alike, less 1.
    Agreement,
}

impl ScoreMetric {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Auc, Self::LogLoss, Self::Brier, Self::Score, Self::Agreement];

    /// Its name in files and events.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auc => "auc",
            Self::LogLoss => "log_loss",
            Self::Brier => "brier",
            Self::Score => "score",
            Self::Agreement => "agreement",
        }
    }

    /// By name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }

    /// Whether more is better.
    pub fn higher_is_better(self) -> bool {
        matches!(self, Self::Auc | Self::Agreement)
    }
}

impl Scores {
    /// Takes rows served under deployment `since` or a later one.
    pub fn add(&mut self, pairs: Vec<Pair>, since: i64) {
        for pair in pairs.into_iter().filter(|pair| pair.deployment >= since) {
            self.seen += 1;
            let rows = if pair.positive == Some(true) { &mut self.positives } else { &mut self.others };
            rows.insert(pair.id, pair);
            if rows.len() > MOST_ROWS {
                rows.pop_last();
            }
        }
    }

    /// Rows so far, those included that were let go.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// What a metric rests on.
    pub fn support(&self, metric: ScoreMetric) -> u64 {
        let positives = self.positives.len() as u64;
        match metric {
            ScoreMetric::Auc => positives,
            _ => positives + self.others.len() as u64,
        }
    }

    /// The rows of a segment, `None`: all.
    fn rows<'a>(&'a self, segment: Option<(usize, &'a str)>) -> impl Iterator<Item = &'a Pair> {
        let within = move |pair: &&Pair| match segment {
            None => true,
            Some((at, value)) => pair.segments.get(at).is_some_and(|own| own == value),
        };
        self.positives.values().chain(self.others.values()).filter(within)
    }

    /// The values of a segment's column.
    pub fn values(&self, segment: usize) -> Vec<String> {
        let mut values: Vec<String> =
            self.rows(None).filter_map(|pair| pair.segments.get(segment).cloned()).collect();
        values.sort();
        values.dedup();
        values
    }

    /// A metric with an interval of level 1 - alpha.
    ///
    /// # Errors
    /// Rows that say nothing yet.
    pub fn measure(
        &self,
        metric: ScoreMetric,
        segment: Option<(usize, &str)>,
        alpha: f64,
    ) -> Result<Measured, Undefined> {
        match metric {
            ScoreMetric::Auc => self.auc(segment, alpha),
            ScoreMetric::LogLoss => self.mean(segment, alpha, true, |row, _| RowMetric::LogLoss.of(row)),
            ScoreMetric::Brier => self.mean(segment, alpha, true, |row, _| RowMetric::Brier.of(row)),
            ScoreMetric::Score => self.mean(segment, alpha, false, |row, _| RowMetric::Score.of(row)),
            ScoreMetric::Agreement => self.mean(segment, alpha, false, |_, pair| {
                -f64::from(u8::from(pair.decisions[0] != pair.decisions[1]))
            }),
        }
    }

    fn auc(&self, segment: Option<(usize, &str)>, alpha: f64) -> Result<Measured, Undefined> {
        let rows: Vec<Scored> = self.rows(segment).filter_map(|pair| scored(pair, true)).collect();
        let found = auc(&rows, 0.0, alpha)?;
        Ok(Measured {
            tested: found.tested,
            each: Some([found.control, found.treatment]),
            support: found.positives,
        })
    }

    /// The mean over rows; units are what is independent.
    fn mean(
        &self,
        segment: Option<(usize, &str)>,
        alpha: f64,
        labelled: bool,
        of: impl Fn(&Scored, &Pair) -> f64,
    ) -> Result<Measured, Undefined> {
        let mut units: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
        let mut support = 0;
        for pair in self.rows(segment) {
            let Some(row) = scored(pair, labelled) else { continue };
            let unit = units.entry(pair.unit).or_default();
            unit.0 += of(&row, pair);
            unit.1 += 1.0;
            support += 1;
        }
        let mut sums = Sums::default();
        units.values().for_each(|(y, rows)| sums.add(*y, *rows));
        Ok(Measured { tested: welch(&effect(&sums)?, 0.0, alpha), each: None, support })
    }

    /// How many rows of the sample one version decides for one way and the other for another.
    pub fn changed(&self) -> BTreeMap<(String, String), u64> {
        let mut changed = BTreeMap::new();
        for pair in self.rows(None).filter(|pair| pair.decisions[0] != pair.decisions[1]) {
            let [before, after] = pair.decisions.clone();
            *changed.entry((before, after)).or_insert(0) += 1;
        }
        changed
    }
}

fn scored(pair: &Pair, labelled: bool) -> Option<Scored> {
    let positive = if labelled { pair.positive? } else { pair.positive.unwrap_or(false) };
    Some(Scored { positive, control: pair.control, treatment: pair.treatment })
}

/// How the requests of one version went.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Requests {
    errors: Share,
    missing: Share,
    latencies: Latencies,
}

impl Requests {
    /// Takes what a scorer told.
    pub fn add(&mut self, stats: &ScorerStats) {
        let number = |count: i64| u64::try_from(count).unwrap_or(0);
        let share = |bad: i64| Share { bad: number(bad), all: number(stats.rows) };
        self.errors.merge(share(stats.errors));
        self.missing.merge(share(stats.missing));
        for (latency_ms, rows) in latencies(stats) {
            self.latencies.add_of_runs(latency_ms, rows);
        }
        // A record that does not tell is one run, as far as is known.
        let squares = if stats.squares > 0 { stats.squares } else { stats.rows.saturating_mul(stats.rows) };
        self.latencies.share(number(squares));
    }
}

/// Latencies in ms with how many rows had them: entry i counts those of up to 2^(i/4) microseconds.
fn latencies(stats: &ScorerStats) -> impl Iterator<Item = (f64, u64)> {
    let bound_ms = |entry: usize| libm::exp2(entry as f64 / 4.0) / 1e3;
    let counts = stats.latencies.iter().map(|rows| u64::try_from(*rows).unwrap_or(0));
    counts.enumerate().filter(|(_, rows)| *rows > 0).map(move |(entry, rows)| (bound_ms(entry), rows))
}

/// A share of requests, canary less baseline: `errors`, `missing`, or `latency`, the share slower than the baseline's p99.
pub fn requests(metric: &str, baseline: &Requests, canary: &Requests, alpha: f64) -> Option<(f64, Evidence)> {
    let shares = |one: Share, two: Share| {
        let rate = |share: Share| share.bad as f64 / share.all.max(1) as f64;
        compare(one, two, alpha).map(|evidence| (rate(two) - rate(one), evidence))
    };
    match metric {
        "errors" => shares(baseline.errors, canary.errors),
        "missing" => shares(baseline.missing, canary.missing),
        "latency" => compare_latencies(&baseline.latencies, &canary.latencies, alpha)
            .map(|evidence| ((evidence.low + evidence.high) / 2.0, evidence)),
        _ => None,
    }
}

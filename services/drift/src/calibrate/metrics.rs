//! Metrics on labels in held-out windows: by how many standard errors each falls short of what the model was deployed
//! with.
//!
//! Labels of one window are not independent (frauds come in runs, at a terminal, by a card), and no week is quite like
//! the one that the model was measured on. Both show in the held-out windows, so that no guess is needed.

use std::collections::BTreeMap;

use millrace_statistics::performance::multiclass::ClassCounts;
use millrace_topics::TaskKind;

use super::Options;
use super::folds::Folds;
use super::series::Series;
use super::tail;
use crate::judge::{Bound, Key, Measure};
use crate::performance::{Metric, of_binary, of_numbers, shortfall};
use crate::reference::Scored;
use crate::window::{WHOLE, WindowSpec};

/// What is known of the model whose metrics are calibrated.
#[derive(Debug, Clone)]
pub struct Performance {
    /// What it predicts.
    pub task: TaskKind,
    /// What it was deployed with: metrics by name.
    pub own: BTreeMap<String, f64>,
    /// From which score on it decides for positive.
    pub threshold: Option<f64>,
    /// The share of the false alarms that metrics may raise together.
    pub share: f64,
    /// Cuts k of precision and recall at k.
    pub ks: Vec<u32>,
}

/// The thresholds by metric, in standard errors; of those that get none, why.
pub(super) fn bounds(
    folds: &Folds,
    performance: &Performance,
    options: &Options,
) -> (BTreeMap<String, Bound>, Vec<String>) {
    if matches!(options.window, WindowSpec::Rows { .. }) || performance.own.is_empty() {
        return (BTreeMap::new(), Vec::new());
    }
    let rate = folds.rate(options, performance.share);
    let left = |reason: String| (BTreeMap::new(), vec![format!("metrics on labels: {reason}")]);
    if folds.windows.iter().all(|held_out| held_out.scored.labelled() == 0) {
        return left("the reference counts no scores with labels; build it with --score and --label".into());
    }
    if performance.task == TaskKind::Ranking {
        return left("a reference does not keep lists".into());
    }
    if let Err(error) = super::enough(folds, rate, options, performance.share) {
        return left(error.to_string());
    }
    let series = series(folds, performance);
    let fitted = tail::fit_few(&series, rate, folds.windows.len());
    let (mut bounds, mut reasons) = (BTreeMap::new(), Vec::new());
    for (series, bound) in series.into_iter().zip(fitted) {
        let name = series.key.column.unwrap_or_default();
        match bound {
            Bound::NotJudged { reason } => reasons.push(format!("{name}: {reason}")),
            bound => drop(bounds.insert(name, bound)),
        }
    }
    (bounds, reasons)
}

fn series(folds: &Folds, performance: &Performance) -> Vec<Series> {
    let mut all: BTreeMap<String, Series> = BTreeMap::new();
    for (window, held_out) in folds.windows.iter().enumerate() {
        for metric in metrics(&held_out.scored, performance) {
            let Some(own) = performance.own.get(&metric.name) else { continue };
            let column = Some(metric.name.clone());
            let key = Key { column, segment: WHOLE.to_owned(), measure: Measure::Metric };
            let series = all.entry(metric.name).or_insert_with(|| Series::new(key, folds.split()));
            let Some(estimate) = metric.measured.ok().filter(|estimate| estimate.is_enough()) else {
                continue;
            };
            let (short, error) = shortfall(*own, estimate, metric.higher);
            series.push(window, short / error, held_out.scored.labelled());
        }
    }
    all.into_values().collect()
}

fn metrics(scored: &Scored, performance: &Performance) -> Vec<Metric> {
    match performance.task {
        TaskKind::Regression => of_numbers(scored.errors()),
        TaskKind::Ranking => Vec::new(),
        TaskKind::Binary => match scored.binary() {
            Some(counts) => of_binary(counts, performance.threshold, &performance.ks),
            None => Vec::new(),
        },
        // The label says whether the decision was right; more of several classes is not kept.
        TaskKind::Multiclass => {
            let Some(total) = scored.binary().map(|counts| counts.total()) else { return Vec::new() };
            let mut counts = ClassCounts::new(2);
            (0..total.positives).for_each(|_| counts.add(0, 0, None));
            (0..total.negatives).for_each(|_| counts.add(0, 1, None));
            vec![Metric::new("accuracy", true, counts.accuracy())]
        }
    }
}

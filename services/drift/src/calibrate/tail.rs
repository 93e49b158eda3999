//! Thresholds from the largest effects of held-out windows.

use std::collections::BTreeMap;

use millrace_statistics::distribution::normal::isf;

use super::prior::{self, Prior};
use super::series::{Series, independent};
use crate::judge::{Bound, Measure};
use crate::window::WHOLE;

/// Thresholds of all subjects, in their order.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) bounds: Vec<Bound>,
    /// How many independent windows the held-out ones are worth.
    pub(super) independent: f64,
    /// How many subjects share the false alarms.
    pub(super) subjects: usize,
}

/// A subject whose effects are too few to be judged has less than this share of the windows.
const MIN_SHARE: f64 = 0.5;

/// A threshold this near to the greatest effect that there can be tells nothing apart.
const USELESS: f64 = 0.9;

/// A threshold so many times above what practice takes for notable tells nothing either.
const FAR: f64 = 20.0;

/// One-sided confidence of the fitted quantile, in standard deviations: 90 %.
const CONFIDENCE: f64 = 1.2816;

/// Fits the tail of the windows' largest effects, and gives every subject the threshold at which, all subjects together,
/// a window alarms with probability `rate`.
///
/// `reach`: how far from the reference's middle the last live window lies, in halves of the reference. The two halves
/// are one such half apart: what they differ by, a slow trend makes `reach` times as large.
pub(super) fn fit(series: &[Series], rate: f64, reach: f64) -> Tail {
    let windows = windows(series);
    let judged = judged(series, windows);
    let priors = prior::by_measure(series, &judged);
    let largest = largest(series, &judged, &priors, windows);
    let independent = independent(&[&largest]);
    let score = gumbel_quantile(&largest, rate, independent);
    let whole = series.iter().filter(|s| s.key.segment == WHOLE).map(|s| s.rows).max().unwrap_or(0);
    let bounds = series.iter().zip(&judged).map(|(series, judged)| {
        let prior = priors.get(&series.key.measure).copied();
        let fitted = series.spread(prior).map(|spread| spread.effect(score));
        bound(series, *judged, fitted, (reach, whole))
    });
    Tail { bounds: bounds.collect(), independent, subjects: judged.iter().filter(|judged| **judged).count() }
}

/// Thresholds of a few subjects whose effects are in standard errors: each is taken for normal about its own mean, with its
/// own spread (Student's t), at an equal part of the rate (Bonferroni). Of so few the greatest is far from its limit, and
/// a Gumbel distribution asks for half as much again. `windows`: how many were held out.
pub(super) fn fit_few(series: &[Series], rate: f64, windows: usize) -> Vec<Bound> {
    let judged = judged(series, windows);
    let count = judged.iter().filter(|judged| **judged).count();
    let score = isf((rate / count.max(1) as f64).min(0.5));
    let bounds = series.iter().zip(&judged).map(|(series, judged)| {
        let fitted = series.spread(None).map(|spread| spread.effect(score));
        bound(series, *judged, fitted, (0.0, series.rows))
    });
    bounds.collect()
}

fn windows(series: &[Series]) -> usize {
    series.iter().flat_map(|s| &s.effects).map(|(window, _)| window + 1).max().unwrap_or(0)
}

fn judged(series: &[Series], windows: usize) -> Vec<bool> {
    let least = (MIN_SHARE * windows as f64).ceil() as usize;
    series.iter().map(|s| s.excluded.is_none() && s.effects.len() >= least.max(3)).collect()
}

fn bound(series: &Series, judged: bool, fitted: Option<f64>, (reach, whole): (f64, u64)) -> Bound {
    let not_judged = |reason: &str| Bound::NotJudged { reason: reason.to_owned() };
    if let Some(reason) = &series.excluded {
        return not_judged(reason);
    }
    if !judged {
        return not_judged("too few windows of the reference have it");
    }
    let observed = series.values().into_iter().fold(0.0, f64::max);
    let effect = (fitted.unwrap_or(observed) + reach * series.trend()).max(observed);
    let measure = series.key.measure;
    let most = measure.greatest().map(|greatest| USELESS * greatest);
    let far = measure.conventional().map(|usual| FAR * usual);
    if [most, far].into_iter().flatten().any(|limit| effect >= limit) || !effect.is_finite() {
        return not_judged("too few independent windows, or windows that differ too much");
    }
    let effect = rounded_up(effect.max(floor(series, whole)).max(f64::MIN_POSITIVE));
    Bound::Effect { effect, rows: series.rows, expected: series.expected }
}

/// The least threshold. New extremes come in clumps of so many rows (a busy key), which are a larger share of a segment
/// than of the whole.
fn floor(series: &Series, whole: u64) -> f64 {
    let measure = series.key.measure;
    let times = if measure == Measure::Outside { whole as f64 / series.rows.max(1) as f64 } else { 1.0 };
    measure.floor() * libm::pow(times.max(1.0), measure.noise_power())
}

/// Per window the largest score.
fn largest(
    series: &[Series],
    judged: &[bool],
    priors: &BTreeMap<Measure, Prior>,
    windows: usize,
) -> Vec<f64> {
    let mut largest = vec![f64::NEG_INFINITY; windows];
    for (series, _) in series.iter().zip(judged).filter(|(_, judged)| **judged) {
        for (window, score) in series.scores(priors.get(&series.key.measure).copied()) {
            largest[window] = largest[window].max(score);
        }
    }
    largest.retain(|value| value.is_finite());
    largest
}

/// The value that a draw exceeds with probability `rate`: of a Gumbel distribution fitted by probability-weighted moments
/// (Landwehr, Matalas and Wallis, 1979), its upper confidence limit by their asymptotic variance (Phien, "A review of
/// methods of parameter estimation for the extreme value type-1 distribution", J. Hydrology 90, 1987).
pub(super) fn gumbel_quantile(values: &[f64], rate: f64, independent: f64) -> f64 {
    const EULER: f64 = 0.577_215_664_901_532_9;
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    if sorted.len() < 2 {
        return sorted.first().copied().unwrap_or(0.0);
    }
    let mean = sorted.iter().sum::<f64>() / n;
    let weighted =
        sorted.iter().enumerate().map(|(rank, value)| value * rank as f64 / (n - 1.0)).sum::<f64>() / n;
    let scale = ((2.0 * weighted - mean) / std::f64::consts::LN_2).max(0.0);
    let location = mean - EULER * scale;
    let reduced = -libm::log(-libm::log1p(-rate.min(0.5)));
    let variance = 1.1128 + 0.4574 * reduced + 0.8046 * reduced * reduced;
    location + scale * (reduced + CONFIDENCE * (variance / independent).sqrt())
}

/// To three significant digits, upwards: people read and edit it.
fn rounded_up(value: f64) -> f64 {
    let unit = libm::pow(10.0, libm::floor(libm::log10(value)) - 2.0);
    let rounded = (value / unit).ceil() * unit;
    // Through text, so that 0.031 is written as such.
    format!("{rounded:.3e}").parse().unwrap_or(rounded)
}

#[cfg(test)]
mod tests;

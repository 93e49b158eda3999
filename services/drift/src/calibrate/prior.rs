//! What subjects of one measure know of each other's spread: effects of chance have a spread that is a fixed part of
//! their mean, so that a few windows of many subjects tell it better than those of one.

use std::collections::BTreeMap;

use super::series::Series;
use crate::judge::Measure;

/// The variance that a subject is expected to have, and what that knowledge is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Prior {
    /// In units of the squared mean.
    pub(super) variance: f64,
    /// In degrees of freedom.
    pub(super) freedom: f64,
}

/// Subjects that it takes to learn from each other.
const MIN_SUBJECTS: usize = 8;

/// Knowledge is worth at most so much.
const MOST_FREEDOM: f64 = 200.0;

/// Per measure the prior of its subjects, by the moments of their log variances (Smyth, "Linear models and empirical
/// Bayes methods for assessing differential expression in microarray experiments", 2004, section 6.2).
pub(super) fn by_measure(series: &[Series], judged: &[bool]) -> BTreeMap<Measure, Prior> {
    let mut logs: BTreeMap<Measure, Vec<(f64, f64)>> = BTreeMap::new();
    for (series, _) in series.iter().zip(judged).filter(|(_, judged)| **judged) {
        if let Some((ratio, freedom)) = series.relative_variance() {
            let half = freedom / 2.0;
            let centred = libm::log(ratio) - digamma(half) + libm::log(half);
            logs.entry(series.key.measure).or_default().push((centred, trigamma(half)));
        }
    }
    logs.retain(|_, logs| logs.len() >= MIN_SUBJECTS);
    logs.into_iter().map(|(measure, logs)| (measure, of(&logs))).collect()
}

fn of(logs: &[(f64, f64)]) -> Prior {
    let n = logs.len() as f64;
    let mean = logs.iter().map(|(log, _)| log).sum::<f64>() / n;
    let variance = logs.iter().map(|(log, _)| (log - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let by_chance = logs.iter().map(|(_, chance)| chance).sum::<f64>() / n;
    let half = inverse_trigamma(variance - by_chance).min(MOST_FREEDOM / 2.0);
    Prior { variance: libm::exp(mean + digamma(half) - libm::log(half)), freedom: 2.0 * half }
}

/// The logarithmic derivative of the gamma function, by recurrence and asymptotic series (Abramowitz and Stegun 6.3.18).
fn digamma(x: f64) -> f64 {
    let (mut x, mut sum) = (x, 0.0);
    while x < 6.0 {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    let series = square * (1.0 / 12.0 - square * (1.0 / 120.0 - square / 252.0));
    sum + libm::log(x) - 0.5 / x - series
}

/// Its derivative (Abramowitz and Stegun 6.4.12).
fn trigamma(x: f64) -> f64 {
    let (mut x, mut sum) = (x, 0.0);
    while x < 6.0 {
        sum += 1.0 / (x * x);
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    sum + 1.0 / x + square / 2.0 + square / x * (1.0 / 6.0 - square * (1.0 / 30.0 - square / 42.0))
}

/// Where the trigamma function, which falls, has that value; infinite where it never does.
fn inverse_trigamma(value: f64) -> f64 {
    if value <= trigamma(MOST_FREEDOM) {
        return f64::INFINITY;
    }
    let (mut low, mut high) = (1e-3, MOST_FREEDOM);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if trigamma(middle) > value { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_derivatives_of_the_gamma_function_are_known_at_one() {
        assert!((digamma(1.0) + 0.577_215_664_901_532_9).abs() < 1e-8, "{}", digamma(1.0));
        assert!((trigamma(1.0) - std::f64::consts::PI.powi(2) / 6.0).abs() < 1e-8, "{}", trigamma(1.0));
        assert!((inverse_trigamma(trigamma(3.7)) - 3.7).abs() < 1e-9);
        assert_eq!(inverse_trigamma(-1.0), f64::INFINITY);
    }

    #[test]
    fn subjects_that_differ_by_chance_alone_share_what_they_know() {
        let chance = trigamma(13.5);
        let alike: Vec<(f64, f64)> =
            (0..40).map(|i| (-2.0 + chance.sqrt() * f64::from(i % 2 * 2 - 1) * 0.98, chance)).collect();
        let prior = of(&alike);
        assert!(prior.freedom > 100.0 && (prior.variance - (-2.0_f64).exp()).abs() < 0.01, "{prior:?}");
        let apart: Vec<(f64, f64)> = (0..40).map(|i| (f64::from(i % 2 * 4), chance)).collect();
        assert!(of(&apart).freedom < 2.0, "{:?}", of(&apart));
    }
}

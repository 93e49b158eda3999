//! The effects of one subject over all held-out windows.

use super::prior::Prior;
use crate::judge::Key;

/// A subject's effects.
#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) key: Key,
    /// Per held-out window that has it: the window's index, ascending, and the effect.
    pub(super) effects: Vec<(usize, f64)>,
    /// The first held-out window of the second half: from there on another half is compared with.
    pub(super) split: usize,
    /// The effect between the two halves of the reference.
    pub(super) halves: f64,
    /// Fewest rows among its windows.
    pub(super) rows: u64,
    /// The share that an unchanged window has, of new values and of rows out of range.
    pub(super) expected: f64,
    /// Why the subject cannot be judged.
    pub(super) excluded: Option<String>,
}

/// What the effects say of one more of their kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spread {
    mean: f64,
    /// The standard deviation of a new effect about the mean, which is itself uncertain.
    deviation: f64,
    /// Degrees of freedom of Student's t.
    freedom: f64,
}

impl Series {
    pub(super) fn new(key: Key, split: usize) -> Self {
        Self { key, split, effects: Vec::new(), halves: 0.0, rows: 0, expected: 0.0, excluded: None }
    }

    /// Adds a window's effect, of so many rows.
    pub(super) fn push(&mut self, window: usize, effect: f64, rows: u64) {
        self.rows = if self.effects.is_empty() { rows } else { self.rows.min(rows) };
        self.effects.push((window, effect));
    }

    pub(super) fn values(&self) -> Vec<f64> {
        self.effects.iter().map(|(_, effect)| *effect).collect()
    }

    /// How many independent windows the effects are worth. The halves have means of their own: what one half of the
    /// reference is by chance, all windows that are compared with it share.
    fn independent(&self) -> f64 {
        let half = |second: bool| -> Vec<f64> {
            let of = self.effects.iter().filter(|(window, _)| (*window >= self.split) == second);
            of.map(|(_, effect)| *effect).collect()
        };
        independent(&[&half(false), &half(true)])
    }

    /// The least variance there can be: that of chance in shares, on the scale of Cohen's h, of which few rare rows would
    /// otherwise make a sensation.
    fn least_variance(&self) -> f64 {
        if self.key.measure.is_share() { 1.0 / self.rows.max(1) as f64 } else { 0.0 }
    }

    /// The variance in units of the squared mean, and its degrees of freedom; none where there is none.
    pub(super) fn relative_variance(&self) -> Option<(f64, f64)> {
        let values = self.values();
        let (mean, variance) = moments(&values);
        let m = self.independent();
        let varies = values.len() >= 3
            && mean > 0.0
            && !self.key.measure.is_share()
            && variance > mean * mean * f64::EPSILON;
        varies.then(|| (variance * m / (m - 1.0) / (mean * mean), m - 1.0))
    }

    /// The spread of the effects; none where they are too few or all the same.
    pub(super) fn spread(&self, prior: Option<Prior>) -> Option<Spread> {
        let values = self.values();
        let (mean, variance) = moments(&values);
        let variance = variance.max(self.least_variance());
        Spread::of((mean, variance), values.len() as f64, self.independent(), self.fitting(prior))
    }

    /// A prior that the subject does not contradict: one that varies clearly more than its kind is judged by itself.
    fn fitting(&self, prior: Option<Prior>) -> Option<Prior> {
        let (own, _) = self.relative_variance()?;
        prior.filter(|prior| own <= CONTRADICTION * prior.variance)
    }

    /// Per window the effect in terms of a standard normal distribution, judged by all the others: outliers do not hide
    /// behind the spread that they make themselves.
    pub(super) fn scores(&self, prior: Option<Prior>) -> Vec<(usize, f64)> {
        let values = self.values();
        let n = values.len() as f64;
        let (mean, variance) = moments(&values);
        let independent = (self.independent() * (n - 1.0) / n).max(LEAST_INDEPENDENT);
        let prior = self.fitting(prior);
        let of = |(window, effect): &(usize, f64)| {
            let others = (mean * n - effect) / (n - 1.0);
            let squares = (variance + mean * mean) * n - effect * effect;
            let rest = (squares / (n - 1.0) - others * others).max(self.least_variance());
            let spread = Spread::of((others, rest), n - 1.0, independent, prior)?;
            Some((*window, spread.score(*effect)))
        };
        self.effects.iter().filter_map(of).collect()
    }

    /// By how much the two halves differ beyond chance. Chance makes two halves of n/2 windows each differ as a window
    /// differs from a half, times 4/(n + 2) to the measure's power of noise; half as much again is chance still.
    pub(super) fn trend(&self) -> f64 {
        let n = self.effects.len() as f64;
        let (mean, _) = moments(&self.values());
        let chance = 1.5 * mean * libm::pow(4.0 / (n + 2.0), self.key.measure.noise_power());
        (self.halves * self.halves - chance * chance).max(0.0).sqrt()
    }
}

/// A subject whose variance is so many times that of its kind is not of its kind.
const CONTRADICTION: f64 = 1.5;

/// Independent windows that a sequence is worth at least: fewer say nothing about a spread.
const LEAST_INDEPENDENT: f64 = 2.5;

impl Spread {
    /// m independent values underestimate the variance by 1/m of it, and know the mean to 1/m of it. A prior is worth
    /// values too.
    fn of((mean, variance): (f64, f64), n: f64, independent: f64, prior: Option<Prior>) -> Option<Self> {
        if n < 3.0 || variance <= mean * mean * f64::EPSILON {
            return None;
        }
        let m = independent;
        let own = (variance * m / (m - 1.0), m - 1.0);
        let of_kind = prior.map_or((0.0, 0.0), |prior| (prior.variance * mean * mean, prior.freedom));
        let freedom = own.1 + of_kind.1;
        let variance = (own.0 * own.1 + of_kind.0 * of_kind.1) / freedom;
        Some(Self { mean, deviation: (variance * (1.0 + 1.0 / m)).sqrt(), freedom })
    }

    /// The effect as a standard normal value of the same probability under Student's t, by the approximation of Wallace
    /// ("Bounds on normal approximations to Student's and the chi-square distributions", 1959).
    fn score(self, effect: f64) -> f64 {
        let (t, v) = ((effect - self.mean) / self.deviation, self.freedom);
        let z = (8.0 * v + 1.0) / (8.0 * v + 3.0) * (v * libm::log1p(t * t / v)).sqrt();
        z.copysign(t)
    }

    /// The effect of that score.
    pub(super) fn effect(self, score: f64) -> f64 {
        let v = self.freedom;
        let z = score * (8.0 * v + 3.0) / (8.0 * v + 1.0);
        let t = (v * libm::expm1(z * z / v)).sqrt().copysign(score);
        self.mean + self.deviation * t
    }
}

/// Mean and population variance.
fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n)
}

/// How many independent values sequences are worth, each about its own mean: with r the correlation of neighbours,
/// n (1 - r) / (1 + r) (Bayley and Hammersley, "The effective number of independent observations in an autocorrelated
/// time series", 1946). A short sequence underestimates r by (1 + 3 r) / n (Marriott and Pope, 1954), which is made up for.
pub(super) fn independent(sequences: &[&[f64]]) -> f64 {
    let n = sequences.iter().map(|values| values.len()).sum::<usize>() as f64;
    let (mut squares, mut products) = (0.0, 0.0);
    for values in sequences {
        let (mean, variance) = moments(values);
        squares += variance * values.len() as f64;
        let pairs = values.iter().zip(values.iter().skip(1));
        products += pairs.map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>();
    }
    if squares <= 0.0 {
        return n.max(LEAST_INDEPENDENT);
    }
    let r = products / squares;
    let r = (r + (1.0 + 3.0 * r) * sequences.len() as f64 / n).clamp(0.0, 0.99);
    (n * (1.0 - r) / (1.0 + r)).max(LEAST_INDEPENDENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn students_t_and_the_normal_distribution_lead_back_to_each_other() {
        let spread = Spread { mean: 0.1, deviation: 0.02, freedom: 9.0 };
        for score in [-3.0, 0.0, 1.0, 5.5] {
            assert!((spread.score(spread.effect(score)) - score).abs() < 1e-9);
        }
        // The 97.5 % point of t with 9 degrees of freedom is 2.262.
        let t = (spread.effect(1.959_964) - 0.1) / 0.02;
        assert!((t - 2.262).abs() < 0.01, "{t}");
    }

    #[test]
    fn neighbours_that_resemble_each_other_are_worth_less() {
        let slow: Vec<f64> = (0..60).map(|i| f64::from(i / 10)).collect();
        let quick: Vec<f64> = (0..60).map(|i| f64::from((i * 37) % 60)).collect();
        assert!(independent(&[&slow]) < 6.0, "{}", independent(&[&slow]));
        assert!(independent(&[&quick]) > 30.0, "{}", independent(&[&quick]));
        assert_eq!(independent(&[&[1.0; 9]]), 9.0);
    }
}

//! The effects of one subject over all held-out windows.

use crate::judge::Key;

/// A subject's effects.
#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) key: Key,
    /// Per held-out window that has it: the window's index, ascending, and the effect.
    pub(super) effects: Vec<(usize, f64)>,
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
    pub(super) fn new(key: Key) -> Self {
        Self { key, effects: Vec::new(), halves: 0.0, rows: 0, expected: 0.0, excluded: None }
    }

    /// Adds a window's effect, of so many rows.
    pub(super) fn push(&mut self, window: usize, effect: f64, rows: u64) {
        self.rows = if self.effects.is_empty() { rows } else { self.rows.min(rows) };
        self.effects.push((window, effect));
    }

    pub(super) fn values(&self) -> Vec<f64> {
        self.effects.iter().map(|(_, effect)| *effect).collect()
    }

    /// The spread of the effects; none where they are too few or all the same.
    pub(super) fn spread(&self) -> Option<Spread> {
        let values = self.values();
        Spread::of(moments(&values), values.len() as f64, independent(&values))
    }

    /// Per window the effect in terms of a standard normal distribution, judged by all the others: outliers do not hide
    /// behind the spread that they make themselves.
    pub(super) fn scores(&self) -> Vec<(usize, f64)> {
        let values = self.values();
        let n = values.len() as f64;
        let (mean, variance) = moments(&values);
        let independent = (independent(&values) * (n - 1.0) / n).max(LEAST_INDEPENDENT);
        let of = |(window, effect): &(usize, f64)| {
            let others = (mean * n - effect) / (n - 1.0);
            let squares = (variance + mean * mean) * n - effect * effect;
            let rest = (squares / (n - 1.0) - others * others).max(0.0);
            let spread = Spread::of((others, rest), n - 1.0, independent)?;
            Some((*window, spread.score(*effect)))
        };
        self.effects.iter().filter_map(of).collect()
    }
}

/// Independent windows that a sequence is worth at least: fewer say nothing about a spread.
const LEAST_INDEPENDENT: f64 = 2.5;

impl Spread {
    /// m independent values underestimate the variance by 1/m of it, and know the mean to 1/m of it.
    fn of((mean, variance): (f64, f64), n: f64, independent: f64) -> Option<Self> {
        if n < 3.0 || variance <= mean * mean * f64::EPSILON {
            return None;
        }
        let m = independent;
        let deviation = (variance * (m / (m - 1.0)) * (1.0 + 1.0 / m)).sqrt();
        Some(Self { mean, deviation, freedom: m - 1.0 })
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

/// How many independent values a sequence is worth: with r the correlation of neighbours, n (1 - r) / (1 + r) (Bayley and
/// Hammersley, "The effective number of independent observations in an autocorrelated time series", 1946). A short
/// sequence underestimates r by (1 + 3 r) / n (Marriott and Pope, 1954), which is made up for.
pub(super) fn independent(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let (mean, variance) = moments(values);
    if variance <= 0.0 {
        return n.max(LEAST_INDEPENDENT);
    }
    let pairs = values.iter().zip(values.iter().skip(1));
    let r = pairs.map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / (variance * n);
    let r = (r + (1.0 + 3.0 * r) / n).clamp(0.0, 0.99);
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
        assert!(independent(&slow) < 6.0, "{}", independent(&slow));
        assert!(independent(&quick) > 30.0, "{}", independent(&quick));
        assert_eq!(independent(&[1.0; 9]), 9.0);
    }
}

//! A model of rewards for doubly robust estimates: a ridge regression per arm, cross-fitted, so that no row is guessed by a
//! model that has seen it.
//!
//! A. E. Hoerl and R. W. Kennard, "Ridge regression: biased estimation for nonorthogonal problems", 1970; cross-fitting by
//! V. Chernozhukov et al., "Double/debiased machine learning for treatment and structural parameters", 2018.

use serde::{Deserialize, Serialize};

/// What is learnt from.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The arm that served, below the number of arms.
    pub arm: usize,
    /// What it earned.
    pub reward: f64,
    /// What was known beforehand; as many for every row.
    pub covariates: Vec<f64>,
    /// The fold, below the number of folds; rows of one unit in one fold.
    pub fold: usize,
}

/// How it is learnt.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Parts of the rows; each is guessed by models of the others. At least 2.
    pub folds: usize,
    /// What the squared slopes of standardised covariates cost, above 0; the intercept costs nothing.
    pub penalty: f64,
}

impl Default for Rules {
    fn default() -> Self {
        Self { folds: 5, penalty: 1.0 }
    }
}

/// Per row and arm (row by row) the guessed reward.
///
/// Covariates are standardised by mean and deviation (population) of all rows; those that do not vary are left out. An arm
/// without a row in the other folds is guessed to earn the mean reward of all their rows, 0 if they are empty.
pub fn guesses(examples: &[Example], arms: usize, rules: &Rules) -> Vec<f64> {
    let (folds, scaled) = (rules.folds.max(2), Scaled::of(examples));
    let size = scaled.kept.len() + 1;
    let mut parts = vec![Normal::new(size); folds * arms];
    let mut row = vec![0.0; size];
    for example in examples {
        scaled.row(example, &mut row);
        parts[example.fold * arms + example.arm].add(&row, example.reward);
    }
    let models: Vec<Vec<Vec<f64>>> = (0..folds)
        .map(|fold| {
            let others = |arm: usize| {
                let mut sum = Normal::new(size);
                (0..folds)
                    .filter(|other| *other != fold)
                    .for_each(|other| sum.merge(&parts[other * arms + arm]));
                sum
            };
            let sums: Vec<Normal> = (0..arms).map(others).collect();
            let rows: f64 = sums.iter().map(Normal::rows).sum();
            let mean = sums.iter().map(|sum| sum.moments[0]).sum::<f64>() / rows.max(1.0);
            sums.into_iter().map(|sum| sum.solve(rules.penalty, mean)).collect()
        })
        .collect();
    let mut guesses = Vec::with_capacity(examples.len() * arms);
    for example in examples {
        scaled.row(example, &mut row);
        let guess =
            |model: &Vec<f64>| model.iter().zip(&row).map(|(slope, value)| slope * value).sum::<f64>();
        guesses.extend(models[example.fold].iter().map(guess));
    }
    guesses
}

/// Mean and deviation of the covariates that vary.
struct Scaled {
    kept: Vec<(usize, f64, f64)>,
}

impl Scaled {
    fn of(examples: &[Example]) -> Self {
        let (n, width) = (examples.len() as f64, examples.first().map_or(0, |one| one.covariates.len()));
        let of = |at: usize| {
            let mean = examples.iter().map(|one| one.covariates[at]).sum::<f64>() / n;
            let squares: f64 = examples.iter().map(|one| (one.covariates[at] - mean).powi(2)).sum();
            (at, mean, (squares / n).sqrt())
        };
        // Rounding alone makes a deviation of some 1e-16 of the mean.
        let varies = |(_, mean, deviation): &(usize, f64, f64)| *deviation > 1e-12 * mean.abs();
        Self { kept: (0..width).map(of).filter(varies).collect() }
    }

    /// 1 and the standardised covariates.
    fn row(&self, example: &Example, row: &mut [f64]) {
        row[0] = 1.0;
        for (value, (at, mean, deviation)) in row[1..].iter_mut().zip(&self.kept) {
            *value = (example.covariates[*at] - mean) / deviation;
        }
    }
}

/// Normal equations: the lower triangle of X'X row by row, and X'y.
#[derive(Debug, Clone)]
struct Normal {
    size: usize,
    squares: Vec<f64>,
    moments: Vec<f64>,
}

impl Normal {
    fn new(size: usize) -> Self {
        Self { size, squares: vec![0.0; size * size], moments: vec![0.0; size] }
    }

    fn rows(&self) -> f64 {
        self.squares[0]
    }

    fn add(&mut self, row: &[f64], reward: f64) {
        for (i, value) in row.iter().enumerate() {
            for (j, other) in row[..=i].iter().enumerate() {
                self.squares[i * self.size + j] += value * other;
            }
            self.moments[i] += value * reward;
        }
    }

    fn merge(&mut self, other: &Self) {
        self.squares.iter_mut().zip(&other.squares).for_each(|(one, more)| *one += more);
        self.moments.iter_mut().zip(&other.moments).for_each(|(one, more)| *one += more);
    }

    /// Intercept and slopes by Cholesky's factors: with a penalty and a row the matrix is positive definite. Without a row
    /// the intercept is `otherwise`.
    fn solve(mut self, penalty: f64, otherwise: f64) -> Vec<f64> {
        let n = self.size;
        if self.rows() == 0.0 {
            let mut constant = vec![0.0; n];
            constant[0] = otherwise;
            return constant;
        }
        (1..n).for_each(|i| self.squares[i * n + i] += penalty);
        let (factor, solution) = (&mut self.squares, &mut self.moments);
        for i in 0..n {
            for j in 0..=i {
                let product: f64 = (0..j).map(|k| factor[i * n + k] * factor[j * n + k]).sum();
                let rest = factor[i * n + j] - product;
                // Rounding must not push a pivot to 0: the penalty bounds those of slopes from below.
                factor[i * n + j] =
                    if i == j { rest.max(f64::MIN_POSITIVE).sqrt() } else { rest / factor[j * n + j] };
            }
        }
        for i in 0..n {
            let known: f64 = (0..i).map(|k| factor[i * n + k] * solution[k]).sum();
            solution[i] = (solution[i] - known) / factor[i * n + i];
        }
        for i in (0..n).rev() {
            let known: f64 = (i + 1..n).map(|k| factor[k * n + i] * solution[k]).sum();
            solution[i] = (solution[i] - known) / factor[i * n + i];
        }
        self.moments
    }
}

//! Maximum mean discrepancy by random Fourier features.

use super::Error;
use super::columns::{check, standardise};
use super::fourier::Features;
use super::random::Random;

/// How [`mmd`] computes.
#[derive(Debug, Clone, PartialEq)]
pub struct MmdOptions {
    /// Random frequencies; the error of the kernel's approximation is about `1 / sqrt(frequencies)`.
    pub frequencies: usize,
    /// The kernel's bandwidth, in the unit of standardised columns; none: the median distance between pairs of rows.
    pub bandwidth: Option<f64>,
    /// Permutations behind the p-value; 0: no p-value.
    pub permutations: usize,
    /// Of the frequencies, the pairs and the permutations.
    pub seed: u64,
}

impl Default for MmdOptions {
    fn default() -> Self {
        Self { frequencies: 256, bandwidth: None, permutations: 0, seed: 0 }
    }
}

/// The squared discrepancy between two windows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mmd {
    /// The V-statistic: never negative, grows with noise.
    pub biased: f64,
    /// The U-statistic: around 0 without drift, may be negative.
    pub unbiased: f64,
    /// `sqrt(max(unbiased, 0))`, at most the root of 2.
    pub effect: f64,
    /// The kernel's bandwidth.
    pub bandwidth: f64,
    /// The share of permutations with a statistic at least as large, the windows' own split counted.
    pub p_value: Option<f64>,
}

/// The maximum mean discrepancy (Gretton et al., 2012) of the Gaussian kernel exp(-|x - y|^2 / (2 bandwidth^2)) over
/// standardised columns, the kernel approximated by random Fourier features (Rahimi and Recht, 2007).
///
/// Columns are standardised by both windows together; missing values become the mean and a column of their own. Time
/// and memory: rows x frequencies, with p-values times permutations.
///
/// # Errors
/// Windows with other columns or fewer than 2 rows, or without a column that varies.
pub fn mmd(reference: &[Vec<f64>], current: &[Vec<f64>], options: &MmdOptions) -> Result<Mmd, Error> {
    let rows = check([reference, current], 2)?;
    let columns = standardise([reference, current]);
    if columns.is_empty() {
        return Err(Error::Constant);
    }
    let bandwidth = options.bandwidth.unwrap_or_else(|| median_distance(&columns, options.seed));
    let features = Features::of(&columns, options.frequencies.max(1), bandwidth, options.seed);
    let sums = Sums::of(&features, rows);
    let (biased, unbiased) = sums.discrepancies();
    let p_value = (options.permutations > 0).then(|| permutation_p_value(&features, &sums, options));
    Ok(Mmd { biased, unbiased, effect: unbiased.max(0.0).sqrt(), bandwidth, p_value })
}

/// The median distance of 2,000 random pairs of different rows; 1 if most rows are equal.
fn median_distance(columns: &[Vec<f64>], seed: u64) -> f64 {
    const PAIRS: usize = 2000;
    let mut random = Random::of(seed, 1);
    let rows = columns.first().map_or(0, Vec::len);
    let mut squares: Vec<f64> = (0..PAIRS)
        .map(|_| {
            let first = random.below(rows);
            let second = (first + 1 + random.below(rows - 1)) % rows;
            columns.iter().map(|column| (column[first] - column[second]).powi(2)).sum()
        })
        .collect();
    squares.sort_unstable_by(f64::total_cmp);
    let median = squares[PAIRS / 2].sqrt();
    if median > 0.0 { median } else { 1.0 }
}

/// Sums of the features over each window.
struct Sums {
    rows: [usize; 2],
    windows: [Vec<f64>; 2],
}

impl Sums {
    fn of(features: &Features, rows: [usize; 2]) -> Self {
        let windows = [features.sum(0..rows[0]), features.sum(rows[0]..rows[0] + rows[1])];
        Self { rows, windows }
    }

    /// The biased and the unbiased estimate. Every row's features have length 1, which is k(x, x).
    fn discrepancies(&self) -> (f64, f64) {
        let [m, n] = self.rows.map(|r| r as f64);
        let [x, y] = &self.windows;
        let (xx, yy, xy) = (dot(x, x), dot(y, y), dot(x, y));
        let biased = xx / (m * m) + yy / (n * n) - 2.0 * xy / (m * n);
        let unbiased = (xx - m) / (m * (m - 1.0)) + (yy - n) / (n * (n - 1.0)) - 2.0 * xy / (m * n);
        (biased.max(0.0), unbiased)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Draws the reference's rows anew from both windows, again and again.
fn permutation_p_value(features: &Features, own: &Sums, options: &MmdOptions) -> f64 {
    let mut random = Random::of(options.seed, 2);
    let (_, observed) = own.discrepancies();
    let all: Vec<f64> = own.windows[0].iter().zip(&own.windows[1]).map(|(x, y)| x + y).collect();
    let mut order: Vec<usize> = (0..own.rows[0] + own.rows[1]).collect();
    let mut as_large = 1;
    for _ in 0..options.permutations {
        random.choose(&mut order, own.rows[0]);
        let drawn = features.sum(order[..own.rows[0]].iter().copied());
        let rest = all.iter().zip(&drawn).map(|(all, drawn)| all - drawn).collect();
        let (_, permuted) = Sums { rows: own.rows, windows: [drawn, rest] }.discrepancies();
        as_large += usize::from(permuted >= observed);
    }
    as_large as f64 / (options.permutations + 1) as f64
}

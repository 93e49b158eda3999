//! A classifier that tells rows of the current window from rows of the reference.

use super::Error;
use super::boost::{Boosted, LIMITS, Parts, boost};
use super::columns::check;
use super::random::Random;
use crate::boosting::{Bins, Codes};
use crate::sample::Sample;
use crate::two_sample::rank_biserial;

/// How [`domain_classifier`] learns.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassifierOptions {
    /// Parts of the cross-validation, at least 2.
    pub folds: usize,
    /// Trees per part.
    pub trees: usize,
    /// Columns that each tree may use: half of them those that tell most by themselves, half at random.
    pub columns_per_tree: usize,
    /// Of the folds and of each tree's columns.
    pub seed: u64,
}

impl Default for ClassifierOptions {
    fn default() -> Self {
        Self { folds: 5, trees: 40, columns_per_tree: 64, seed: 0 }
    }
}

/// How well the windows are told apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Domains {
    /// Area under the ROC curve of rows held out, mean over folds: 0.5 = not at all, 1 = without error.
    pub auc: f64,
    /// Its standard error (Hanley and McNeil, 1982).
    pub standard_error: f64,
    /// `max(2 auc - 1, 0)`.
    pub effect: f64,
    /// Columns that helped to tell rows held out apart, the most telling first.
    pub columns: Vec<ColumnShare>,
}

/// What a column contributed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ColumnShare {
    /// Which column, from 0.
    pub column: usize,
    /// Its share of what all columns lowered the loss of rows held out by; all shares sum to 1.
    pub share: f64,
}

/// Learns boosted shallow trees that tell the windows apart, on all folds but one, and scores that one. Columns may be
/// of any scale; a missing value is a value of its own; categories are passed as numbers.
///
/// # Errors
/// Windows with other columns, with fewer than 2 rows a fold, or without a column that varies.
pub fn domain_classifier(
    reference: &[Vec<f64>],
    current: &[Vec<f64>],
    options: &ClassifierOptions,
) -> Result<Domains, Error> {
    let folds = options.folds.max(2);
    let rows = check([reference, current], 2 * folds)?;
    let columns = || reference.iter().zip(current).map(|(a, b)| a.iter().chain(b).copied());
    let codes = Codes::of(&Bins::of(columns(), LIMITS.bins), columns());
    if codes.are_constant() {
        return Err(Error::Constant);
    }
    let labels: Vec<bool> = (0..rows[0] + rows[1]).map(|row| row >= rows[0]).collect();
    let fold_of = assign(rows, folds, &mut Random::of(options.seed, 3));
    let (mut auc, mut gains) = (0.0, vec![0.0; codes.columns()]);
    for fold in 0..folds {
        let (held, train) = (0..labels.len() as u32).partition(|row| fold_of[*row as usize] == fold);
        let parts = Parts { train, held };
        let limits = (options.trees, options.columns_per_tree);
        let mut random = Random::of(options.seed, 4 + fold as u64);
        let boosted = boost(&codes, &labels, &parts, limits, &mut random);
        auc += area(&boosted, &labels, &parts.held) / folds as f64;
        gains.iter_mut().zip(&boosted.gains).for_each(|(sum, gain)| *sum += gain);
    }
    let standard_error = standard_error(auc, rows.map(|r| r as f64));
    Ok(Domains { auc, standard_error, effect: (2.0 * auc - 1.0).max(0.0), columns: shares(&gains) })
}

/// A fold for every row, so that each has nearly the same number of rows of either window.
fn assign(rows: [usize; 2], folds: usize, random: &mut Random) -> Vec<usize> {
    let mut fold_of = Vec::with_capacity(rows[0] + rows[1]);
    for window in rows {
        let mut folds: Vec<usize> = (0..window).map(|row| row % folds).collect();
        random.choose(&mut folds, window);
        fold_of.extend(folds);
    }
    fold_of
}

/// The probability that a current row's score exceeds a reference row's.
fn area(boosted: &Boosted, labels: &[bool], held: &[u32]) -> f64 {
    let of = |label: bool| {
        let rows = held.iter().map(|row| *row as usize).filter(move |row| labels[*row] == label);
        Sample::of(rows.map(|row| boosted.scores[row]))
    };
    (1.0 + rank_biserial(&of(false), &of(true)).unwrap_or(0.0)) / 2.0
}

fn standard_error(auc: f64, [m, n]: [f64; 2]) -> f64 {
    let above = auc / (2.0 - auc) - auc * auc;
    let below = 2.0 * auc * auc / (1.0 + auc) - auc * auc;
    let variance = auc * (1.0 - auc) + (n - 1.0) * above + (m - 1.0) * below;
    (variance.max(0.0) / (m * n)).sqrt()
}

/// The columns with a gain, the largest first.
fn shares(gains: &[f64]) -> Vec<ColumnShare> {
    let helped = || gains.iter().enumerate().filter(|(_, gain)| **gain > 0.0);
    let all: f64 = helped().map(|(_, gain)| gain).sum();
    let mut columns: Vec<ColumnShare> =
        helped().map(|(column, gain)| ColumnShare { column, share: gain / all }).collect();
    columns.sort_by(|a, b| b.share.total_cmp(&a.share));
    columns
}

//! Whether probabilities mean what they say.

use crate::performance::interval::MEAN_MINIMUM;
use crate::performance::special::chi_square_quantile;
use crate::performance::{Estimate, Interval, Measured, ScoreCounts, Undefined};

/// One bin of a reliability curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationBin {
    /// Rows in the bin.
    pub rows: u64,
    /// Of them positive.
    pub positives: u64,
    /// Mean predicted probability.
    pub confidence: f64,
}

impl CalibrationBin {
    /// Share of positives minus mean predicted probability.
    pub fn gap(&self) -> f64 {
        self.positives as f64 / self.rows as f64 - self.confidence
    }

    /// Variance of the gap: the larger of that by the share of positives (half a row of either class added, so that a
    /// bin of one class is not held for certain) and that by the probabilities, which holds where they are right.
    fn variance(&self) -> f64 {
        let n = self.rows as f64;
        let share = (self.positives as f64 + 0.5) / (n + 1.0);
        (share * (1.0 - share)).max(self.confidence * (1.0 - self.confidence)) / n
    }
}

/// The rows in `bins` bins of equal width over [0, 1], each closed below and open above (the last one closed); empty
/// bins are left out.
///
/// # Errors
/// Without rows or bins, or with a score outside [0, 1].
pub fn calibration_bins(counts: &ScoreCounts, bins: usize) -> Result<Vec<CalibrationBin>, Undefined> {
    if counts.rows() == 0 || bins == 0 {
        return Err(Undefined::NoRows);
    }
    let mut curve = vec![CalibrationBin { rows: 0, positives: 0, confidence: 0.0 }; bins];
    for (score, at) in counts.ascending() {
        if !(0.0..=1.0).contains(&score) {
            return Err(Undefined::NotProbability { score: score.to_string() });
        }
        let bin = &mut curve[((score * bins as f64) as usize).min(bins - 1)];
        bin.rows += at.rows();
        bin.positives += at.positives;
        bin.confidence += score * at.rows() as f64;
    }
    curve.retain(|bin| bin.rows > 0);
    curve.iter_mut().for_each(|bin| bin.confidence /= bin.rows as f64);
    Ok(curve)
}

/// Expected calibration error: the distance between the share of positives and the mean probability in each of `bins`
/// bins of equal width, weighted by their rows. C. Guo et al., "On calibration of modern neural networks", ICML 2017,
/// equation 3.
///
/// The value is above zero by noise alone. The interval is not: it spans the errors of all gaps inside the joint 95 %
/// region of the measured ones (H. Scheffé's ellipsoid, "The Analysis of Variance", 1959, section 3.5), and so covers
/// at least 95 %; it starts at 0 while perfect calibration is not refuted.
///
/// # Errors
/// Without rows or bins, or with a score outside [0, 1].
pub fn expected_calibration_error(counts: &ScoreCounts, bins: usize) -> Measured {
    let curve = calibration_bins(counts, bins)?;
    let rows = counts.rows();
    let terms: Vec<Term> = curve
        .iter()
        .map(|bin| Term {
            weight: bin.rows as f64 / rows as f64,
            gap: bin.gap().abs(),
            variance: bin.variance(),
        })
        .collect();
    let value: f64 = terms.iter().map(|term| term.weight * term.gap).sum();
    let radius = chi_square_quantile(terms.len() as f64, 0.05);
    let spread: f64 = terms.iter().map(|term| term.weight * term.weight * term.variance).sum();
    let interval = Interval { low: least(&terms, radius), high: (value + (radius * spread).sqrt()).min(1.0) };
    Ok(Estimate { value, interval, support: rows, minimum: MEAN_MINIMUM * bins as u64 })
}

struct Term {
    weight: f64,
    gap: f64,
    variance: f64,
}

/// The least weighted sum of gaps whose squared distance from the measured ones is at most `radius` variances. By
/// Lagrange, each gap shrinks by a multiple of weight times variance, no further than to zero.
fn least(terms: &[Term], radius: f64) -> f64 {
    let shrunk = |term: &Term, by: f64| (term.gap - by * term.weight * term.variance).max(0.0);
    let distance = |by: f64| -> f64 {
        terms.iter().map(|term| (term.gap - shrunk(term, by)).powi(2) / term.variance).sum()
    };
    let whole = terms.iter().map(|term| term.gap / (term.weight * term.variance)).fold(0.0, f64::max);
    if distance(whole) <= radius {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, whole);
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        *(if distance(middle) <= radius { &mut low } else { &mut high }) = middle;
    }
    terms.iter().map(|term| term.weight * shrunk(term, low)).sum()
}

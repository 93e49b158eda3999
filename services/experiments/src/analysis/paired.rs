//! Two versions that scored the same rows, one of them as shadow: the rows' own spread cancels, so far fewer rows are
//! needed than between arms.

use millrace_statistics::distribution::normal;
use serde::{Deserialize, Serialize};

use super::{Effect, Estimate, Metric, Side, Sums, Tested, Undefined};

/// A row that both versions scored. Scores are numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// The outcome; of no meaning to metrics that need none.
    pub positive: bool,
    /// The control's score.
    pub control: f64,
    /// The treatment's score.
    pub treatment: f64,
}

/// Metrics that are means over rows; a difference is treatment less control.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowMetric {
    /// -ln of the probability given to the outcome, probabilities kept 1e-15 from 0 and 1. Less is better.
    LogLoss,
    /// The squared distance of the probability from the outcome. Less is better.
    Brier,
    /// The score itself, without a label: as both versions have the same outcomes, also the difference in calibration in
    /// the large (mean score less share of positives).
    Score,
    /// 1 where both scores lie on the same side of the threshold, else 0: a share, not a difference.
    Agreement(f64),
}

impl RowMetric {
    /// What one row adds.
    pub fn of(self, row: &Scored) -> f64 {
        match self {
            Self::LogLoss => log_loss(row.treatment, row.positive) - log_loss(row.control, row.positive),
            Self::Brier => brier(row.treatment, row.positive) - brier(row.control, row.positive),
            Self::Score => row.treatment - row.control,
            Self::Agreement(threshold) => {
                f64::from(u8::from((row.control >= threshold) == (row.treatment >= threshold)))
            }
        }
    }
}

fn log_loss(probability: f64, positive: bool) -> f64 {
    let given = if positive { probability } else { 1.0 - probability };
    -libm::log(given.clamp(1e-15, 1.0))
}

fn brier(probability: f64, positive: bool) -> f64 {
    let off = probability - f64::from(u8::from(positive));
    off * off
}

/// The mean of a row metric as an effect that every test takes. A unit's rows are summed: y the metric, x the rows, so that
/// the variance is that of units; where rows are independent each is its own unit, and this is the paired t test.
///
/// # Errors
/// Fewer than two units; rows that are all alike.
pub fn effect(sums: &Sums) -> Result<Effect, Undefined> {
    if sums.units() < 2 {
        return Err(Undefined::TooFewRows { rows: sums.units() });
    }
    Effect::of_one(&Estimate::of(Metric::Ratio, sums, Side::Treatment)?)
}

/// Two areas under the ROC curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PairedAuc {
    /// The control's.
    pub control: f64,
    /// The treatment's.
    pub treatment: f64,
    /// Treatment less control.
    pub tested: Tested,
    /// Rows of the positive class.
    pub positives: u64,
    /// Rows of the other.
    pub negatives: u64,
}

/// The test of two areas on the same rows of E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, "Comparing the areas under
/// two or more correlated receiver operating characteristic curves", 1988; ties count half. `null` is the difference asked
/// about. In O(n log n).
///
/// # Errors
/// Fewer than two rows of either class; two versions that order the rows alike.
pub fn auc(rows: &[Scored], null: f64, alpha: f64) -> Result<PairedAuc, Undefined> {
    let positives = rows.iter().filter(|row| row.positive).count();
    let negatives = rows.len() - positives;
    if positives < 2 || negatives < 2 {
        return Err(Undefined::OneClass { positives: positives as u64, negatives: negatives as u64 });
    }
    let control = placements(rows, |row| row.control);
    let treatment = placements(rows, |row| row.treatment);
    let mean = |placed: &[f64]| {
        rows.iter().zip(placed).filter(|(row, _)| row.positive).map(|(_, placed)| placed).sum::<f64>()
            / positives as f64
    };
    let spread = |positive: bool, count: usize| {
        let of = rows.iter().zip(control.iter().zip(&treatment)).filter(|(row, _)| row.positive == positive);
        let differences: Vec<f64> = of.map(|(_, (control, treatment))| treatment - control).collect();
        let mean = differences.iter().sum::<f64>() / count as f64;
        let squares: f64 =
            differences.iter().map(|difference| (difference - mean) * (difference - mean)).sum();
        squares / (count as f64 - 1.0) / count as f64
    };
    let variance = spread(true, positives) + spread(false, negatives);
    if variance.is_nan() || variance <= 0.0 {
        return Err(Undefined::NoDifference);
    }
    let (control, treatment) = (mean(&control), mean(&treatment));
    let (difference, standard_error) = (treatment - control, variance.sqrt());
    let width = normal::isf(alpha / 2.0) * standard_error;
    let p_value = 2.0 * normal::sf((difference - null).abs() / standard_error);
    let tested =
        Tested { difference, standard_error, low: difference - width, high: difference + width, p_value };
    Ok(PairedAuc { control, treatment, tested, positives: positives as u64, negatives: negatives as u64 })
}

/// Per row the share of the other class that it is rightly ordered against, ties counting half.
fn placements(rows: &[Scored], score: impl Fn(&Scored) -> f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|a, b| score(&rows[*a]).total_cmp(&score(&rows[*b])));
    let all = rows.iter().filter(|row| row.positive).count() as f64;
    let others = rows.len() as f64 - all;
    let (mut below, mut placed) = ([0.0, 0.0], vec![0.0; rows.len()]);
    for tied in order.chunk_by(|a, b| score(&rows[*a]) == score(&rows[*b])) {
        let positive = tied.iter().filter(|at| rows[**at].positive).count() as f64;
        let negative = tied.len() as f64 - positive;
        for at in tied {
            placed[*at] = if rows[*at].positive {
                (below[0] + negative / 2.0) / others
            } else {
                (all - below[1] - positive / 2.0) / all
            };
        }
        below = [below[0] + negative, below[1] + positive];
    }
    placed
}

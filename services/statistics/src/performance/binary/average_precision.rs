//! Average precision.

use crate::performance::interval::{Z, logit, wilson};
use crate::performance::{Estimate, Measured, Outcomes, ScoreCounts, Undefined};

/// Positives below which the interval is not to be trusted.
const MINIMUM: u64 = 20;

/// Precision averaged over the positives, at each distinct score: the area under the step curve of precision over
/// recall, without interpolation, as scikit-learn's `average_precision_score`.
///
/// Interval: the logit interval of K. Boyd, K. H. Eng, C. D. Page, "Area under the precision-recall curve: point
/// estimates and confidence intervals", ECML PKDD 2013, section 3.1; Wilson's over the positives where the value is 1.
///
/// # Errors
/// Without rows or without positives.
pub fn average_precision(counts: &ScoreCounts) -> Measured {
    let total = counts.total();
    let Outcomes { positives, .. } = total;
    if total.rows() == 0 {
        return Err(Undefined::NoRows);
    }
    if positives == 0 {
        return Err(Undefined::NoPositives { rows: total.rows() });
    }
    let (mut taken, mut hits, mut area) = (0, 0, 0.0);
    for (_, at) in counts.descending() {
        taken += at.rows();
        hits += at.positives;
        area += at.positives as f64 * (hits as f64 / taken as f64);
    }
    let n = positives as f64;
    let value = (area / n).min(1.0);
    let interval =
        if value < 1.0 { logit(value, (value * (1.0 - value) / n).sqrt()) } else { wilson(n, n, Z) };
    Ok(Estimate { value, interval, support: positives, minimum: MINIMUM })
}

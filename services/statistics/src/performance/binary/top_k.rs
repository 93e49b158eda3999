//! Precision and recall among the highest scores.
//!
//! Rows tied at the k-th score are taken in proportion: the figure is the mean over all orders of the tied rows.
//! F. McSherry, M. Najork, "Computing information retrieval performance measures efficiently in the presence of tied
//! scores", ECIR 2008.

use super::confusion::MINIMUM;
use crate::performance::interval::{Z, wilson};
use crate::performance::{Estimate, Measured, ScoreCounts, Undefined};

/// Share of positives among the `k` highest scores. Wilson's interval.
///
/// # Errors
/// With fewer rows than `k`, or without rows.
pub fn precision_at_k(counts: &ScoreCounts, k: u64) -> Measured {
    Ok(share(hits(counts, k)?, k))
}

/// Share of the positives that are among the `k` highest scores. Wilson's interval.
///
/// # Errors
/// With fewer rows than `k`, without rows, or without positives.
pub fn recall_at_k(counts: &ScoreCounts, k: u64) -> Measured {
    let hits = hits(counts, k)?;
    match counts.total().positives {
        0 => Err(Undefined::NoPositives { rows: counts.rows() }),
        positives => Ok(share(hits, positives)),
    }
}

fn share(hits: f64, rows: u64) -> Estimate {
    let n = rows as f64;
    Estimate { value: hits / n, interval: wilson(hits, n, Z), support: rows, minimum: MINIMUM }
}

/// Positives expected among the `k` highest scores.
fn hits(counts: &ScoreCounts, k: u64) -> Result<f64, Undefined> {
    if counts.rows() == 0 || k == 0 {
        return Err(Undefined::NoRows);
    }
    if counts.rows() < k {
        return Err(Undefined::FewerThanK { rows: counts.rows(), k });
    }
    let (mut taken, mut hits) = (0, 0);
    for (_, at) in counts.descending() {
        if taken + at.rows() >= k {
            let part = (k - taken) as f64 / at.rows() as f64;
            return Ok(hits as f64 + at.positives as f64 * part);
        }
        taken += at.rows();
        hits += at.positives;
    }
    Ok(hits as f64)
}

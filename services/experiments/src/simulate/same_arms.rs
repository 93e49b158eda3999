//! A/A tests on real rows: how often a test sees a difference where arms differ by nothing but the draw.

use serde::Serialize;

use crate::analysis::{Effect, Estimate, Metric, Scale, Side, Sums, Undefined, fixed};
use crate::assignment::hash::{BUCKETS, bucket};

/// A unit's rows.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitRows {
    /// Who is assigned.
    pub unit: String,
    /// How many rows.
    pub rows: u64,
    /// The sum of their values.
    pub sum: f64,
    /// The sum of their squares.
    pub squares: f64,
}

/// How often the mean of a row was found to differ between two halves of the units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SameArms {
    /// Experiments, each with its own salt.
    pub replications: u64,
    /// Rejections at this level are counted.
    pub alpha: f64,
    /// Units.
    pub units: u64,
    /// Their rows.
    pub rows: u64,
    /// Rejections by Welch's test of units: a ratio, its variance by the delta method.
    pub by_unit: u64,
    /// Rejections by Welch's test of rows, as if they were independent.
    pub by_row: u64,
}

/// Assigns the units to two halves again and again, by the hash that assigns real ones and salts of the seed.
///
/// # Errors
/// Too few units, or values that are all the same.
pub fn same_arms(
    units: &[UnitRows],
    replications: u64,
    alpha: f64,
    seed: u64,
) -> Result<SameArms, Undefined> {
    let rows: u64 = units.iter().map(|unit| unit.rows).sum();
    let mean = units.iter().map(|unit| unit.sum).sum::<f64>() / rows.max(1) as f64;
    let (mut by_unit, mut by_row) = (0, 0);
    for replication in 0..replications {
        let salt = format!("{seed}/{replication}");
        let (mut sums, mut halves) = ([Sums::default(), Sums::default()], [Half::default(); 2]);
        for unit in units {
            let arm = usize::from(bucket(&salt, &unit.unit) >= BUCKETS / 2);
            sums[arm].add(unit.sum, unit.rows as f64);
            halves[arm].add(unit, mean);
        }
        by_unit += u64::from(rejects(sums.each_ref().map(ratio), alpha)?);
        by_row += u64::from(rejects(halves.map(|half| Ok(half.estimate())), alpha)?);
    }
    Ok(SameArms { replications, alpha, units: units.len() as u64, rows, by_unit, by_row })
}

fn ratio(sums: &Sums) -> Result<Estimate, Undefined> {
    Estimate::of(Metric::Ratio, sums, Side::Control)
}

fn rejects(arms: [Result<Estimate, Undefined>; 2], alpha: f64) -> Result<bool, Undefined> {
    let [control, treatment] = arms;
    let effect = Effect::of(&control?, &treatment?, Scale::Absolute)?;
    Ok(fixed::welch(&effect, 0.0, alpha).p_value <= alpha)
}

/// Rows of one half, counted from the mean of all, so that squares cost no digits.
#[derive(Debug, Clone, Copy, Default)]
struct Half {
    rows: u64,
    sum: f64,
    squares: f64,
}

impl Half {
    fn add(&mut self, unit: &UnitRows, mean: f64) {
        let n = unit.rows as f64;
        self.rows += unit.rows;
        self.sum += unit.sum - n * mean;
        self.squares += unit.squares - 2.0 * mean * unit.sum + n * mean * mean;
    }

    fn estimate(&self) -> Estimate {
        let n = self.rows as f64;
        let mean = self.sum / n;
        let variance = (self.squares - n * mean * mean) / (n - 1.0);
        Estimate { units: self.rows, mean, raw_mean: mean, variance }
    }
}

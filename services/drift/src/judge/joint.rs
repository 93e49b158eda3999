//! All columns of two windows together, by their kept rows.

use std::collections::BTreeMap;

use millrace_statistics::two_sample::dataset::{ClassifierOptions, MmdOptions, domain_classifier, mmd};

use super::column::{Measured, cohen};
use super::measure::Measure;
use crate::profile::{Kind, Profile, SampleColumn};
use crate::reference::Support;

/// Rows that each window must keep.
const MIN_ROWS: usize = 50;

/// What is measured of all columns together.
pub fn joint_measures() -> [Measure; 3] {
    [Measure::OutsideJointly, Measure::Mmd, Measure::Classifier]
}

/// Measures all columns together, ids aside (their values never come back) and those of index `skip`. The classifier also gives the columns that
/// tell the windows apart, by index in the plan, with their shares, the most telling first.
///
/// # Errors
/// Why there is no result, for people.
pub fn measure_joint(
    measure: Measure,
    reference: &Profile,
    current: &Profile,
    support: Option<&Support>,
    skip: &[usize],
    seed: u64,
) -> Result<(Measured, Vec<(usize, f64)>), String> {
    let (a, b) = (reference.sample_rows(), current.sample_rows());
    let kept = [("reference", &a), ("current", &b)];
    if let Some((window, rows)) = kept.into_iter().find(|(_, rows)| rows.ids.len() < MIN_ROWS) {
        return Err(format!(
            "{measure} needs {MIN_ROWS} kept rows, the {window} window has {}",
            rows.ids.len()
        ));
    }
    let found = Measured {
        rows: current.rows(),
        reference_rows: reference.rows(),
        p_rows: Some(b.ids.len() as u64),
        ..Measured::default()
    };
    if measure == Measure::OutsideJointly {
        let support = support.ok_or("the reference keeps too few rows to know its support")?;
        return Ok((outside(found, support, current), Vec::new()));
    }
    let taken = |i: &usize| reference.plan().columns[*i].kind != Kind::Id && !skip.contains(i);
    let columns: Vec<usize> = (0..a.columns.len()).filter(taken).collect();
    let (x, y): (Vec<_>, Vec<_>) = columns.iter().map(|i| numbers(&a.columns[*i], &b.columns[*i])).unzip();
    if measure == Measure::Mmd {
        let result = mmd(&x, &y, &MmdOptions { seed, ..MmdOptions::default() }).map_err(|e| e.to_string())?;
        let found = Measured { statistic: result.unbiased, effect: result.effect, ..found };
        return Ok((found, Vec::new()));
    }
    let options = ClassifierOptions { seed, ..ClassifierOptions::default() };
    let result = domain_classifier(&x, &y, &options).map_err(|e| e.to_string())?;
    let telling = result.columns.iter().filter_map(|c| Some((*columns.get(c.column)?, c.share))).collect();
    Ok((Measured { statistic: result.auc, effect: result.effect, ..found }, telling))
}

fn outside(found: Measured, support: &Support, current: &Profile) -> Measured {
    let distances = support.distances(current);
    let far = distances.iter().filter(|distance| **distance > support.bound()).count();
    let (p, q) = (support.expected_share(), far as f64 / distances.len().max(1) as f64);
    Measured { statistic: q - p, effect: cohen(p, q).max(0.0), shares: Some((p, q)), ..found }
}

/// A column of both windows as numbers. Values of a category become the middle of their place among the reference's
/// rows, the most frequent first: those that occur alike lie apart, and what the reference does not have lies beyond.
fn numbers(reference: &SampleColumn, current: &SampleColumn) -> (Vec<f64>, Vec<f64>) {
    match (reference, current) {
        (SampleColumn::Numbers(a), SampleColumn::Numbers(b)) => (a.clone(), b.clone()),
        (SampleColumn::Hashes(a), SampleColumn::Hashes(b)) => {
            let codes = codes(a);
            let coded = |hashes: &[u64]| {
                let code = |hash: &u64| match hash {
                    0 => f64::NAN,
                    hash => codes.get(hash).copied().unwrap_or(1.25),
                };
                hashes.iter().map(code).collect()
            };
            (coded(a), coded(b))
        }
        _ => (Vec::new(), Vec::new()),
    }
}

fn codes(hashes: &[u64]) -> BTreeMap<u64, f64> {
    let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
    for hash in hashes.iter().filter(|hash| **hash != 0) {
        *counts.entry(*hash).or_default() += 1;
    }
    let total = counts.values().sum::<u64>().max(1) as f64;
    let mut order: Vec<(u64, u64)> = counts.into_iter().collect();
    order.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut before = 0.0;
    let mut codes = BTreeMap::new();
    for (hash, count) in order {
        codes.insert(hash, (before + count as f64 / 2.0) / total);
        before += count as f64;
    }
    codes
}

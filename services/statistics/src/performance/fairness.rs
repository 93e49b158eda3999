//! Differences between declared groups, from the confusion counts of each; fairlearn's definitions.

use std::collections::BTreeMap;

use super::binary::Confusion;
use super::interval::newcombe;
use super::special::normal_quantile;
use super::{Estimate, Interval, Undefined};

/// Rows in a group's denominator below which a difference is not to be judged.
const MINIMUM: u64 = 30;

/// The largest difference between two groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The difference with its interval; the support is the smallest denominator of the groups compared.
    pub estimate: Estimate,
    /// The group with the highest rate.
    pub highest: String,
    /// The group with the lowest rate.
    pub lowest: String,
    /// Groups without a row in the rate's denominator.
    pub left_out: Vec<String>,
}

/// A group with its rate's numerator and denominator.
struct Group<'a> {
    name: &'a str,
    hits: u64,
    rows: u64,
}

impl Group<'_> {
    fn share(&self) -> f64 {
        self.hits as f64 / self.rows as f64
    }

    fn counts(&self) -> (f64, f64) {
        (self.hits as f64, self.rows as f64)
    }
}

/// What is compared between groups: a name, and (successes, rows) of a group.
type Rate = (&'static str, fn(&Confusion) -> (u64, u64));

const SELECTION: Rate = ("selection rate", |group| (group.selected(), group.rows()));
const TRUE_POSITIVE: Rate = ("true positive rate", |group| (group.true_positives, group.positives()));
const FALSE_POSITIVE: Rate =
    ("false positive rate", |group| (group.false_positives, group.false_positives + group.true_negatives));

/// Highest minus lowest share of rows predicted positive. C. Dwork et al., "Fairness through awareness", ITCS 2012.
///
/// # Errors
/// With fewer than two groups that have rows.
pub fn demographic_parity(groups: &BTreeMap<String, Confusion>) -> Result<Difference, Undefined> {
    difference(groups, SELECTION, 1)
}

/// Highest minus lowest true positive rate. M. Hardt, E. Price, N. Srebro, "Equality of opportunity in supervised
/// learning", NeurIPS 2016.
///
/// # Errors
/// With fewer than two groups that have positives.
pub fn equal_opportunity(groups: &BTreeMap<String, Confusion>) -> Result<Difference, Undefined> {
    difference(groups, TRUE_POSITIVE, 1)
}

/// The larger of the differences of true and of false positive rates (Hardt et al.; fairlearn's `worst_case`); its
/// interval spans the larger of both ends.
///
/// # Errors
/// With fewer than two groups that have positives, or negatives.
pub fn equalised_odds(groups: &BTreeMap<String, Confusion>) -> Result<Difference, Undefined> {
    let hits = difference(groups, TRUE_POSITIVE, 2)?;
    let alarms = difference(groups, FALSE_POSITIVE, 2)?;
    let (a, b) = (hits.estimate, alarms.estimate);
    let interval =
        Interval { low: a.interval.low.max(b.interval.low), high: a.interval.high.max(b.interval.high) };
    let larger = if a.value >= b.value { hits } else { alarms };
    let support = a.support.min(b.support);
    Ok(Difference { estimate: Estimate { interval, support, ..larger.estimate }, ..larger })
}

/// Each pair of groups has Newcombe's interval, all of them together (and with those of `families - 1` other rates) at
/// 95 % by Bonferroni; the largest difference then lies between the largest lower and the largest upper end.
fn difference(
    groups: &BTreeMap<String, Confusion>,
    (name, rate): Rate,
    families: usize,
) -> Result<Difference, Undefined> {
    let rates = groups.iter().map(|(name, counts)| {
        let (hits, rows) = rate(counts);
        Group { name, hits, rows }
    });
    let (defined, empty): (Vec<Group>, Vec<Group>) = rates.partition(|group| group.rows > 0);
    // Equals go by name, so that reports are reproducible.
    let by_rate = |a: &&Group, b: &&Group| a.share().total_cmp(&b.share()).then(b.name.cmp(a.name));
    let (Some(highest), Some(lowest), true) =
        (defined.iter().max_by(by_rate), defined.iter().min_by(by_rate), defined.len() > 1)
    else {
        return Err(Undefined::TooFewGroups { defined: defined.len(), groups: groups.len(), rate: name });
    };
    let pairs = defined.len() * (defined.len() - 1) / 2 * families;
    let z = normal_quantile(0.025 / pairs as f64);
    let mut interval = Interval { low: 0.0, high: 0.0_f64 };
    for a in &defined {
        for b in defined.iter().filter(|b| b.name != a.name) {
            let pair = newcombe(a.counts(), b.counts(), z);
            interval = Interval { low: interval.low.max(pair.low), high: interval.high.max(pair.high) };
        }
    }
    let support = defined.iter().map(|group| group.rows).min().unwrap_or(0);
    Ok(Difference {
        estimate: Estimate { value: highest.share() - lowest.share(), interval, support, minimum: MINIMUM },
        highest: highest.name.to_owned(),
        lowest: lowest.name.to_owned(),
        left_out: empty.into_iter().map(|group| group.name.to_owned()).collect(),
    })
}

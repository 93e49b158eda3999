//! Differences between declared groups.
use std::collections::BTreeMap;

use super::binary::Confusion;
use super::{Estimate, Undefined};
/// A difference between groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The difference with its interval.
    pub estimate: Estimate,
    /// The group with the highest rate.
    pub highest: String,
    /// The group with the lowest rate.
    pub lowest: String,
    /// Groups on which the rate is undefined.
    pub left_out: Vec<String>,
}
/// Largest difference of selection rates.
pub fn demographic_parity(groups: &BTreeMap<String, Confusion>) -> Result<Difference, Undefined> { unimplemented!("{groups:?}") }
/// Largest difference of true positive rates.
pub fn equal_opportunity(groups: &BTreeMap<String, Confusion>) -> Result<Difference, Undefined> { unimplemented!("{groups:?}") }
/// Larger of the differences of true and of false positive rates.
pub fn equalised_odds(groups: &BTreeMap<String, Confusion>) -> Result<Difference, Undefined> { unimplemented!("{groups:?}") }

//! Categories of two windows side by side.

use std::collections::BTreeSet;

use crate::sample::Categories;

/// The counts of every category that either window has, in the order of names, and of the rows beyond the bound last.
pub(in crate::two_sample) fn cells(reference: &Categories, current: &Categories) -> [Vec<u64>; 2] {
    let names: BTreeSet<&String> = reference.counts.keys().chain(current.counts.keys()).collect();
    let rest = reference.other > 0 || current.other > 0;
    [reference, current].map(|window| {
        let named = names.iter().map(|name| window.counts.get(*name).copied().unwrap_or(0));
        named.chain(rest.then_some(window.other)).collect()
    })
}

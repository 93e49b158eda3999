//! Balanced interleaving, with the published credit or debiased.

use super::choices::Choices;
use super::{List, Rankings, Slot};

/// The rankings in turns, a coin saying who starts.
pub(super) fn interleave<T>(
    rankings: &Rankings<'_, T>,
    length: usize,
    debiased: bool,
    choices: &mut impl Choices,
) -> List {
    let first = choices.below(2);
    let shown = merge(rankings, length, first);
    let slots = shown.iter().map(|(item, team)| Slot { item: *item, team: Some(*team) }).collect();
    if debiased {
        let other = merge(rankings, length, 1 - first);
        let credit = debiased_credit(rankings, &shown, &other);
        return List::per_slot(slots, credit, 2, rankings.common_prefix());
    }
    let ranks = |item: u32| [0, 1].map(|ranker| rankings.rank(ranker, item).map(|rank| rank as u32));
    let ranks = shown.iter().map(|(item, _)| ranks(*item)).collect();
    List::by_depth(slots, ranks, rankings.common_prefix())
}

/// Items and whose turn added each.
fn merge<T>(rankings: &Rankings<'_, T>, length: usize, first: usize) -> Vec<(u32, u32)> {
    let mut taken = vec![false; rankings.items().len()];
    let mut next = [0, 0];
    let mut shown = Vec::with_capacity(length);
    while shown.len() < length {
        let behind = next[first] <= next[1 - first];
        let turn = if behind { first } else { 1 - first };
        // A ranking at its end lets the other one go on.
        let turn = if next[turn] < rankings.order(turn).len() { turn } else { 1 - turn };
        let Some(item) = rankings.order(turn).get(next[turn]) else { break };
        next[turn] += 1;
        if !std::mem::replace(&mut taken[*item as usize], true) {
            shown.push((*item, turn as u32));
        }
    }
    shown
}

/// How likely a position (from 0) is looked at, up to a factor.
fn examination(position: usize) -> f64 {
    1.0 / libm::log2(position as f64 + 2.0)
}

/// Per slot and ranker: the examination of the item at the ranker's own rank, over the mean examination of the item in
/// both lists that the coin may show. Its expectation is what the ranker alone would have earned.
fn debiased_credit<T>(rankings: &Rankings<'_, T>, shown: &[(u32, u32)], other: &[(u32, u32)]) -> Vec<f64> {
    let mut elsewhere = vec![0.0; rankings.items().len()];
    for (position, (item, _)) in other.iter().enumerate() {
        elsewhere[*item as usize] = examination(position);
    }
    let depth = depth(rankings, shown, &elsewhere);
    let mut credit = Vec::with_capacity(2 * shown.len());
    for (position, (item, _)) in shown.iter().enumerate() {
        let mean = (examination(position) + elsewhere[*item as usize]) / 2.0;
        for ranker in 0..2 {
            let rank = rankings.rank(ranker, *item).filter(|rank| *rank < depth);
            credit.push(rank.map_or(0.0, |rank| examination(rank) / mean));
        }
    }
    credit
}

/// Down to which rank both lists show both rankings whole: what lies below might be missing, and would bias the sum.
fn depth<T>(rankings: &Rankings<'_, T>, shown: &[(u32, u32)], elsewhere: &[f64]) -> usize {
    let mut here = vec![false; elsewhere.len()];
    shown.iter().for_each(|(item, _)| here[*item as usize] = true);
    let both = |item: &u32| here[*item as usize] && elsewhere[*item as usize] > 0.0;
    let whole = |ranker: usize| rankings.order(ranker).iter().take_while(|item| both(item)).count();
    whole(0).min(whole(1))
}

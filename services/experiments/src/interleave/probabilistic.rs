//! Probabilistic interleaving and multileaving.

use super::choices::Choices;
use super::{List, Rankings, Slot};

/// Each position: a ranker at random, an item of what is left by its softmax over ranks. Rankers without an item left do
/// not take part.
pub(super) fn interleave<T>(rankings: &Rankings<'_, T>, length: usize, choices: &mut impl Choices) -> List {
    let (rankers, items) = (rankings.rankers(), rankings.items().len());
    let mut weights = weights(rankings);
    let mut slots = Vec::with_capacity(length);
    let mut credit = Vec::with_capacity(length * rankers);
    for _ in 0..length {
        let totals: Vec<f64> = weights.chunks(items).map(|of| of.iter().sum()).collect();
        let able = totals.iter().filter(|total| **total > 0.0).count();
        let turn = choices.below(able.max(1));
        let Some((team, _)) = totals.iter().enumerate().filter(|(_, total)| **total > 0.0).nth(turn) else {
            break;
        };
        let item = choices.weighted(&weights[team * items..][..items]);
        let share = |ranker: usize| {
            if totals[ranker] > 0.0 { weights[ranker * items + item] / totals[ranker] } else { 0.0 }
        };
        let all: f64 = (0..rankers).map(share).sum();
        credit.extend((0..rankers).map(|ranker| share(ranker) / all));
        slots.push(Slot { item: item as u32, team: Some(team as u32) });
        (0..rankers).for_each(|ranker| weights[ranker * items + item] = 0.0);
    }
    List::per_slot(slots, credit, rankers, rankings.common_prefix())
}

/// Per ranker and item, rank^-3; 0 for an item that it does not rank.
fn weights<T>(rankings: &Rankings<'_, T>) -> Vec<f64> {
    let items = rankings.items().len();
    let mut weights = vec![0.0; rankings.rankers() * items];
    for ranker in 0..rankings.rankers() {
        for (rank, item) in rankings.order(ranker).iter().enumerate() {
            let rank = rank as f64 + 1.0;
            weights[ranker * items + *item as usize] = 1.0 / (rank * rank * rank);
        }
    }
    weights
}

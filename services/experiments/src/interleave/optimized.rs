//! Optimized interleaving of the top 8.

use super::choices::Choices;
use super::simplex::{self, Program};
use super::team_draft::Draft;
use super::{List, Rankings, Slot};

/// Down to which position lists are optimized: there are at most 2^7 lists per first item.
const TOP: usize = 8;

/// Draws a list from the optimal distribution, and fills what follows the top by team draft, without credit.
pub(super) fn interleave<T>(rankings: &Rankings<'_, T>, length: usize, choices: &mut impl Choices) -> List {
    let top = length.min(TOP);
    let lists = allowed(rankings, top);
    let probabilities = distribution(rankings, &lists, top);
    let chosen = choices.weighted(&probabilities);
    let mut draft = Draft::of(rankings);
    let mut slots = Vec::with_capacity(length);
    let mut credit = Vec::with_capacity(2 * length);
    for item in &lists[chosen] {
        draft.take(*item);
        slots.push(Slot { item: *item, team: None });
        let difference = advantage(rankings, *item);
        credit.extend([difference.max(0.0), (-difference).max(0.0)]);
    }
    draft.fill(&mut slots, length, choices);
    slots[top..].iter_mut().for_each(|slot| slot.team = None);
    credit.resize(2 * slots.len(), 0.0);
    List::per_slot(slots, credit, 2, rankings.common_prefix())
}

/// The credit of the first ranker over the second: the difference of inverse ranks; an item that a ranker does not have
/// stands right behind its last.
fn advantage<T>(rankings: &Rankings<'_, T>, item: u32) -> f64 {
    let inverse = |ranker: usize| {
        let rank = rankings.rank(ranker, item).unwrap_or(rankings.order(ranker).len());
        1.0 / (rank as f64 + 1.0)
    };
    inverse(0) - inverse(1)
}

/// All distinct lists of which every position holds the best item left of one of the rankings.
fn allowed<T>(rankings: &Rankings<'_, T>, top: usize) -> Vec<Vec<u32>> {
    let mut lists: Vec<Vec<u32>> = vec![Vec::new()];
    for _ in 0..top {
        let mut longer = Vec::with_capacity(2 * lists.len());
        for list in lists {
            let best =
                |ranker: usize| rankings.order(ranker).iter().find(|item| !list.contains(item)).copied();
            let (one, two) = (best(0), best(1));
            let with = |item: u32| list.iter().copied().chain([item]).collect::<Vec<u32>>();
            longer.extend(one.map(with));
            longer.extend(two.filter(|_| two != one).map(with));
        }
        lists = longer;
    }
    lists
}

/// Probabilities of the lists: for clicks that fall on each of the first k positions alike no ranker wins on average, for
/// every k; among those distributions the most sensitive one.
fn distribution<T>(rankings: &Rankings<'_, T>, lists: &[Vec<u32>], top: usize) -> Vec<f64> {
    let mut rows = vec![vec![1.0; lists.len()]];
    rows.extend((0..top).map(|position| {
        // The sums of all prefixes vanish if and only if every position's does.
        lists.iter().map(|list| advantage(rankings, list[position])).collect()
    }));
    let mut bounds = vec![0.0; top + 1];
    bounds[0] = 1.0;
    let gain = lists.iter().map(|list| sensitivity(rankings, list)).collect();
    simplex::maximise(&Program { gain, rows, bounds })
}

/// How undecided one click of a user without preference leaves the list: the entropy of who wins it, times the probability
/// that someone does. Clicks fall on position i in proportion to 1 / i.
fn sensitivity<T>(rankings: &Rankings<'_, T>, list: &[u32]) -> f64 {
    let (mut wins, mut all) = ([0.0, 0.0], 0.0);
    for (position, item) in list.iter().enumerate() {
        let chance = 1.0 / (position as f64 + 1.0);
        let difference = advantage(rankings, *item);
        all += chance;
        if difference != 0.0 {
            wins[usize::from(difference < 0.0)] += chance;
        }
    }
    let decided = wins[0] + wins[1];
    let entropy = |win: f64| if win > 0.0 { -win / all * libm::log2(win / decided) } else { 0.0 };
    entropy(wins[0]) + entropy(wins[1])
}

//! Team-draft interleaving and multileaving.

use super::choices::Choices;
use super::{List, Rankings, Slot};

/// Rounds of picks; a ranker whose items are all taken passes.
pub(super) fn interleave<T>(rankings: &Rankings<'_, T>, length: usize, choices: &mut impl Choices) -> List {
    let rankers = rankings.rankers();
    let mut draft = Draft::of(rankings);
    let mut slots = Vec::with_capacity(length);
    draft.fill(&mut slots, length, choices);
    let mut credit = vec![0.0; slots.len() * rankers];
    for (position, slot) in slots.iter().enumerate() {
        if let Some(team) = slot.team {
            credit[position * rankers + team as usize] = 1.0;
        }
    }
    List::per_slot(slots, credit, rankers, rankings.common_prefix())
}

/// Who has picked what.
pub(super) struct Draft<'a, 'b, T> {
    rankings: &'a Rankings<'b, T>,
    taken: Vec<bool>,
    next: Vec<usize>,
    turns: Vec<u32>,
}

impl<'a, 'b, T> Draft<'a, 'b, T> {
    pub(super) fn of(rankings: &'a Rankings<'b, T>) -> Self {
        let rankers = rankings.rankers();
        Self {
            rankings,
            taken: vec![false; rankings.items().len()],
            next: vec![0; rankers],
            turns: (0..rankers as u32).collect(),
        }
    }

    /// Marks an item as gone.
    pub(super) fn take(&mut self, item: u32) {
        self.taken[item as usize] = true;
    }

    /// Rounds until the list is full. There are at least `length` distinct items, so some ranker always has one left.
    pub(super) fn fill(&mut self, slots: &mut Vec<Slot>, length: usize, choices: &mut impl Choices) {
        while slots.len() < length {
            shuffle(&mut self.turns, choices);
            for at in 0..self.turns.len() {
                let team = self.turns[at];
                if slots.len() < length
                    && let Some(item) = self.pick(team as usize)
                {
                    slots.push(Slot { item, team: Some(team) });
                }
            }
        }
    }

    /// The best item that this ranker has left.
    fn pick(&mut self, ranker: usize) -> Option<u32> {
        let order = self.rankings.order(ranker);
        while let Some(item) = order.get(self.next[ranker]) {
            self.next[ranker] += 1;
            if !std::mem::replace(&mut self.taken[*item as usize], true) {
                return Some(*item);
            }
        }
        None
    }
}

/// Fisher and Yates: every order equally likely.
fn shuffle(turns: &mut [u32], choices: &mut impl Choices) {
    for last in (1..turns.len()).rev() {
        turns.swap(last, choices.below(last + 1));
    }
}

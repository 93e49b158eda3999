//! What is interleaved.

use std::collections::HashMap;
use std::hash::Hash;

use super::Error;

/// Two or more rankings of items, as indices of the distinct items. They need not rank the same items.
#[derive(Debug)]
pub struct Rankings<'a, T> {
    items: Vec<&'a T>,
    orders: Vec<Vec<u32>>,
    /// Per ranker and item, its rank from 0, or `UNRANKED`.
    ranks: Vec<u32>,
}

const UNRANKED: u32 = u32::MAX;

impl<'a, T: Eq + Hash> Rankings<'a, T> {
    /// Of the rankers' lists, the best item first.
    ///
    /// # Errors
    /// Fewer than two rankings, an empty one, or an item that one ranking has twice.
    pub fn of(lists: &'a [Vec<T>]) -> Result<Self, Error> {
        if lists.len() < 2 {
            return Err(Error::TooFew(lists.len()));
        }
        let mut index = HashMap::with_capacity(lists[0].len() * 2);
        let mut items = Vec::with_capacity(lists[0].len());
        let mut orders = Vec::with_capacity(lists.len());
        for (at, list) in lists.iter().enumerate() {
            if list.is_empty() {
                return Err(Error::Empty { ranking: at + 1 });
            }
            let order = list.iter().map(|item| {
                *index.entry(item).or_insert_with(|| {
                    items.push(item);
                    items.len() as u32 - 1
                })
            });
            orders.push(order.collect());
        }
        let ranks = ranks(&orders, items.len())?;
        Ok(Self { items, orders, ranks })
    }
}

impl<T> Rankings<'_, T> {
    /// The distinct items; a [`Slot`](super::Slot) names one by its index.
    pub fn items(&self) -> &[&T] {
        &self.items
    }

    /// How many rankings.
    pub fn rankers(&self) -> usize {
        self.orders.len()
    }

    /// The items of a ranker, the best first.
    pub fn order(&self, ranker: usize) -> &[u32] {
        &self.orders[ranker]
    }

    /// Where a ranker has an item, from 0.
    pub fn rank(&self, ranker: usize, item: u32) -> Option<usize> {
        let rank = self.ranks[ranker * self.items.len() + item as usize];
        (rank != UNRANKED).then_some(rank as usize)
    }

    /// How many first ranks all rankings fill with the same items.
    pub fn common_prefix(&self) -> usize {
        let first = &self.orders[0];
        let same = |rank: usize| self.orders.iter().all(|order| order.get(rank) == Some(&first[rank]));
        (0..first.len()).take_while(|rank| same(*rank)).count()
    }
}

fn ranks(orders: &[Vec<u32>], items: usize) -> Result<Vec<u32>, Error> {
    let mut ranks = vec![UNRANKED; orders.len() * items];
    for (ranker, order) in orders.iter().enumerate() {
        for (rank, item) in order.iter().enumerate() {
            let place = &mut ranks[ranker * items + *item as usize];
            if *place != UNRANKED {
                return Err(Error::Repeated {
                    ranking: ranker + 1,
                    rank: rank + 1,
                    first: *place as usize + 1,
                });
            }
            *place = rank as u32;
        }
    }
    Ok(ranks)
}

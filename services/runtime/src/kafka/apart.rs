//! Finds the records that are too large among those that were refused with them.
//!
//! The broker refuses a set of records as a whole, and does not say which of them it could not take. A set that was
//! refused is cut in half, and sent again as two sets, until what is refused is one record.

use std::collections::{BTreeMap, BTreeSet};

/// A record that the broker refused: its number, its topic and its partition.
pub type Refused<'a> = (usize, &'a str, i32);

/// Records that begin a new set: all before them arrive first. Records are sent in the order of their numbers.
#[derive(Debug, Default)]
pub struct Apart(BTreeSet<usize>);

impl Apart {
    /// Whether the record begins a new set.
    pub fn begins(&self, number: usize) -> bool {
        self.0.contains(&number)
    }

    /// The numbers of the records that are too large by themselves. The others are cut into smaller sets.
    pub fn judge(&mut self, refused: &[Refused<'_>]) -> Vec<usize> {
        let mut sets: BTreeMap<(usize, &str, i32), Vec<usize>> = BTreeMap::new();
        for &(number, topic, partition) in refused {
            let begun = self.0.range(..=number).count();
            sets.entry((begun, topic, partition)).or_default().push(number);
        }
        let mut too_large = Vec::new();
        for mut set in sets.into_values() {
            set.sort_unstable();
            match set[..] {
                [number] => too_large.push(number),
                [first, .., last] => self.0.extend([first, set[set.len() / 2], last + 1]),
                [] => {}
            }
        }
        too_large
    }

    /// Forgets all: other records get the numbers.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends records of these sizes to two partitions in turn, as sets of at most `limit` bytes in which each is taken
    /// whole or not at all, until all that remain arrive; what was judged too large.
    fn settle(sizes: &[usize], limit: usize, set: usize) -> Vec<usize> {
        let (mut apart, mut dropped) = (Apart::default(), BTreeSet::new());
        for _ in 0..100 {
            let mut refused = Vec::new();
            for partition in 0..2 {
                let mut open: Vec<usize> = Vec::new();
                let mut close = |open: &mut Vec<usize>| {
                    if open.iter().map(|&n| sizes[n]).sum::<usize>() > limit {
                        refused.extend(open.iter().map(|&n| (n, "t", i32::try_from(partition).unwrap())));
                    }
                    open.clear();
                };
                for n in 0..sizes.len() {
                    if apart.begins(n) || open.len() == set {
                        close(&mut open);
                    }
                    if n % 2 == partition && !dropped.contains(&n) {
                        open.push(n);
                    }
                }
                close(&mut open);
            }
            if refused.is_empty() {
                return dropped.into_iter().collect();
            }
            dropped.extend(apart.judge(&refused));
        }
        panic!("no end");
    }

    #[test]
    fn only_records_that_are_too_large_alone_are_given_up() {
        for at in [0, 1, 499, 500, 998, 999] {
            let mut sizes = vec![1; 1000];
            sizes[at] = 10_000;
            assert_eq!(settle(&sizes, 5_000, 300), [at]);
            sizes[(at + 2) % 1000] = 10_000;
            let mut both = [at, (at + 2) % 1000];
            both.sort_unstable();
            assert_eq!(settle(&sizes, 5_000, 300), both);
        }
    }

    #[test]
    fn sets_that_are_too_large_only_together_are_sent_as_smaller_ones() {
        assert_eq!(settle(&[100; 1000], 350, 300), [0; 0]);
    }
}

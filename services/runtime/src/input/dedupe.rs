//! Rows that come once more, as at-least-once delivery repeats them.
//!
//! A row is told by its parent, the record that its writer took to write it: a task takes the records of a partition in
//! the order of their offsets, so the parents from one partition rise in whatever it writes. (The origins of rows that
//! were repartitioned twice do not: several writers pass rows of one origin partition on side by side.)

use std::sync::Arc;

use hashbrown::HashMap;

use crate::headers::Parent;
use crate::metadata::{Parents, Seen};

/// The highest parent seen from each parent partition.
#[derive(Debug, Clone, Default)]
pub struct Dedupe {
    highest: HashMap<(Arc<str>, i32), Seen>,
}

impl Dedupe {
    /// Whether a row of this parent is new; it is remembered then. A row whose parent is not above the highest seen from
    /// its partition, nor a later part of it, was seen before.
    pub fn admit(&mut self, parent: &Parent) -> bool {
        let seen = Seen { offset: parent.record.offset, part: parent.part };
        match self.highest.get_mut(&(parent.record.topic.clone(), parent.record.partition)) {
            Some(highest) if seen <= *highest => false,
            Some(highest) => {
                *highest = seen;
                true
            }
            None => {
                self.highest.insert((parent.record.topic.clone(), parent.record.partition), seen);
                true
            }
        }
    }

    /// What a commit carries.
    pub fn parents(&self) -> Parents {
        let mut parents = Parents::new();
        for ((topic, partition), seen) in &self.highest {
            parents.entry(topic.to_string()).or_default().insert(*partition, *seen);
        }
        parents
    }

    /// What a commit carried; what was seen since stays where it is higher.
    pub fn restore(&mut self, parents: &Parents) {
        for (topic, partitions) in parents {
            let topic: Arc<str> = topic.as_str().into();
            for (partition, seen) in partitions {
                let highest = self.highest.entry((topic.clone(), *partition)).or_insert(*seen);
                *highest = (*highest).max(*seen);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Origin;

    fn parent(partition: i32, offset: i64, part: u32) -> Parent {
        Parent { record: Origin { topic: "a.b".into(), partition, offset }, part }
    }

    #[test]
    fn a_row_is_new_only_above_the_highest_of_its_parents_partition() {
        let mut dedupe = Dedupe::default();
        let seen: Vec<_> = [(0, 5), (0, 6), (1, 1), (0, 5), (0, 6), (0, 7), (1, 1)]
            .into_iter()
            .map(|(p, o)| dedupe.admit(&parent(p, o, 0)))
            .collect();
        assert_eq!(seen, [true, true, true, false, false, true, false]);
    }

    #[test]
    fn every_part_of_what_a_record_caused_is_new_once() {
        let mut dedupe = Dedupe::default();
        let seen: Vec<_> = [(5, 0), (5, 1), (5, 0), (5, 1), (5, 2), (6, 0), (5, 3)]
            .into_iter()
            .map(|(offset, part)| dedupe.admit(&parent(0, offset, part)))
            .collect();
        assert_eq!(seen, [true, true, false, false, true, true, false]);
    }

    #[test]
    fn what_a_commit_carried_is_known_after_a_restart() {
        let mut before = Dedupe::default();
        before.admit(&parent(0, 9, 1));
        let mut after = Dedupe::default();
        after.restore(&before.parents());
        assert!(
            !after.admit(&parent(0, 9, 1)) && after.admit(&parent(0, 9, 2)) && after.admit(&parent(0, 10, 0))
        );
    }
}

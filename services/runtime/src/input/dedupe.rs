//! Rows that come once more, as at-least-once delivery repeats them.
//!
//! A row is told by its parent, the record that its writer took to write it: a task takes the records of a partition in
//! the order of their offsets, so the parents from one partition rise in whatever it writes. (The origins of rows that
//! were repartitioned twice do not: several writers pass rows of one origin partition on side by side.)

use std::sync::Arc;

use hashbrown::HashMap;

use crate::metadata::Parents;
use crate::task::Origin;

/// The highest parent offset seen from each parent partition.
#[derive(Debug, Clone, Default)]
pub struct Dedupe {
    highest: HashMap<(Arc<str>, i32), i64>,
}

impl Dedupe {
    /// Whether a row of this parent is new; it is remembered then. A row whose parent is not above the highest seen from
    /// its partition was seen before.
    pub fn admit(&mut self, parent: &Origin) -> bool {
        match self.highest.get_mut(&(parent.topic.clone(), parent.partition)) {
            Some(highest) if parent.offset <= *highest => false,
            Some(highest) => {
                *highest = parent.offset;
                true
            }
            None => {
                self.highest.insert((parent.topic.clone(), parent.partition), parent.offset);
                true
            }
        }
    }

    /// What a commit carries.
    pub fn parents(&self) -> Parents {
        let mut parents = Parents::new();
        for ((topic, partition), offset) in &self.highest {
            parents.entry(topic.to_string()).or_default().insert(*partition, *offset);
        }
        parents
    }

    /// What a commit carried; what was seen since stays where it is higher.
    pub fn restore(&mut self, parents: &Parents) {
        for (topic, partitions) in parents {
            let topic: Arc<str> = topic.as_str().into();
            for (partition, offset) in partitions {
                let highest = self.highest.entry((topic.clone(), *partition)).or_insert(*offset);
                *highest = (*highest).max(*offset);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(partition: i32, offset: i64) -> Origin {
        Origin { topic: "a.b".into(), partition, offset }
    }

    #[test]
    fn a_row_is_new_only_above_the_highest_of_its_parents_partition() {
        let mut dedupe = Dedupe::default();
        let seen: Vec<_> = [(0, 5), (0, 6), (1, 1), (0, 5), (0, 6), (0, 7), (1, 1)]
            .into_iter()
            .map(|(p, o)| dedupe.admit(&origin(p, o)))
            .collect();
        assert_eq!(seen, [true, true, true, false, false, true, false]);
    }

    #[test]
    fn what_a_commit_carried_is_known_after_a_restart() {
        let mut before = Dedupe::default();
        before.admit(&origin(0, 9));
        let mut after = Dedupe::default();
        after.restore(&before.parents());
        assert!(!after.admit(&origin(0, 9)) && after.admit(&origin(0, 10)));
    }
}

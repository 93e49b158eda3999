//! Rows that come once more: at-least-once delivery repeats them, in the order of their origins.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::metadata::Origins;
use crate::task::Origin;

/// The highest origin offset seen from each origin partition.
#[derive(Debug, Clone, Default)]
pub struct Dedupe {
    highest: HashMap<(Arc<str>, i32), i64>,
}

impl Dedupe {
    /// Whether a row of this origin is new; it is remembered then. A row whose origin is not above the highest seen from
    /// its partition was seen before.
    pub fn admit(&mut self, origin: &Origin) -> bool {
        match self.highest.get_mut(&(origin.topic.clone(), origin.partition)) {
            Some(highest) if origin.offset <= *highest => false,
            Some(highest) => {
                *highest = origin.offset;
                true
            }
            None => {
                self.highest.insert((origin.topic.clone(), origin.partition), origin.offset);
                true
            }
        }
    }

    /// What a commit carries.
    pub fn origins(&self) -> Origins {
        let mut origins = Origins::new();
        for ((topic, partition), offset) in &self.highest {
            origins.entry(topic.to_string()).or_default().insert(*partition, *offset);
        }
        origins
    }

    /// What a commit carried; what was seen since stays where it is higher.
    pub fn restore(&mut self, origins: &Origins) {
        for (topic, partitions) in origins {
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
    fn a_row_is_new_only_above_the_highest_of_its_origin_partition() {
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
        after.restore(&before.origins());
        assert!(!after.admit(&origin(0, 9)) && after.admit(&origin(0, 10)));
    }
}

//! What state asks of topics, checked where the views' SQL is planned.

use crate::duration::show_duration;
use crate::near::listed;
use crate::{KafkaTopic, Partitioner, Problem, Topic};

/// Checks that sources which one view reads together agree in key, partitioner and partitions: rows that meet in a window must lie in partitions of one number.
pub fn check_co_partitioned(sources: &[&Topic]) -> Vec<Problem> {
    let Some((first, others)) = sources.split_first() else { return Vec::new() };
    let differs = |other: &&Topic| {
        let (one, two) = (Layout::of(&first.kafka), Layout::of(&other.kafka));
        let pairs = [
            ("key", one.key, two.key),
            ("partitioner", one.partitioner, two.partitioner),
            ("partitions", one.partitions, two.partitions),
        ];
        pairs.into_iter().filter(|(_, a, b)| a != b).map(|(key, a, b)| {
            let message = format!(
                "is {b}, and {a} in {}.toml; a view reads the two together, so their rows must meet in equal partitions: make them equal",
                first.stem
            );
            other.problem(key, message)
        }).collect::<Vec<_>>()
    };
    others.iter().flat_map(differs).collect()
}

/// Checks that a topic keeps its records as long as the state built from it needs: the longest frame with its delay, plus lateness, in ms; `None`: forever. `view` is the stem of the view.
pub fn check_retention(topic: &Topic, needed_ms: Option<i64>, view: &str) -> Option<Problem> {
    let kept_ms = topic.kafka.retention_ms?;
    let needed = match needed_ms {
        Some(needed_ms) if kept_ms >= needed_ms => return None,
        Some(needed_ms) => show_duration(needed_ms),
        None => "forever".to_owned(),
    };
    let message = format!(
        "is {}, and the state of the view `{view}` is rebuilt from records of the last {needed} (its longest frame with delay, and its lateness); write at least retention = \"{needed}\"",
        show_duration(kept_ms)
    );
    Some(topic.problem("retention", message))
}

struct Layout {
    key: String,
    partitioner: String,
    partitions: String,
}

impl Layout {
    fn of(topic: &KafkaTopic) -> Self {
        let key = topic.key.as_deref().map_or("none".to_owned(), |key| listed([key]));
        let partitioner = match topic.partitioner {
            Partitioner::Murmur2 => "murmur2",
            Partitioner::Crc32 => "crc32",
        };
        Self { key, partitioner: partitioner.to_owned(), partitions: topic.partitions.to_string() }
    }
}

//! What a commit carries besides its offset, as the compact text that Kafka keeps with it.
//!
//! `1;r=<rebuild>;t=<task time>;e=<epoch>;s=<store>;b=<start>;p=<topic>:<partition>=<offset>,...|<topic>:...`. An offset
//! may be followed by `+` and which of the records that it caused was the last. Parts that are unknown are left out. The version comes first, so that a later form is told apart and not misread.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The longest metadata a broker takes by default (`offset.metadata.max.bytes`).
pub const MAX_BYTES: usize = 4096;

const VERSION: &str = "1";

/// What a task needs to go on from a committed offset of one input partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommitMetadata {
    /// The offset from which the state can be rebuilt; `None`: from the committed one.
    pub rebuild_from: Option<i64>,
    /// The greatest record time that the task had taken, in ms.
    pub task_time_ms: Option<i64>,
    /// When the task first started without a committed offset, in ms.
    pub epoch_ms: i64,
    /// The offset up to which the online store holds everything.
    pub store: i64,
    /// The offset below which rows only warm the state; `None`: no row does because of its offset.
    pub start: Option<i64>,
    /// The highest parent offset seen, by the parents' topic and partition: rows that come once more are told by it.
    pub parents: Parents,
}

/// Highest parents, by topic and partition. A row's parent is the record that its writer took to write it.
pub type Parents = BTreeMap<String, BTreeMap<i32, Seen>>;

/// A parent seen, and how much of what it caused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Seen {
    /// The parent's offset.
    pub offset: i64,
    /// The last of its records that was seen, from 0.
    pub part: u32,
}

/// Why metadata cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Not the form that this version writes.
    #[error("commit metadata \"{0}\" cannot be read")]
    Malformed(String),
    /// Too many partitions feed this one for the room that a broker gives.
    #[error(
        "commit metadata takes {0} bytes, more than the {MAX_BYTES} that brokers keep: too many partitions feed this one"
    )]
    TooLong(usize),
}

impl CommitMetadata {
    /// The text; fails where it is longer than a broker keeps.
    pub fn encode(&self) -> Result<String, MetadataError> {
        let mut text = String::from(VERSION);
        let mut field = |name: char, value: Option<i64>| {
            if let Some(value) = value {
                let _ = write!(text, ";{name}={value}");
            }
        };
        field('r', self.rebuild_from);
        field('t', self.task_time_ms);
        field('e', Some(self.epoch_ms));
        field('s', Some(self.store));
        field('b', self.start);
        if !self.parents.is_empty() {
            text.push_str(";p=");
            text.push_str(&encode_parents(&self.parents));
        }
        if text.len() > MAX_BYTES { Err(MetadataError::TooLong(text.len())) } else { Ok(text) }
    }

    /// Reads what [`encode`](Self::encode) wrote; `None` for the empty text, which other tools leave.
    pub fn decode(text: &str) -> Result<Option<Self>, MetadataError> {
        if text.is_empty() {
            return Ok(None);
        }
        parse(text).map(Some).ok_or_else(|| MetadataError::Malformed(text.to_owned()))
    }
}

fn encode_parents(parents: &Parents) -> String {
    let topics = parents.iter().map(|(topic, partitions)| {
        let pair = |(p, seen): (&i32, &Seen)| match seen.part {
            0 => format!("{p}={}", seen.offset),
            part => format!("{p}={}+{part}", seen.offset),
        };
        let pairs: Vec<_> = partitions.iter().map(pair).collect();
        format!("{topic}:{}", pairs.join(","))
    });
    topics.collect::<Vec<_>>().join("|")
}

fn parse(text: &str) -> Option<CommitMetadata> {
    let mut parts = text.split(';');
    if parts.next()? != VERSION {
        return None;
    }
    let mut metadata = CommitMetadata::default();
    for part in parts {
        let (name, value) = part.split_once('=')?;
        match name {
            "r" => metadata.rebuild_from = Some(value.parse().ok()?),
            "t" => metadata.task_time_ms = Some(value.parse().ok()?),
            "e" => metadata.epoch_ms = value.parse().ok()?,
            "s" => metadata.store = value.parse().ok()?,
            "b" => metadata.start = Some(value.parse().ok()?),
            "p" => metadata.parents = parse_parents(value)?,
            _ => return None,
        }
    }
    Some(metadata)
}

fn parse_parents(text: &str) -> Option<Parents> {
    text.split('|')
        .map(|topic| {
            let (name, pairs) = topic.split_once(':')?;
            let pairs = pairs.split(',').map(|pair| {
                let (partition, seen) = pair.split_once('=')?;
                let (offset, part) = match seen.split_once('+') {
                    Some((offset, part)) => (offset, part.parse().ok()?),
                    None => (seen, 0),
                };
                Some((partition.parse().ok()?, Seen { offset: offset.parse().ok()?, part }))
            });
            Some((name.to_owned(), pairs.collect::<Option<_>>()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_parents() -> impl Strategy<Value = Parents> {
        let seen = (any::<i64>(), 0u32..3).prop_map(|(offset, part)| Seen { offset, part });
        let partitions = prop::collection::btree_map(0i32..500, seen, 1..6);
        prop::collection::btree_map("[a-zA-Z0-9._-]{1,30}", partitions, 0..4)
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded_again(
            numbers in prop::array::uniform4(any::<i64>()),
            rebuild_from in any::<Option<i64>>(),
            start in any::<Option<i64>>(),
            timed in any::<bool>(),
            parents in any_parents(),
        ) {
            let [time, epoch_ms, store, _] = numbers;
            let metadata = CommitMetadata {
                rebuild_from, task_time_ms: timed.then_some(time), epoch_ms, store, start, parents,
            };
            let text = metadata.encode().unwrap();
            prop_assert!(text.len() <= MAX_BYTES);
            prop_assert_eq!(CommitMetadata::decode(&text), Ok(Some(metadata)));
        }

        #[test]
        fn foreign_text_is_an_error_and_no_panic(text in "\\PC{1,60}") {
            if !text.starts_with('1') {
                prop_assert!(CommitMetadata::decode(&text).is_err());
            }
        }
    }

    #[test]
    fn the_empty_text_is_no_metadata() {
        assert_eq!(CommitMetadata::decode(""), Ok(None));
    }

    #[test]
    fn more_parents_than_a_broker_keeps_are_refused() {
        let partitions = (0..2000).map(|p| (p, Seen { offset: 1_000_000, part: 0 })).collect();
        let metadata =
            CommitMetadata { parents: Parents::from([("a".into(), partitions)]), ..Default::default() };
        assert!(matches!(metadata.encode(), Err(MetadataError::TooLong(n)) if n > MAX_BYTES));
    }
}

//! Asks Kafka for commits and log ends.

use std::time::Duration;

use rdkafka::Offset;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::TopicPartitionList;

use super::plan::Known;
use crate::error::{Error, is_lost_membership, is_transient};
use crate::kafka::consumer::Inlet;
use crate::metadata::CommitMetadata;

/// A topic partition.
pub type Partition<'a> = (&'a str, i32);

/// What a look-up brought.
#[derive(Debug)]
pub enum Found {
    /// All that was asked for, in the same order.
    All(Vec<Known>),
    /// Kafka does not answer yet, or an open transaction still holds an offset: ask again.
    NotYet(String),
}

const ASK: Duration = Duration::from_secs(5);

/// Looks up committed offsets, with what they carry, and log ends.
pub fn look_up(inlet: &Inlet, partitions: &[Partition<'_>]) -> Result<Found, Error> {
    let what = "cannot read committed offsets";
    let mut list = TopicPartitionList::new();
    for (topic, partition) in partitions {
        list.add_partition(topic, *partition);
    }
    let committed = match inlet.client().committed_offsets(list, ASK) {
        Ok(list) => list,
        Err(e) => return not_yet(what, e),
    };
    let mut known = Vec::with_capacity(partitions.len());
    for &(topic, partition) in partitions {
        let Some(element) = committed.find_partition(topic, partition) else {
            return Ok(Found::NotYet(format!("{what} of {topic}/{partition}")));
        };
        if let Err(e) = element.error() {
            return not_yet(&format!("{what} of {topic}/{partition}"), e);
        }
        let offset = match element.offset() {
            Offset::Offset(offset) => {
                let metadata = CommitMetadata::decode(element.metadata())
                    .map_err(|source| Error::Metadata { topic: topic.to_owned(), partition, source })?;
                Some((offset, metadata))
            }
            _ => None,
        };
        let (low, high) = match inlet.client().fetch_watermarks(topic, partition, ASK) {
            Ok(ends) => ends,
            Err(e) => return not_yet(&format!("cannot read the log ends of {topic}/{partition}"), e),
        };
        known.push(Known { name: format!("{topic}/{partition}"), committed: offset, low, high });
    }
    Ok(Found::All(known))
}

fn not_yet(what: &str, error: KafkaError) -> Result<Found, Error> {
    if is_transient(&error) || is_lost_membership(&error) {
        Ok(Found::NotYet(format!("{what}: {error}")))
    } else {
        Err(Error::Kafka { what: what.to_owned(), source: error })
    }
}

/// Checks that a topic has as many partitions as its file says: keys would belong to other ones. A topic that Kafka does
/// not describe just now is left to fail where it is used.
pub fn check_partitions(inlet: &Inlet, topic: &str, expected: u32) -> Result<(), Error> {
    let Ok(metadata) = inlet.client().fetch_metadata(Some(topic), ASK) else { return Ok(()) };
    let found = metadata.topics().iter().find(|t| t.name() == topic).map_or(0, |t| t.partitions().len());
    if found == 0 || u32::try_from(found) == Ok(expected) {
        return Ok(());
    }
    Err(Error::Configuration(format!(
        "{topic} has {found} partitions, its file says {expected}: see `millrace topics diff`"
    )))
}

//! What a commit says of a task, as Kafka takes it.

use std::sync::Arc;

use rdkafka::Offset;
use rdkafka::topic_partition_list::TopicPartitionList;

use crate::error::Error;
use crate::metadata::CommitMetadata;

/// What a commit says of one input partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputCommit {
    /// The topic.
    pub topic: Arc<str>,
    /// Its partition.
    pub partition: i32,
    /// The offset behind the last row that is done.
    pub offset: i64,
    /// What a task needs to go on from there.
    pub metadata: CommitMetadata,
}

/// What a commit says of one task: of all its inputs, always together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskCommit {
    /// Its inputs.
    pub inputs: Vec<InputCommit>,
}

/// The commits as librdkafka's list.
pub fn to_list<'a>(commits: impl IntoIterator<Item = &'a TaskCommit>) -> Result<TopicPartitionList, Error> {
    let mut list = TopicPartitionList::new();
    for commit in commits.into_iter().flat_map(|task| &task.inputs) {
        let metadata = commit.metadata.encode().map_err(|source| Error::Metadata {
            topic: commit.topic.to_string(),
            partition: commit.partition,
            source,
        })?;
        let mut element = list.add_partition(&commit.topic, commit.partition);
        element
            .set_offset(Offset::Offset(commit.offset))
            .map_err(Error::kafka(format!("offset {} of {}", commit.offset, commit.topic)))?;
        element.set_metadata(metadata);
    }
    Ok(list)
}

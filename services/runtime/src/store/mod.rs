//! The online feature store: the newest features of each key, for reading by anything.

use std::collections::HashMap;

use crate::task::KeyWrite;

/// The version of a hash: compared epoch first, then sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// When the task first started without a committed offset, in ms.
    pub epoch_ms: i64,
    /// The sum of the next offsets of its input partitions.
    pub offsets: i64,
}

/// A key with the version it is written at.
#[derive(Debug, Clone)]
pub struct VersionedWrite {
    /// What to write.
    pub write: KeyWrite,
    /// Admitted only if at least as high as the one that is there.
    pub version: Version,
}

/// Why the store did not take or give something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached or lost the connection; the same call may succeed later.
    #[error("online store does not answer: {0}")]
    Unavailable(String),
    /// It answered, and refused: calling again changes nothing.
    #[error("online store refuses: {0}")]
    Refused(String),
}

/// A hash as the store holds it: field to text.
pub type Hash = HashMap<String, String>;

/// One worker's connection to the online store.
pub trait OnlineStore: Send {
    /// Writes keys in one round trip. Each replaces its whole hash if its version is at least as high as the stored
    /// one; an older one is left out silently. Repeating a write changes nothing.
    fn write(&mut self, writes: &[VersionedWrite]) -> Result<(), StoreError>;

    /// Reads whole hashes in one round trip; an absent key is an empty hash.
    fn read(&mut self, keys: &[String]) -> Result<Vec<Hash>, StoreError>;
}

/// Opens a connection to the online store, one per worker.
pub type OpenStore = std::sync::Arc<dyn Fn() -> Result<Box<dyn OnlineStore>, StoreError> + Send + Sync>;

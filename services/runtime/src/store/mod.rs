//! The online feature store: the newest features of each key, for reading by anything.

mod memory;
mod redis;
#[cfg(test)]
mod redis_server;
mod redis_url;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::task::KeyWrite;

pub use memory::MemoryStore;
pub use redis::RedisStore;

/// The field that holds a hash's [`Version`].
pub const VERSION_FIELD: &str = "_version";

/// The version of a hash: compared epoch first, then sum. Neither is negative. Its text is `<epoch>.<sum>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// When the task first started without a committed offset, in ms.
    pub epoch_ms: i64,
    /// The sum of the next offsets of its input partitions.
    pub offsets: i64,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch_ms, self.offsets)
    }
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
pub type OpenStore = Arc<dyn Fn() -> Result<Box<dyn OnlineStore>, StoreError> + Send + Sync>;

/// What opens connections to the store at a URL: `redis://` and `rediss://` (TLS) as Redis clients take them, with
/// several hosts by commas or `?cluster=true` for a Redis Cluster, or `memory:` for one inside this process.
///
/// Fails as `Refused` if the URL cannot be used; what it opens need not be up yet.
pub fn open(url: &str) -> Result<OpenStore, StoreError> {
    if url == "memory:" {
        return Ok(MemoryStore::default().opener());
    }
    redis_url::parse(url)?;
    let url = url.to_owned();
    Ok(Arc::new(move || Ok(Box::new(RedisStore::open(&url)?))))
}

//! The online store of embedded mode: hashes in this process, gone with it.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Hash, OnlineStore, OpenStore, StoreError, VERSION_FIELD, Version, VersionedWrite};

/// Workers write side by side; a lock a shard keeps them out of each other's way.
const SHARDS: usize = 16;
/// A shard is swept of expired keys when it has taken half as many writes as it holds keys, and at least this many: a
/// write costs O(1) amortised, and at most twice the keys alive are held.
const SWEEP_EVERY: usize = 1024;

/// Hashes with versions and times to live, shared by all clones.
#[derive(Clone, Default)]
pub struct MemoryStore {
    shards: Arc<[Mutex<Shard>; SHARDS]>,
    hasher: RandomState,
}

#[derive(Default)]
struct Shard {
    keys: HashMap<String, Entry>,
    writes_since_sweep: usize,
}

struct Entry {
    fields: Vec<(Arc<str>, String)>,
    version: Version,
    expires: Option<Instant>,
}

impl Entry {
    fn alive(&self, now: Instant) -> bool {
        self.expires.is_none_or(|at| now < at)
    }
}

impl MemoryStore {
    /// Connections that all see this store.
    pub fn opener(&self) -> OpenStore {
        let store = self.clone();
        Arc::new(move || Ok(Box::new(store.clone())))
    }

    /// How many keys it holds, expired ones that were not swept yet included.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).keys.len()).sum()
    }

    /// Whether it holds no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, key: &str) -> MutexGuard<'_, Shard> {
        let hash = self.hasher.hash_one(key);
        lock(&self.shards[usize::try_from(hash % SHARDS as u64).unwrap_or(0)])
    }
}

/// A panic while the lock is held stops the process; until then the map itself is whole.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shard {
    fn write(&mut self, one: &VersionedWrite, now: Instant) {
        let newer = |entry: &Entry| entry.alive(now) && entry.version > one.version;
        if self.keys.get(&one.write.key).is_some_and(newer) {
            return;
        }
        let ttl = one.write.ttl_ms.map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0).max(1)));
        let entry = Entry {
            fields: one.write.fields.clone(),
            version: one.version,
            expires: ttl.and_then(|ttl| now.checked_add(ttl)),
        };
        self.keys.insert(one.write.key.clone(), entry);
        self.writes_since_sweep += 1;
        if self.writes_since_sweep >= SWEEP_EVERY.max(self.keys.len() / 2) {
            self.keys.retain(|_, entry| entry.alive(now));
            self.writes_since_sweep = 0;
        }
    }

    fn read(&self, key: &str, now: Instant) -> Hash {
        let Some(entry) = self.keys.get(key).filter(|entry| entry.alive(now)) else { return Hash::new() };
        let fields = entry.fields.iter().map(|(name, value)| (name.to_string(), value.clone()));
        fields.chain([(VERSION_FIELD.to_owned(), entry.version.to_string())]).collect()
    }
}

impl OnlineStore for MemoryStore {
    fn write(&mut self, writes: &[VersionedWrite]) -> Result<(), StoreError> {
        let now = Instant::now();
        for one in writes {
            self.shard(&one.write.key).write(one, now);
        }
        Ok(())
    }

    fn read(&mut self, keys: &[String]) -> Result<Vec<Hash>, StoreError> {
        let now = Instant::now();
        Ok(keys.iter().map(|key| self.shard(key).read(key, now)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::write;
    use super::*;

    #[test]
    fn expired_keys_do_not_pile_up() {
        let mut shard = Shard::default();
        let start = Instant::now();
        for i in 0..5_000_u64 {
            let one = write(&format!("k{i}"), (1, 1), &[("n", "1")], Some(10));
            shard.write(&one, start + Duration::from_millis(i));
        }
        assert!(shard.keys.len() < 2 * SWEEP_EVERY, "{} keys", shard.keys.len());
        assert!(!shard.keys.is_empty());
    }
}

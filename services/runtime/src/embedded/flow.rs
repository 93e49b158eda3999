//! How much lies between those who write topics and those who read them, so that none overflows.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a record takes besides key and payload: headers and framing.
const RECORD_BYTES: u64 = 160;

/// Records and their bytes, counted from the first of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amount {
    /// Records.
    pub rows: u64,
    /// Bytes of payload, key and headers, roughly.
    pub bytes: u64,
}

impl Amount {
    /// One record, as every writer and every reader counts it.
    pub fn of_record(key: Option<&[u8]>, payload: Option<&[u8]>) -> Self {
        let bytes = key.map_or(0, <[u8]>::len) + payload.map_or(0, <[u8]>::len);
        Self { rows: 1, bytes: bytes as u64 + RECORD_BYTES }
    }

    fn add(&mut self, other: Amount) {
        self.rows += other.rows;
        self.bytes += other.bytes;
    }
}

#[derive(Default)]
struct Partition {
    written: Amount,
    read: BTreeMap<String, Amount>,
}

#[derive(Default)]
struct State {
    partitions: BTreeMap<(String, i32), Partition>,
    readers: BTreeMap<String, Vec<String>>,
}

/// The positions of every writer and every reader of a process, by topic partition.
#[derive(Clone, Default)]
pub struct Flow(Arc<(Mutex<State>, Condvar)>);

impl Flow {
    /// A flow of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// `reader` is going to read all of `topic`: what is written from now on is in flight until it has read it.
    pub fn add_reader(&self, reader: &str, topic: &str) {
        let mut state = self.state();
        let readers = state.readers.entry(topic.to_owned()).or_default();
        if !readers.iter().any(|r| r == reader) {
            readers.push(reader.to_owned());
        }
    }

    /// Records were written; called before they can be read.
    pub fn wrote(&self, topic: &str, partition: i32, amount: Amount) {
        let mut state = self.state();
        state.partitions.entry((topic.to_owned(), partition)).or_default().written.add(amount);
    }

    /// `reader` is done with records.
    pub fn read(&self, reader: &str, topic: &str, partition: i32, amount: Amount) {
        let mut state = self.state();
        let entry = state.partitions.entry((topic.to_owned(), partition)).or_default();
        entry.read.entry(reader.to_owned()).or_default().add(amount);
        drop(state);
        self.0.1.notify_all();
    }

    /// The most that any topic partition holds which a reader of it has still to read: rows and bytes apart.
    pub fn in_flight(&self) -> Amount {
        in_flight(&self.state())
    }

    /// Waits until no topic partition holds more unread than `most`, or `bound` has passed; whether it is so.
    pub fn wait_below(&self, most: Amount, bound: Duration) -> bool {
        let below = |state: &State| {
            let now = in_flight(state);
            now.rows <= most.rows && now.bytes <= most.bytes
        };
        let result = self.0.1.wait_timeout_while(self.state(), bound, |state| !below(state));
        below(&result.unwrap_or_else(PoisonError::into_inner).0)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn in_flight(state: &State) -> Amount {
    let mut most = Amount::default();
    for ((topic, _), partition) in &state.partitions {
        for reader in state.readers.get(topic).into_iter().flatten() {
            let read = partition.read.get(reader).copied().unwrap_or_default();
            most.rows = most.rows.max(partition.written.rows.saturating_sub(read.rows));
            most.bytes = most.bytes.max(partition.written.bytes.saturating_sub(read.bytes));
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn amount(rows: u64, bytes: u64) -> Amount {
        Amount { rows, bytes }
    }

    #[test]
    fn the_slowest_reader_of_the_fullest_partition_counts() {
        let flow = Flow::new();
        flow.add_reader("a", "t");
        flow.add_reader("b", "t");
        flow.wrote("t", 0, amount(10, 1000));
        flow.wrote("t", 1, amount(4, 5000));
        flow.wrote("nobody reads this", 0, amount(99, 99_999));
        assert_eq!(flow.in_flight(), amount(10, 5000));
        flow.read("a", "t", 0, amount(10, 1000));
        assert_eq!(flow.in_flight(), amount(10, 5000), "b has read nothing");
        flow.read("b", "t", 0, amount(9, 900));
        flow.read("a", "t", 1, amount(4, 5000));
        flow.read("b", "t", 1, amount(4, 5000));
        assert_eq!(flow.in_flight(), amount(1, 100));
        assert!(flow.wait_below(amount(1, 100), Duration::ZERO));
        assert!(!flow.wait_below(amount(0, 100), Duration::ZERO));
    }

    #[test]
    fn a_writer_that_waits_goes_on_when_the_reader_has_caught_up() {
        let flow = Flow::new();
        flow.add_reader("a", "t");
        flow.wrote("t", 0, amount(10, 10));
        let reader = flow.clone();
        let thread = std::thread::spawn(move || reader.read("a", "t", 0, amount(10, 10)));
        assert!(flow.wait_below(Amount::default(), Duration::from_secs(10)));
        thread.join().unwrap();
    }
}

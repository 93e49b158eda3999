//! The impressions and clicks of a stream of lists, each when it is due.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::{Event, Ledger, Shown, User};

/// Users who look at lists as they come, partition by partition, and answer when it is time: a click that comes half an
/// hour after its list is not to stand before others that come sooner.
pub struct Answers {
    users: User,
    ledger: Ledger,
    waiting: BTreeMap<i32, Waiting>,
    taken: u64,
}

#[derive(Default)]
struct Waiting {
    now_ms: i64,
    due: BinaryHeap<Reverse<(i64, u64)>>,
    events: BTreeMap<u64, Event>,
}

impl Answers {
    /// Nothing was shown yet.
    pub fn new(users: User) -> Self {
        Self { users, ledger: Ledger::default(), waiting: BTreeMap::new(), taken: 0 }
    }

    /// Takes a list of a partition of rankings, and gives what is due by its time. Lists of a partition come in the order
    /// of time.
    pub fn take(&mut self, partition: i32, shown: &Shown) -> Vec<Event> {
        let waiting = self.waiting.entry(partition).or_default();
        if self.ledger.of(&shown.request).is_none()
            && let Some(answer) = self.users.answer(shown)
        {
            for event in answer.events {
                self.taken += 1;
                waiting.due.push(Reverse((event.record_time_ms(), self.taken)));
                waiting.events.insert(self.taken, event);
            }
            self.ledger.note(shown, &answer.counted, answer.clicks);
        }
        waiting.now_ms = waiting.now_ms.max(shown.time_ms);
        waiting.until(waiting.now_ms)
    }

    /// What is left, by time, when no more lists come.
    pub fn rest(&mut self) -> Vec<Event> {
        let mut rest: Vec<Event> =
            self.waiting.values_mut().flat_map(|waiting| waiting.until(i64::MAX)).collect();
        rest.sort_by_key(Event::record_time_ms);
        rest
    }

    /// What requests must have earned, when all is over.
    pub fn into_ledger(self) -> Ledger {
        self.ledger
    }

    /// What requests must have earned.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }
}

impl Waiting {
    fn until(&mut self, time_ms: i64) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(Reverse((due_ms, number))) = self.due.peek().copied() {
            if due_ms > time_ms {
                break;
            }
            self.due.pop();
            events.extend(self.events.remove(&number));
        }
        events
    }
}

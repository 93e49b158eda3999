//! Who may run how far: the pure rule behind alignment.

/// Where a partition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Nobody has looked yet: everyone waits for it.
    Unknown,
    /// It has rows left, the next one not before this record time, in ms.
    At(i64),
    /// It had no rows left when the others stood at this record time, in ms (the least there is: nobody knows). How things
    /// stand is only known later by looking again, so the others run no further ahead of it than of one with rows left.
    End(i64),
}

/// How far a partition may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// As far as it has rows.
    Free,
    /// Up to this record time, in ms, itself included.
    UpTo(i64),
    /// Not at all: some partition's place is unknown.
    Hold,
}

impl Limit {
    /// Whether a row of this record time may be taken.
    pub fn admits(self, time_ms: i64) -> bool {
        match self {
            Limit::Free => true,
            Limit::UpTo(limit) => time_ms <= limit,
            Limit::Hold => false,
        }
    }
}

#[derive(Debug, Clone)]
struct Slot {
    place: Place,
    /// The worker of this process that owns it.
    owner: Option<usize>,
    /// Waited for too long: left out until it moves.
    dropped: bool,
    /// It was at its end, and a row of this record time waits to learn whether it still is.
    asked: Option<i64>,
}

/// The places of all partitions of a stage's source topics, as one process knows them.
#[derive(Debug, Clone)]
pub struct Rule {
    max_skew_ms: i64,
    inputs: usize,
    slots: Vec<Slot>,
    /// Which workers know their assignment. While one does not, a partition without an owner may still become ours.
    assigned: Vec<bool>,
}

impl Rule {
    /// A rule for `inputs` topics of `partitions` partitions each, owned by `workers` workers; all places unknown.
    pub fn new(max_skew_ms: i64, inputs: usize, partitions: usize, workers: usize) -> Self {
        let slot = Slot { place: Place::Unknown, owner: None, dropped: false, asked: None };
        Self { max_skew_ms, inputs, slots: vec![slot; inputs * partitions], assigned: vec![false; workers] }
    }

    /// How far partitions may be apart, in ms of record time.
    pub fn max_skew_ms(&self) -> i64 {
        self.max_skew_ms
    }

    /// A worker learned which partition numbers it owns. Ones that are new to it are unknown until it says where it is.
    pub fn assign(&mut self, worker: usize, partitions: &[i32]) {
        if let Some(assigned) = self.assigned.get_mut(worker) {
            *assigned = true;
        }
        for &partition in partitions {
            for input in 0..self.inputs {
                if let Some(slot) = self.slot_mut(input, partition) {
                    slot.owner = Some(worker);
                    slot.dropped = false;
                    slot.asked = None;
                    if matches!(slot.place, Place::End(_)) {
                        slot.place = Place::Unknown;
                    }
                }
            }
        }
    }

    /// A worker lost its partitions. They count where they are while nobody owns them.
    pub fn revoke(&mut self, worker: usize) {
        if let Some(assigned) = self.assigned.get_mut(worker) {
            *assigned = false;
        }
        for slot in &mut self.slots {
            if slot.owner == Some(worker) {
                slot.owner = None;
            }
        }
    }

    /// A partition's place; whether anyone may run further now than before.
    pub fn publish(&mut self, input: usize, partition: i32, place: Place) -> bool {
        let Some(slot) = self.slot_mut(input, partition) else { return false };
        let moved = slot.place != place;
        if moved {
            slot.place = place;
            slot.dropped = false;
        }
        moved
    }

    /// How far the task of `partition` may run, as the other partitions stand.
    pub fn limit(&self, partition: i32) -> Limit {
        let mut limit = Limit::Free;
        for slot in self.others(partition) {
            if !self.counts(slot) {
                continue;
            }
            limit = match (slot.place, limit) {
                (Place::Unknown, _) => return Limit::Hold,
                (Place::At(time) | Place::End(time), Limit::UpTo(limit)) => {
                    Limit::UpTo(limit.min(time.saturating_add(self.max_skew_ms)))
                }
                (Place::At(time) | Place::End(time), _) => Limit::UpTo(time.saturating_add(self.max_skew_ms)),
            };
        }
        limit
    }

    /// Leaves out every partition that keeps the task of `partition` from a row of `time_ms`, until it moves; how many.
    pub fn drop_blockers(&mut self, partition: i32, time_ms: i64) -> usize {
        let width = self.width();
        let (skew, settled) = (self.max_skew_ms, self.settled());
        let mut dropped = 0;
        for (i, slot) in self.slots.iter_mut().enumerate() {
            let blocks = match slot.place {
                Place::Unknown => true,
                Place::At(time) | Place::End(time) => time_ms > time.saturating_add(skew),
            };
            let left_out = slot.dropped || (settled && slot.owner.is_none());
            if blocks && !left_out && i % width != usize::try_from(partition).unwrap_or(usize::MAX) {
                slot.dropped = true;
                dropped += 1;
            }
        }
        dropped
    }

    /// The task of `partition` waits with a row of `time_ms`: every partition that keeps it waiting though it was at its end
    /// is asked whether it still is. Whether any is asked anew.
    pub fn ask(&mut self, partition: i32, time_ms: i64) -> bool {
        let (width, own) = (self.width(), usize::try_from(partition).unwrap_or(usize::MAX));
        let skew = self.max_skew_ms;
        let mut anew = false;
        for (i, slot) in self.slots.iter_mut().enumerate() {
            let waits = matches!(slot.place, Place::End(time) if time_ms > time.saturating_add(skew));
            if waits && i % width != own && !slot.dropped && slot.asked.is_none() {
                slot.asked = Some(time_ms);
                anew = true;
            }
        }
        anew
    }

    /// What a partition was asked since the last call: whether it is still at its end, by a row of this record time.
    pub fn asked(&mut self, input: usize, partition: i32) -> Option<i64> {
        self.slot_mut(input, partition)?.asked.take()
    }

    /// Whether a partition is waited for: those that another process owns are not known here.
    fn counts(&self, slot: &Slot) -> bool {
        !slot.dropped && (slot.owner.is_some() || !self.settled())
    }

    fn settled(&self) -> bool {
        self.assigned.iter().all(|a| *a)
    }

    fn width(&self) -> usize {
        self.slots.len().checked_div(self.inputs).unwrap_or(0).max(1)
    }

    fn others(&self, partition: i32) -> impl Iterator<Item = &Slot> {
        let (width, own) = (self.width(), usize::try_from(partition).unwrap_or(usize::MAX));
        self.slots.iter().enumerate().filter(move |(i, _)| i % width != own).map(|(_, slot)| slot)
    }

    fn slot_mut(&mut self, input: usize, partition: i32) -> Option<&mut Slot> {
        let width = self.width();
        let partition = usize::try_from(partition).ok().filter(|p| *p < width)?;
        self.slots.get_mut(input * width + partition)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owned(skew: i64, partitions: i32) -> Rule {
        let mut rule = Rule::new(skew, 1, usize::try_from(partitions).unwrap(), 1);
        rule.assign(0, &(0..partitions).collect::<Vec<_>>());
        rule
    }

    #[test]
    fn nobody_runs_before_every_partition_has_been_looked_at() {
        let mut rule = owned(10, 2);
        rule.publish(0, 0, Place::At(5));
        assert_eq!(rule.limit(0), Limit::Hold);
        rule.publish(0, 1, Place::End(3));
        assert_eq!(rule.limit(0), Limit::UpTo(13));
        assert_eq!(rule.limit(1), Limit::UpTo(15));
    }

    #[test]
    fn a_partition_at_its_end_is_asked_again_before_others_run_away_from_it() {
        let mut rule = owned(10, 3);
        rule.publish(0, 0, Place::At(40));
        rule.publish(0, 1, Place::End(30));
        rule.publish(0, 2, Place::End(i64::MIN));
        assert!(!rule.limit(0).admits(40));
        assert!(rule.ask(0, 40));
        assert!(!rule.ask(0, 40), "it was asked already");
        assert_eq!((0..3).map(|p| rule.asked(0, p)).collect::<Vec<_>>(), [None, None, Some(40)]);
        assert_eq!(rule.asked(0, 2), None, "told once");
        rule.publish(0, 2, Place::End(40));
        assert_eq!(rule.limit(0), Limit::UpTo(40));
    }

    #[test]
    fn partitions_without_an_owner_count_until_every_worker_is_assigned() {
        let mut rule = Rule::new(10, 1, 2, 2);
        rule.assign(0, &[0]);
        rule.publish(0, 0, Place::At(5));
        assert_eq!(rule.limit(0), Limit::Hold);
        rule.assign(1, &[]);
        assert_eq!(rule.limit(0), Limit::Free, "partition 1 belongs to another process");
    }

    #[test]
    fn a_revoked_partition_counts_where_it_was() {
        let mut rule = owned(10, 2);
        rule.publish(0, 0, Place::At(500));
        rule.publish(0, 1, Place::At(7));
        rule.revoke(0);
        assert_eq!(rule.limit(0), Limit::UpTo(17));
    }

    #[test]
    fn a_partition_waited_for_too_long_is_left_out_until_it_moves() {
        let mut rule = owned(10, 2);
        rule.publish(0, 0, Place::At(500));
        rule.publish(0, 1, Place::At(7));
        assert_eq!(rule.drop_blockers(0, 500), 1);
        assert_eq!(rule.limit(0), Limit::Free);
        assert!(!rule.publish(0, 1, Place::At(7)), "it has not moved");
        assert_eq!(rule.limit(0), Limit::Free);
        assert!(rule.publish(0, 1, Place::At(8)));
        assert_eq!(rule.limit(0), Limit::UpTo(18));
    }

    proptest! {
        /// Partitions take their rows whenever the rule lets them, in any order of turns.
        #[test]
        fn no_row_is_taken_further_ahead_than_the_skew_and_all_are_taken(
            mut logs in prop::collection::vec(prop::collection::vec(0i64..200, 0..20), 2..5),
            turns in prop::collection::vec(0usize..5, 0..200),
            skew in 0i64..30,
        ) {
            for log in &mut logs {
                log.sort_unstable();
            }
            let n = logs.len();
            let mut rule = owned(skew, i32::try_from(n).unwrap());
            let mut next = vec![0; n];
            let place = |log: &Vec<i64>, next: usize| log.get(next).map_or(Place::End(i64::MAX), |t| Place::At(*t));
            for (p, log) in logs.iter().enumerate() {
                rule.publish(0, i32::try_from(p).unwrap(), place(log, 0));
            }
            let total: usize = logs.iter().map(Vec::len).sum();
            let fair = (0..total * n).map(|i| i % n);
            for p in turns.into_iter().map(|t| t % n).chain(fair) {
                let number = i32::try_from(p).unwrap();
                let Some(&time) = logs[p].get(next[p]) else { continue };
                if !rule.limit(number).admits(time) {
                    continue;
                }
                let slowest = (0..n).filter_map(|q| logs[q].get(next[q])).min().copied().unwrap();
                prop_assert!(time <= slowest + skew);
                next[p] += 1;
                rule.publish(0, number, place(&logs[p], next[p]));
            }
            prop_assert_eq!(next.iter().sum::<usize>(), total);
        }
    }
}

//! Which partitions windows no longer wait for: pure.
//!
//! A partition is silent when it lies behind others that tell of the same, and for so long has neither told of a window
//! nor been read from. It stays so until it moves.

use std::collections::BTreeMap;

use super::note::Teller;

/// Whom experiments wait for, with the last window's end that each has told of, in ms.
pub type Waited = BTreeMap<Teller, Option<i64>>;

/// Since when a partition stands still, and where.
#[derive(Debug, Clone, Copy)]
struct Still {
    told_ms: Option<i64>,
    position: Option<i64>,
    since_ms: i64,
    /// What was written for it.
    silent_ms: Option<i64>,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub struct Watch(BTreeMap<Teller, Still>);

impl Watch {
    /// Who is silent at `now_ms` of a clock that only goes on, and up to which window's end. `position`: up to which offset
    /// a partition was read, if it ever was; none where Kafka does not answer, and then nobody is silent.
    pub fn due(
        &mut self,
        waited: &Waited,
        max_wait_ms: i64,
        now_ms: i64,
        mut position: impl FnMut(&Teller) -> Option<Option<i64>>,
    ) -> Vec<(Teller, i64)> {
        self.0.retain(|teller, _| waited.contains_key(teller));
        let mut due = Vec::new();
        for (teller, told_ms, to_ms) in behind(waited) {
            let answer = position(&teller);
            let position = answer.flatten();
            let fresh = Still { told_ms, position, since_ms: now_ms, silent_ms: None };
            let still = self.0.entry(teller.clone()).or_insert(fresh);
            let told = told_ms != still.told_ms && told_ms != still.silent_ms;
            if told || answer.is_none() || position != still.position {
                *still = fresh;
            }
            still.told_ms = told_ms;
            let waits = now_ms.saturating_sub(still.since_ms) >= max_wait_ms;
            // What was written has yet to be taken.
            if waits && still.silent_ms.is_none_or(|silent_ms| silent_ms < to_ms) {
                due.push((teller, to_ms));
            }
        }
        due
    }

    /// It was written that a partition is silent.
    pub fn written(&mut self, teller: &Teller, end_ms: i64) {
        if let Some(still) = self.0.get_mut(teller) {
            still.silent_ms = Some(end_ms);
        }
    }
}

/// Partitions that lie behind others of their kind, with what they told and what the others have.
fn behind(waited: &Waited) -> Vec<(Teller, Option<i64>, i64)> {
    let mut furthest: BTreeMap<(&str, bool), i64> = BTreeMap::new();
    for (teller, told_ms) in waited {
        if let Some(told_ms) = told_ms {
            let most = furthest.entry((&teller.place.topic, teller.outcomes)).or_insert(*told_ms);
            *most = (*told_ms).max(*most);
        }
    }
    let of = |(teller, told_ms): (&Teller, &Option<i64>)| {
        let to_ms = *furthest.get(&(teller.place.topic.as_str(), teller.outcomes))?;
        (*told_ms < Some(to_ms)).then(|| (teller.clone(), *told_ms, to_ms))
    };
    waited.iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::note::Place;

    fn teller(partition: i32, outcomes: bool) -> Teller {
        Teller { place: Place { topic: "rankings".into(), partition }, outcomes }
    }

    fn waited(observers: [Option<i64>; 2], outcomes: [Option<i64>; 2]) -> Waited {
        let all = [(false, observers), (true, outcomes)];
        let each = all.into_iter().flat_map(|(kind, told)| {
            told.into_iter().zip(0..).map(move |(told, partition)| (teller(partition, kind), told))
        });
        each.collect()
    }

    #[test]
    fn who_never_tells_or_stands_still_behind_its_like_is_silent_until_it_moves() {
        let mut watch = Watch::default();
        let first = waited([Some(20), None], [Some(10), Some(10)]);
        assert_eq!(watch.due(&first, 50, 0, |_| Some(Some(7))), []);
        assert_eq!(
            watch.due(&first, 50, 49, |_| Some(Some(7))),
            [],
            "outcomes lie behind observers, and not one another"
        );
        assert_eq!(watch.due(&first, 50, 50, |_| Some(Some(7))), [(teller(1, false), 20)]);
        watch.written(&teller(1, false), 20);
        assert_eq!(watch.due(&first, 50, 60, |_| Some(Some(7))), [], "the judge has yet to take it");
        let taken = waited([Some(20), Some(20)], [Some(10), Some(10)]);
        assert_eq!(watch.due(&taken, 50, 61, |_| Some(Some(7))), []);
        let next = waited([Some(30), Some(20)], [Some(10), Some(10)]);
        assert_eq!(watch.due(&next, 50, 62, |_| Some(Some(7))), [(teller(1, false), 30)], "it stays silent");
        assert_eq!(watch.due(&next, 50, 63, |_| Some(Some(8))), [], "it is read from");
        assert_eq!(watch.due(&next, 50, 112, |_| Some(Some(8))), []);
        assert_eq!(watch.due(&next, 50, 113, |_| Some(Some(8))), [(teller(1, false), 30)]);
        let told = waited([Some(40), Some(30)], [Some(10), None]);
        assert_eq!(watch.due(&told, 50, 114, |_| None), []);
    }
}

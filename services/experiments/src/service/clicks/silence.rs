//! Which inputs are silent, and up to which time that can be said: pure.
//!
//! An input is silent when its log's end has not moved for so long, and its task has taken all of it or is about to: rows
//! before a tick's time that are in the log are taken before the tick, whose place among them its time gives. What silence
//! says is therefore about writers alone. Its time goes on as the wall clock does, and is never behind that of others.

use std::collections::BTreeMap;

use super::Source;
use super::ticks::Tick;

/// What a task says of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Told {
    /// Over sources: the greatest time taken, in ms.
    pub times: [Option<i64>; 3],
    /// Over sources: the time that it must pass before something is said that waits for it; none: nothing waits.
    pub wakes: [Option<i64>; 3],
}

/// Since when an input is silent.
#[derive(Debug, Clone, Copy)]
struct Still {
    time_ms: Option<i64>,
    end: Option<i64>,
    since_ms: i64,
    ticked_ms: Option<i64>,
}

/// What was seen of all inputs so far.
#[derive(Debug, Default)]
pub struct Watch(BTreeMap<(i32, Source), Still>);

impl Watch {
    /// Ticks that are due at `now_ms` of a clock that only goes on. `end`: where the log of an input ends; none: not known,
    /// since Kafka does not answer, and then nothing is silent.
    pub fn due(
        &mut self,
        told: &BTreeMap<i32, Told>,
        max_wait_ms: i64,
        now_ms: i64,
        mut end: impl FnMut(i32, Source) -> Option<i64>,
    ) -> Vec<(i32, Tick)> {
        let latest_ms = told.values().flat_map(|told| told.times).flatten().max();
        self.0.retain(|(partition, source), _| {
            told.get(partition).is_some_and(|told| told.wakes[source.index()].is_some())
        });
        let mut due = Vec::new();
        for (partition, told) in told {
            for source in Source::ALL {
                let Some(wake_ms) = told.wakes[source.index()] else { continue };
                let time_ms = told.times[source.index()];
                let fresh = Still { time_ms, end: None, since_ms: now_ms, ticked_ms: None };
                let still = self.0.entry((*partition, source)).or_insert(fresh);
                // A time that a tick has set is no sign of life.
                if time_ms != still.time_ms && time_ms != still.ticked_ms {
                    *still = fresh;
                    continue;
                }
                let end = end(*partition, source);
                if end.is_none() || (still.end.is_some() && end != still.end) {
                    *still = Still { end, time_ms: still.time_ms, ..fresh };
                    continue;
                }
                still.end = end;
                let silent_ms = now_ms.saturating_sub(still.since_ms);
                let waits = still.ticked_ms.is_none_or(|ticked_ms| wake_ms >= ticked_ms);
                let goes_on = still.time_ms.map(|time_ms| time_ms.saturating_add(silent_ms));
                let Some(to_ms) = goes_on.max(latest_ms).filter(|to_ms| waits && *to_ms > wake_ms) else {
                    continue;
                };
                if silent_ms >= max_wait_ms {
                    due.push((*partition, Tick { source, time_ms: to_ms }));
                }
            }
        }
        due
    }

    /// A tick was written.
    pub fn ticked(&mut self, partition: i32, tick: Tick) {
        if let Some(still) = self.0.get_mut(&(partition, tick.source)) {
            still.ticked_ms = Some(tick.time_ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(rankings: (i64, Option<i64>), clicks: (i64, Option<i64>)) -> BTreeMap<i32, Told> {
        let times = [Some(rankings.0), None, Some(clicks.0)];
        BTreeMap::from([(3, Told { times, wakes: [rankings.1, None, clicks.1] })])
    }

    fn ticks(watch: &mut Watch, told: &BTreeMap<i32, Told>, now_ms: i64, end: Option<i64>) -> Vec<i64> {
        watch.due(told, 50, now_ms, |_, _| end).iter().map(|(_, tick)| tick.time_ms).collect()
    }

    #[test]
    fn a_silent_input_goes_to_the_time_of_others_and_then_with_the_clock() {
        let mut watch = Watch::default();
        let waits = told((1_000, None), (400, Some(500)));
        assert_eq!(ticks(&mut watch, &waits, 0, Some(9)), [0; 0]);
        assert_eq!(ticks(&mut watch, &waits, 49, Some(9)), [0; 0]);
        assert_eq!(ticks(&mut watch, &waits, 50, Some(9)), [1_000]);
        watch.ticked(3, Tick { source: Source::Clicks, time_ms: 1_000 });
        assert_eq!(ticks(&mut watch, &waits, 60, Some(9)), [0; 0], "the task has yet to take it");
        let later = told((1_000, None), (1_000, Some(1_100)));
        assert_eq!(ticks(&mut watch, &later, 700, Some(9)), [0; 0], "nothing would come of 1,100");
        assert_eq!(ticks(&mut watch, &later, 701, Some(9)), [1_101]);
    }

    #[test]
    fn a_row_or_a_log_that_grows_or_a_kafka_that_is_away_is_no_silence() {
        let waits = told((1_000, None), (400, Some(500)));
        let goes_on = told((1_000, None), (401, Some(500)));
        for (then, end, after) in
            [(&goes_on, Some(9), Some(9)), (&waits, Some(10), Some(10)), (&waits, None, Some(9))]
        {
            let mut watch = Watch::default();
            assert_eq!(ticks(&mut watch, &waits, 0, Some(9)), [0; 0]);
            assert_eq!(ticks(&mut watch, then, 49, end), [0; 0]);
            assert_eq!(ticks(&mut watch, then, 98, after), [0; 0]);
            assert_eq!(ticks(&mut watch, then, 99, after), [1_000]);
        }
    }
}

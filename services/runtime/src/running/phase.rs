//! How far a row's effects reach, from where it lies: pure.

use millrace_topics::Start;

use crate::task::Phase;

/// Where a row lies, and what is known of its input.
#[derive(Debug, Clone, Copy)]
pub struct Position {
    /// Its offset.
    pub offset: i64,
    /// Its record time, in ms.
    pub time_ms: i64,
    /// Rows below it are taken again to rebuild the state.
    pub rebuild_to: i64,
    /// Up to where the online store holds everything.
    pub store: i64,
    /// Rows below it only warm the state.
    pub warm_below: Option<i64>,
    /// Where the view begins.
    pub start: Start,
}

/// The phase of a row.
pub fn phase(at: Position) -> Phase {
    let early = matches!(at.start, Start::Time(start_ms) if at.time_ms < start_ms);
    let warm = early || at.warm_below.is_some_and(|start| at.offset < start);
    match (at.offset < at.rebuild_to, warm) {
        (true, true) => Phase::Rebuild,
        (true, false) if at.offset >= at.store => Phase::RebuildStore,
        (true, false) => Phase::Rebuild,
        (false, true) => Phase::Warm,
        (false, false) => Phase::Live,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_live_from_the_committed_offset_and_from_the_start_on() {
        let at = |offset, time_ms, start| {
            phase(Position { offset, time_ms, rebuild_to: 10, store: 7, warm_below: Some(5), start })
        };
        assert_eq!(at(4, 0, Start::Now), Phase::Rebuild);
        assert_eq!(at(6, 0, Start::Now), Phase::Rebuild);
        assert_eq!(at(7, 0, Start::Now), Phase::RebuildStore);
        assert_eq!(at(10, 0, Start::Now), Phase::Live);
        assert_eq!(at(10, 99, Start::Time(100)), Phase::Warm);
        assert_eq!(at(10, 100, Start::Time(100)), Phase::Live);
        assert_eq!(at(8, 99, Start::Time(100)), Phase::Rebuild, "a warm row writes no key");
        let late_start = Position {
            offset: 12,
            time_ms: 0,
            rebuild_to: 10,
            store: 7,
            warm_below: Some(20),
            start: Start::Now,
        };
        assert_eq!(phase(late_start), Phase::Warm);
    }
}

//! Windows by time, kept in panes: stretches that no window's start or end divides. A row is counted once, in its pane,
//! however many windows overlap there; a window is its panes merged.

use std::collections::{BTreeMap, BTreeSet};

use super::open::{Closed, Count, Status};
use super::segment::merge_segments;
use super::spec::{Window, WindowSpec};
use crate::profile::Profile;

#[derive(Debug)]
pub(super) struct Panes {
    spec: WindowSpec,
    lateness_ms: i64,
    pane_ms: i64,
    /// By start.
    panes: BTreeMap<i64, Pane>,
    /// The first moment that passes a window with rows; the greatest there is if none is open.
    pub(super) next_ms: i64,
    /// Rows of the batch at hand that are not counted yet, by pane.
    pending: BTreeMap<i64, Vec<u32>>,
}

#[derive(Debug)]
struct Pane {
    segments: BTreeMap<String, Profile>,
    first_offset: i64,
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl Panes {
    pub(super) fn new(spec: WindowSpec, lateness_ms: i64) -> Self {
        let (length, every) = spec.times().unwrap_or((1, 1));
        let pane_ms = gcd(length, every).max(1);
        let (panes, pending) = (BTreeMap::new(), BTreeMap::new());
        Self { spec, lateness_ms, pane_ms, panes, next_ms: i64::MAX, pending }
    }

    /// The moment at which a window becomes final.
    fn final_ms(&self, window: Window) -> i64 {
        window.end_ms.saturating_add(self.lateness_ms)
    }

    /// Takes a row, `now_ms` being the partition's time with it; whether it came too late for a window.
    pub(super) fn take(&mut self, row: u32, time_ms: i64, offset: i64, now_ms: i64) -> bool {
        let start = time_ms.div_euclid(self.pane_ms).saturating_mul(self.pane_ms);
        if let Some(rows) = self.pending.get_mut(&start) {
            rows.push(row);
            // The pane is not new, but rows of one pane may be late for its first windows.
            return self.spec.windows_of(start).next().is_some_and(|w| self.final_ms(w) <= now_ms);
        }
        let (mut late, mut open) = (false, false);
        for window in self.spec.windows_of(start) {
            let final_ms = self.final_ms(window);
            late |= final_ms <= now_ms;
            open |= final_ms > now_ms;
            for moment in [window.end_ms, final_ms] {
                if moment > now_ms {
                    self.next_ms = self.next_ms.min(moment);
                }
            }
        }
        if open {
            let pane = Pane { segments: BTreeMap::new(), first_offset: offset };
            self.panes.entry(start).or_insert(pane);
            self.pending.entry(start).or_default().push(row);
        }
        late
    }

    /// Counts the rows taken.
    pub(super) fn flush(&mut self, count: &Count<'_>) {
        for (start, rows) in std::mem::take(&mut self.pending) {
            if let Some(pane) = self.panes.get_mut(&start) {
                count.add(&mut pane.segments, &rows);
            }
        }
    }

    /// The windows that time passes by moving from `before` to `now_ms`; what they alone needed is dropped.
    pub(super) fn pass(&mut self, before: Option<i64>, now_ms: i64) -> Vec<Closed> {
        let passed = |moment: i64| before.is_none_or(|before| moment > before) && moment <= now_ms;
        let windows: BTreeSet<Window> =
            self.panes.keys().flat_map(|start| self.spec.windows_of(*start)).collect();
        let mut closing = Vec::new();
        for window in windows {
            if passed(self.final_ms(window)) {
                closing.push((self.final_ms(window), window, Status::Final));
            } else if passed(window.end_ms) {
                closing.push((window.end_ms, window, Status::Provisional));
            }
        }
        closing.sort_unstable();
        // A window of one pane, which no other has, gives it away.
        let alone = self.spec.times() == Some((self.pane_ms, self.pane_ms));
        let closed = closing.into_iter().map(|(_, window, status)| {
            let segments = match status {
                Status::Final if alone => self.panes.remove(&window.start_ms).map(|pane| pane.segments),
                _ => Some(self.merged(window)),
            };
            let segments = segments.unwrap_or_default();
            Closed { window, status, at_ms: now_ms, segments }
        });
        let closed = closed.collect();
        let (spec, lateness_ms) = (self.spec, self.lateness_ms);
        let windows = |start: i64| spec.windows_of(start);
        self.panes.retain(|start, _| {
            windows(*start).next_back().is_some_and(|w| w.end_ms.saturating_add(lateness_ms) > now_ms)
        });
        let moments = self.panes.keys().flat_map(|start| windows(*start));
        let moments = moments.flat_map(|w| [w.end_ms, w.end_ms.saturating_add(lateness_ms)]);
        self.next_ms = moments.filter(|moment| *moment > now_ms).min().unwrap_or(i64::MAX);
        closed
    }

    fn merged(&self, window: Window) -> BTreeMap<String, Profile> {
        let mut segments = BTreeMap::new();
        for pane in self.panes.range(window.start_ms..window.end_ms).map(|(_, pane)| pane) {
            merge_segments(&mut segments, &pane.segments);
        }
        segments
    }

    pub(super) fn first_ms(&self) -> Option<i64> {
        self.panes.keys().next().copied()
    }

    pub(super) fn first_offset(&self) -> Option<i64> {
        self.panes.values().map(|pane| pane.first_offset).min()
    }

    pub(super) fn segments(&self) -> impl Iterator<Item = &BTreeMap<String, Profile>> {
        self.panes.values().map(|pane| &pane.segments)
    }
}

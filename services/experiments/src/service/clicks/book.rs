//! The lists of a partition that are remembered, and the clicks that wait for theirs: everything that is decided.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use millrace_schemas::envelope::ClickFeedback;

use super::Source;
use super::entry::{Entry, Shown};
use super::feedback::Ids;
use super::times::{Spans, Times};
use super::waiting::{Click, Event, Impression, Waiting};
use crate::interleave::credit::Rules;

/// What a task is told to do.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// What clicks may earn.
    pub rules: Rules,
    /// When lists close, and are forgotten.
    pub spans: Spans,
    /// Whether impressions are read.
    pub impressions: bool,
    /// How many lists are remembered at most, and how many clicks wait.
    pub most: usize,
}

/// What was met, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Lists that were closed or forgotten early, since there were too many.
    pub crowded_out: u64,
    /// Impressions whose list did not come.
    pub impressions_unmatched: u64,
}

/// The state of one partition.
#[derive(Debug)]
pub struct Book {
    terms: Terms,
    ids: Ids,
    times: Times,
    lists: HashMap<Arc<str>, Entry>,
    /// Lists that are open, and those that are closed, the oldest one first.
    open: BTreeMap<(i64, i64), Arc<str>>,
    closed: BTreeMap<(i64, i64), Arc<str>>,
    waiting: Waiting,
    tally: Tally,
}

impl Book {
    /// An empty one.
    pub fn new(terms: Terms, ids: Ids) -> Self {
        Self {
            times: Times::new(terms.spans, terms.impressions),
            terms,
            ids,
            lists: HashMap::new(),
            open: BTreeMap::new(),
            closed: BTreeMap::new(),
            waiting: Waiting::default(),
            tally: Tally::default(),
        }
    }

    /// How far inputs have come.
    pub fn times(&mut self) -> &mut Times {
        &mut self.times
    }

    /// How far inputs have come.
    pub fn read_times(&self) -> &Times {
        &self.times
    }

    /// How many lists are open, how many are remembered, how many clicks and impressions wait.
    pub fn sizes(&self) -> [usize; 3] {
        [self.open.len(), self.lists.len(), self.waiting.len()]
    }

    /// What was met so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Whether a list of this request is remembered.
    pub fn knows(&self, request: &str) -> bool {
        self.lists.contains_key(request)
    }

    /// Takes a list; the clicks that waited for it are judged now.
    pub fn list(&mut self, shown: Shown, said: &mut Vec<ClickFeedback>) {
        let (request, mut entry) = Entry::new(shown, self.terms.rules);
        let (from_ms, to_ms) = self.reach(entry.time_ms);
        for event in self.waiting.take(&request, from_ms, to_ms) {
            match event {
                Event::Click(click) => said.push(self.ids.click(click, &mut entry, self.horizon_ms())),
                Event::Impression(impression) => show(&mut entry, &impression, self.horizon_ms()),
            }
        }
        self.open.insert(entry.place(), request.clone());
        self.lists.insert(request, entry);
        while self.lists.len() > self.terms.most {
            self.crowd_out(said);
        }
    }

    /// Takes a click.
    pub fn click(&mut self, click: Click, said: &mut Vec<ClickFeedback>) {
        let horizon_ms = self.horizon_ms();
        match self.list_of(&click.request, click.time_ms) {
            // Borrowed anew: the ids are another part of the book.
            Some(()) => {
                if let Some(entry) = self.lists.get_mut(click.request.as_str()) {
                    said.push(self.ids.click(click, entry, horizon_ms));
                }
            }
            None => self.wait(Event::Click(click), said),
        }
    }

    /// Takes an impression.
    pub fn impression(&mut self, impression: Impression, said: &mut Vec<ClickFeedback>) {
        let horizon_ms = self.horizon_ms();
        match self.list_of(&impression.request, impression.time_ms) {
            Some(()) => {
                if let Some(entry) = self.lists.get_mut(impression.request.as_str()) {
                    show(entry, &impression, horizon_ms);
                }
            }
            None => self.wait(Event::Impression(impression), said),
        }
    }

    /// Closes, forgets and gives up what is due as times stand.
    pub fn settle(&mut self, said: &mut Vec<ClickFeedback>) {
        let (closed_ms, forgotten_ms, expired_ms) =
            (self.times.closed_ms(), self.times.forgotten_ms(), self.times.expired_ms());
        while let Some(first) = self.open.first_entry()
            && first.key().0 < closed_ms
        {
            let (place, request) = first.remove_entry();
            self.close(&request, said);
            self.closed.insert(place, request);
        }
        while let Some(first) = self.closed.first_entry()
            && first.key().0 < forgotten_ms
        {
            self.lists.remove(&first.remove());
        }
        while self.waiting.first_ms().is_some_and(|first_ms| first_ms < expired_ms) {
            self.give_up(said);
        }
    }

    /// For each source, the time that it must pass before anything is said that waits for it.
    pub fn wakes(&self) -> [Option<i64>; 3] {
        let Spans { horizon_ms, lateness_ms, .. } = self.terms.spans;
        let passes = |time_ms: i64| time_ms.saturating_add(horizon_ms).saturating_add(lateness_ms);
        let mut wakes = [None; 3];
        wakes[Source::Rankings.index()] = self.waiting.first_ms().map(passes);
        let closes = self.open.first_key_value().map(|((time_ms, _), _)| passes(*time_ms));
        wakes[Source::Clicks.index()] = closes;
        wakes[Source::Impressions.index()] = closes.filter(|_| self.terms.impressions);
        wakes
    }

    fn horizon_ms(&self) -> i64 {
        self.terms.spans.horizon_ms
    }

    /// The times of clicks that a list shown at this time knows: from a horizon before it to one after its own. A click
    /// beyond has no list, whenever it comes: otherwise what becomes of it would hang on when lists are forgotten.
    fn reach(&self, time_ms: i64) -> (i64, i64) {
        let horizon_ms = self.horizon_ms();
        (time_ms.saturating_sub(horizon_ms), time_ms.saturating_add(horizon_ms.saturating_mul(2)))
    }

    /// Whether a list of this request is there that reaches to this time.
    fn list_of(&self, request: &str, time_ms: i64) -> Option<()> {
        let (from_ms, to_ms) = self.reach(self.lists.get(request)?.time_ms);
        (from_ms..=to_ms).contains(&time_ms).then_some(())
    }

    fn wait(&mut self, event: Event, said: &mut Vec<ClickFeedback>) {
        self.waiting.push(event);
        if self.waiting.len() > self.terms.most {
            self.give_up(said);
        }
    }

    /// The first of those that wait has no list.
    fn give_up(&mut self, said: &mut Vec<ClickFeedback>) {
        match self.waiting.pop() {
            Some(Event::Click(click)) => said.push(self.ids.unmatched(click)),
            Some(Event::Impression(_)) => self.tally.impressions_unmatched += 1,
            None => {}
        }
    }

    fn close(&mut self, request: &Arc<str>, said: &mut Vec<ClickFeedback>) {
        let Some(entry) = self.lists.get_mut(request) else { return };
        let Some(outcome) = entry.close() else { return };
        said.push(self.ids.outcome(request, entry, outcome, self.terms.spans.horizon_ms));
    }

    /// Forgets the oldest list; one that is open is closed before.
    fn crowd_out(&mut self, said: &mut Vec<ClickFeedback>) {
        let (closed, open) = (self.closed.keys().next().copied(), self.open.keys().next().copied());
        let oldest = match (closed, open) {
            (Some(closed), Some(open)) if open < closed => self.open.remove(&open),
            (Some(closed), _) => self.closed.remove(&closed),
            (None, Some(open)) => self.open.remove(&open),
            (None, None) => None,
        };
        let Some(request) = oldest else { return };
        self.close(&request, said);
        self.lists.remove(&request);
        self.tally.crowded_out += 1;
    }
}

/// Notes positions shown, within the horizon of a list that is open.
fn show(entry: &mut Entry, impression: &Impression, horizon_ms: i64) {
    let counts = impression.time_ms <= entry.time_ms.saturating_add(horizon_ms);
    if let Some(open) = entry.open().filter(|_| counts) {
        open.ledger.impression(impression.positions.iter().copied());
    }
}

//! Clicks and impressions that came before their list: they wait for it, for a while.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A click.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Click {
    /// Its own id.
    pub id: String,
    /// Who clicked.
    pub unit: String,
    /// The request whose list it is on.
    pub request: String,
    /// The item.
    pub item: String,
    /// The record time, in ms.
    pub time_ms: i64,
    /// The row's offset.
    pub offset: i64,
}

/// What was really on the screen of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impression {
    /// The request whose list it is.
    pub request: String,
    /// Positions, from 0.
    pub positions: Vec<usize>,
    /// The record time, in ms.
    pub time_ms: i64,
    /// The row's offset.
    pub offset: i64,
}

/// Either of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A click.
    Click(Click),
    /// An impression.
    Impression(Impression),
}

/// The order in which events leave: by time; impressions before clicks of the same time; by offset.
type Place = (i64, bool, i64);

impl Event {
    /// The record time, in ms.
    pub fn time_ms(&self) -> i64 {
        self.place().0
    }

    fn request(&self) -> &str {
        match self {
            Self::Click(click) => &click.request,
            Self::Impression(impression) => &impression.request,
        }
    }

    fn place(&self) -> Place {
        match self {
            Self::Click(click) => (click.time_ms, true, click.offset),
            Self::Impression(impression) => (impression.time_ms, false, impression.offset),
        }
    }
}

/// All that wait.
#[derive(Debug, Default)]
pub struct Waiting {
    by_request: HashMap<Arc<str>, Vec<Event>>,
    by_time: BTreeMap<Place, Arc<str>>,
}

impl Waiting {
    /// How many wait.
    pub fn len(&self) -> usize {
        self.by_time.len()
    }

    /// The time of the one that leaves next, in ms.
    pub fn first_ms(&self) -> Option<i64> {
        self.by_time.first_key_value().map(|((time_ms, ..), _)| *time_ms)
    }

    /// Waits from now on.
    pub fn push(&mut self, event: Event) {
        let known = self.by_request.get_key_value(event.request());
        let request = known.map_or_else(|| Arc::from(event.request()), |(request, _)| request.clone());
        self.by_time.insert(event.place(), request.clone());
        self.by_request.entry(request).or_default().push(event);
    }

    /// Those of a request from one time to another, both included, by time.
    pub fn take(&mut self, request: &str, from_ms: i64, to_ms: i64) -> Vec<Event> {
        let Some((request, all)) = self.by_request.remove_entry(request) else { return Vec::new() };
        let (mut taken, left): (Vec<Event>, Vec<Event>) =
            all.into_iter().partition(|event| (from_ms..=to_ms).contains(&event.time_ms()));
        if !left.is_empty() {
            self.by_request.insert(request, left);
        }
        taken.sort_by_key(Event::place);
        for event in &taken {
            self.by_time.remove(&event.place());
        }
        taken
    }

    /// The first to leave.
    pub fn pop(&mut self) -> Option<Event> {
        let (place, request) = self.by_time.pop_first()?;
        let all = self.by_request.get_mut(&request)?;
        let at = all.iter().position(|event| event.place() == place)?;
        let event = all.swap_remove(at);
        if all.is_empty() {
            self.by_request.remove(&request);
        }
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn click(request: &str, time_ms: i64, offset: i64) -> Event {
        let (id, unit, item) = (offset.to_string(), String::new(), String::new());
        Event::Click(Click { id, unit, request: request.into(), item, time_ms, offset })
    }

    #[test]
    fn a_list_takes_what_lies_near_it_in_order_and_the_rest_goes_on_waiting() {
        let mut waiting = Waiting::default();
        for (request, time, offset) in [("a", 30, 0), ("b", 5, 1), ("a", 10, 2), ("a", 90, 3), ("a", 20, 4)] {
            waiting.push(click(request, time, offset));
        }
        assert_eq!((waiting.len(), waiting.first_ms()), (5, Some(5)));
        let taken = waiting.take("a", 10, 30);
        assert_eq!(taken, [click("a", 10, 2), click("a", 20, 4), click("a", 30, 0)]);
        assert_eq!(waiting.take("a", 0, 30), []);
        assert_eq!(waiting.pop(), Some(click("b", 5, 1)));
        assert_eq!(waiting.pop(), Some(click("a", 90, 3)));
        assert_eq!((waiting.pop(), waiting.len()), (None, 0));
    }
}

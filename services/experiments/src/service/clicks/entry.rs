//! One list that was shown, as long as it is remembered.

use std::sync::Arc;

use crate::interleave::List;
use crate::interleave::credit::{Ledger, Outcome, Rules};

/// What lists of one deployment have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The offset of the deployment event under which the list was made.
    pub deployment: i64,
    /// The list's arm.
    pub arm: String,
    /// How it was made.
    pub method: String,
    /// The model versions that ranked.
    pub rankers: Vec<String>,
}

/// The items of a list, in one piece of memory.
#[derive(Debug, Clone, Default)]
pub struct Items {
    text: String,
    ends: Vec<u32>,
}

impl Items {
    /// The position of an item, from 0: the first one that holds it.
    pub fn position(&self, item: &str) -> Option<usize> {
        let mut start = 0;
        self.ends.iter().position(|end| {
            let end = *end as usize;
            let found = self.text.get(start..end) == Some(item);
            start = end;
            found
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }
}

impl<'a> FromIterator<&'a str> for Items {
    fn from_iter<I: IntoIterator<Item = &'a str>>(items: I) -> Self {
        let mut all = Self::default();
        for item in items {
            all.text.push_str(item);
            all.ends.push(u32::try_from(all.text.len()).unwrap_or(u32::MAX));
        }
        all
    }
}

/// A list as a row of rankings tells it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The request's id.
    pub request: Arc<str>,
    /// Whom arms are assigned to.
    pub unit: String,
    /// The record time, in ms.
    pub time_ms: i64,
    /// The row's offset.
    pub offset: i64,
    /// Who made it.
    pub made: Arc<Made>,
    /// Its items.
    pub items: Items,
    /// What clicks earn.
    pub list: List,
}

/// A list that is remembered.
#[derive(Debug)]
pub struct Entry {
    /// Whom arms are assigned to.
    pub unit: String,
    /// The record time, in ms.
    pub time_ms: i64,
    /// The offset of its row.
    pub offset: i64,
    /// Who made it.
    pub made: Arc<Made>,
    /// Until it closes: its items, and the clicks on it.
    open: Option<Box<Open>>,
}

/// What is kept of a list that is open.
#[derive(Debug)]
pub struct Open {
    /// Its items.
    pub items: Items,
    /// Its clicks.
    pub ledger: Ledger,
}

impl Entry {
    /// Of a list just shown.
    pub fn new(shown: Shown, rules: Rules) -> (Arc<str>, Self) {
        let ledger = Ledger::new(shown.list, shown.time_ms, rules);
        let open = Some(Box::new(Open { items: shown.items, ledger }));
        let Shown { request, unit, time_ms, offset, made, .. } = shown;
        (request, Self { unit, time_ms, offset, made, open })
    }

    /// Its place among all lists: the oldest one first.
    pub fn place(&self) -> (i64, i64) {
        (self.time_ms, self.offset)
    }

    /// Its clicks, if it is open.
    pub fn open(&mut self) -> Option<&mut Open> {
        self.open.as_deref_mut()
    }

    /// Closes it; none if it is closed.
    pub fn close(&mut self) -> Option<Outcome> {
        self.open.take().map(|open| open.ledger.close())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_found_by_its_whole_text_and_at_its_first_position() {
        let items: Items = ["ab", "a", "", "b", "a"].into_iter().collect();
        let found = ["ab", "a", "", "b", "ba", "c"].map(|item| items.position(item));
        assert_eq!(found, [Some(0), Some(1), Some(2), Some(3), None, None]);
        assert_eq!(items.len(), 5);
    }
}

//! Clicks on one list: what each earns as it comes, and the final outcome when its horizon closes.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::List;

/// What clicks may earn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// How long after the list was shown a click counts, milliseconds, inclusive.
    pub horizon_ms: i64,
    /// Whether the rankings' common prefix credits nobody. Off, as in the methods' definitions: there a click on it is
    /// credited by chance, which only adds noise.
    #[serde(default)]
    pub skip_common_prefix: bool,
}

/// What became of a click.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It earns credit.
    Credited,
    /// A click of this id, or on this item, has been taken before.
    Duplicate,
    /// After the horizon.
    Late,
    /// Before the list was shown.
    Early,
    /// Its position was not shown, by the impressions known so far.
    NotShown,
    /// The list does not hold its item.
    NotInList,
    /// On the common prefix, which credits nobody.
    CommonPrefix,
}

impl Verdict {
    /// Its name in topics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Credited => "credited",
            Self::Duplicate => "duplicate",
            Self::Late => "late",
            Self::Early => "early",
            Self::NotShown => "not_shown",
            Self::NotInList => "not_in_list",
            Self::CommonPrefix => "common_prefix",
        }
    }
}

/// What a click earns as it comes; impressions and further clicks may change it until the horizon closes.
#[derive(Debug, Clone, PartialEq)]
pub struct Feedback {
    /// What became of it.
    pub verdict: Verdict,
    /// Credit per ranker, all zero unless credited.
    pub credit: Vec<f64>,
    /// Since the list was shown, milliseconds.
    pub delay_ms: i64,
}

/// The final outcome of a list.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// Credit per ranker.
    pub credit: Vec<f64>,
    /// Clicks that earned credit.
    pub credited: u64,
    /// Clicks taken before.
    pub duplicate: u64,
    /// Clicks after the horizon.
    pub late: u64,
    /// Clicks before the list was shown.
    pub early: u64,
    /// Clicks on positions not shown.
    pub not_shown: u64,
    /// Clicks on items that the list does not hold.
    pub not_in_list: u64,
    /// Clicks on the common prefix.
    pub common_prefix: u64,
}

impl Outcome {
    /// Whether ranker `one` earned more than ranker `two` (`Greater`), less, or the same.
    pub fn compare(&self, one: usize, two: usize) -> Ordering {
        compare(self.credit[one], self.credit[two])
    }

    /// The ranker that earned more than every other; none without one, or without a credited click.
    pub fn winner(&self) -> Option<usize> {
        let best =
            (0..self.credit.len()).max_by(|one, two| self.credit[*one].total_cmp(&self.credit[*two]))?;
        let beats = |other: usize| other == best || self.compare(best, other) == Ordering::Greater;
        (self.credited > 0 && (0..self.credit.len()).all(beats)).then_some(best)
    }

    /// How many clicks had each verdict.
    pub fn counts(&self) -> [(Verdict, u64); 7] {
        [
            (Verdict::Credited, self.credited),
            (Verdict::Duplicate, self.duplicate),
            (Verdict::Late, self.late),
            (Verdict::Early, self.early),
            (Verdict::NotShown, self.not_shown),
            (Verdict::NotInList, self.not_in_list),
            (Verdict::CommonPrefix, self.common_prefix),
        ]
    }
}

/// Which credit is more. Fractions that differ by rounding alone are the same: else a click on an item that both rankings
/// hold alike would be somebody's win.
pub fn compare(one: f64, two: f64) -> Ordering {
    if (one - two).abs() <= 1e-9 * (one.abs() + two.abs()) { Ordering::Equal } else { one.total_cmp(&two) }
}

/// Click ids kept of one list. Beyond, a repeated click is still told by its item, and earns nothing either way.
const MOST_IDS: usize = 256;

/// A list shown and its clicks so far. Clicks and impressions may come in any order; the final outcome does not depend on
/// it, as long as an id stands for one click.
#[derive(Debug, Clone, PartialEq)]
pub struct Ledger {
    list: List,
    shown_at_ms: i64,
    rules: Rules,
    ids: Vec<String>,
    clicked: Vec<usize>,
    /// Positions shown; none where no impression has come: then all count.
    shown: Option<Vec<bool>>,
    counts: Outcome,
}

impl Ledger {
    /// Of a list just shown.
    pub fn new(list: List, shown_at_ms: i64, rules: Rules) -> Self {
        let counts = Outcome::default();
        Self { list, shown_at_ms, rules, ids: Vec::new(), clicked: Vec::new(), shown: None, counts }
    }

    /// The list.
    pub fn list(&self) -> &List {
        &self.list
    }

    /// Takes a click: its id, the position of its item (from 0; none if the list does not hold it), its time.
    pub fn click(&mut self, id: &str, position: Option<usize>, time_ms: i64) -> Feedback {
        let delay_ms = time_ms.saturating_sub(self.shown_at_ms);
        let verdict = self.judge(id, position, delay_ms);
        let credit = match position {
            Some(position) if verdict == Verdict::Credited => self.list.credit_at(position),
            _ => vec![0.0; self.list.rankers()],
        };
        Feedback { verdict, credit, delay_ms }
    }

    /// Takes positions (from 0) that were really shown.
    pub fn impression(&mut self, positions: impl IntoIterator<Item = usize>) {
        let length = self.list.slots().len();
        let shown = self.shown.get_or_insert_with(|| vec![false; length]);
        for position in positions {
            if let Some(place) = shown.get_mut(position) {
                *place = true;
            }
        }
    }

    /// The final outcome.
    pub fn close(self) -> Outcome {
        let mut outcome = self.counts.clone();
        let mut earning = Vec::with_capacity(self.clicked.len());
        for position in &self.clicked {
            match self.standing(*position) {
                Verdict::NotShown => outcome.not_shown += 1,
                Verdict::CommonPrefix => outcome.common_prefix += 1,
                _ => earning.push(*position),
            }
        }
        outcome.credited = earning.len() as u64;
        // In ascending order the sum does not depend on which click came first.
        earning.sort_unstable();
        outcome.credit = self.list.credit(earning);
        outcome
    }

    fn judge(&mut self, id: &str, position: Option<usize>, delay_ms: i64) -> Verdict {
        if self.ids.iter().any(|seen| seen == id) {
            self.counts.duplicate += 1;
            return Verdict::Duplicate;
        }
        if self.ids.len() < MOST_IDS {
            self.ids.push(id.to_owned());
        }
        let Some(position) = position.filter(|position| *position < self.list.slots().len()) else {
            self.counts.not_in_list += 1;
            return Verdict::NotInList;
        };
        if delay_ms > self.rules.horizon_ms {
            self.counts.late += 1;
            return Verdict::Late;
        }
        if delay_ms < 0 {
            self.counts.early += 1;
            return Verdict::Early;
        }
        if self.clicked.contains(&position) {
            self.counts.duplicate += 1;
            return Verdict::Duplicate;
        }
        self.clicked.push(position);
        self.standing(position)
    }

    fn standing(&self, position: usize) -> Verdict {
        if self.shown.as_ref().is_some_and(|shown| !shown[position]) {
            return Verdict::NotShown;
        }
        if self.rules.skip_common_prefix && position < self.list.common_prefix() {
            return Verdict::CommonPrefix;
        }
        Verdict::Credited
    }
}

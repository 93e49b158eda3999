//! What clicks must earn, by the user who made them: computed from what the user did, not by judging the records.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Shown;

/// What must become of a click.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It earns credit.
    Credited,
    /// The same click, or one on the same item, came before.
    Duplicate,
    /// It comes after the horizon.
    Late,
    /// It is on a position that was not shown.
    NotShown,
    /// The list does not hold its item.
    NotInList,
}

/// What a request must have earned the rankers of its list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Earned {
    /// The request's id.
    pub request: String,
    /// The deployment under which its list was made.
    pub deployment: i64,
    /// Who ranked.
    pub rankers: Vec<String>,
    /// Over rankers.
    pub credit: Vec<f64>,
    /// The request's clicks by what must become of them, a click that is sent twice counted twice.
    pub clicks: BTreeMap<Fate, u64>,
}

/// The requests that users answered.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    requests: BTreeMap<String, Earned>,
}

impl Ledger {
    /// Notes what was earned on a list: positions (from 0) whose clicks count, and all clicks. Lists that are seen again
    /// (a reader that was restarted) are noted once.
    pub fn note(&mut self, shown: &Shown, counted: &[usize], clicks: BTreeMap<Fate, u64>) {
        self.requests.entry(shown.request.clone()).or_insert_with(|| Earned {
            request: shown.request.clone(),
            deployment: shown.deployment,
            rankers: shown.rankers.clone(),
            credit: credit(shown, counted),
            clicks,
        });
    }

    /// What a request must have earned.
    pub fn of(&self, request: &str) -> Option<&Earned> {
        self.requests.get(request)
    }

    /// All requests, by id.
    pub fn requests(&self) -> impl ExactSizeIterator<Item = &Earned> {
        self.requests.values()
    }
}

/// What clicks on these positions earn each ranker. Team draft goes by whose pick an item is; balanced interleaving by
/// who has the clicked items down to the depth that the lowest click needs (Joachims, 2003); others by the list itself.
pub fn credit(shown: &Shown, counted: &[usize]) -> Vec<f64> {
    let rankers = shown.rankers.len();
    let mut earned = vec![0.0; rankers];
    match shown.method.as_str() {
        "single" => earned.iter_mut().for_each(|credit| *credit = counted.len() as f64),
        "team_draft" => {
            for team in counted.iter().filter_map(|position| usize::try_from(shown.teams[*position]).ok()) {
                earned[team] += 1.0;
            }
        }
        "balanced" => {
            let ranks = |position: usize| &shown.ranks[position * rankers..][..rankers];
            let Some(lowest) = counted.iter().max() else { return earned };
            let depth = ranks(*lowest).iter().min().copied().unwrap_or_default();
            for (ranker, credit) in earned.iter_mut().enumerate() {
                *credit = counted.iter().filter(|position| ranks(**position)[ranker] <= depth).count() as f64;
            }
        }
        _ => {
            // Positions ascending, as sums of fractions depend on their order in the last bit.
            let mut counted = counted.to_vec();
            counted.sort_unstable();
            for position in counted {
                let of = &shown.credits[position * rankers..][..rankers];
                earned.iter_mut().zip(of).for_each(|(credit, of)| *credit += of);
            }
        }
    }
    earned
}

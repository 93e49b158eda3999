//! The list shown, with the credit that a click on each position earns.

use super::Method;

/// A position of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// The item, as an index into the rankings' items.
    pub item: u32,
    /// The ranker whose pick it is, where the method knows one.
    pub team: Option<u32>,
}

/// A list shown, the first position first.
#[derive(Debug, Clone, PartialEq)]
pub struct List {
    slots: Vec<Slot>,
    rankers: usize,
    rule: Rule,
    common_prefix: usize,
}

/// What a row of rankings says of a list, by its columns' names. Arrays over slots and rankers go slot by slot.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// How the list was made.
    pub method: &'a str,
    /// How many rankers it was made of.
    pub rankers: usize,
    /// Over slots: the ranker whose pick the item is; below 0: nobody's alone.
    pub teams: &'a [i32],
    /// Over slots and rankers: the rank, from 0; below 0: not ranked.
    pub ranks: &'a [i32],
    /// Over slots and rankers: what a click earns; empty where clicks count together.
    pub credits: &'a [f64],
    /// How many first slots hold what all rankers agree on.
    pub common_prefix: i32,
}

/// Why a row of rankings says no list.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BadRow {
    /// Nobody ranked.
    #[error("`rankers` is empty")]
    NoRanker,
    /// A team that is no ranker.
    #[error("`teams` names ranker {team}, and there are {rankers}, from 0")]
    Team {
        /// The team.
        team: i32,
        /// How many rankers.
        rankers: usize,
    },
    /// An array of another length than slots and rankers say.
    #[error("`{what}` has {found} entries, and {expected} are needed")]
    Length {
        /// Which one.
        what: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A credit that cannot be summed.
    #[error("`credits` has {0}")]
    NotFinite(f64),
    /// No credits, and no method that does without.
    #[error(
        "`credits` is empty, which only balanced lists of two rankers may have: method `{method}`, {rankers} rankers"
    )]
    NoCredits {
        /// How it was made.
        method: String,
        /// How many rankers.
        rankers: usize,
    },
}

/// How clicks become credit.
#[derive(Debug, Clone, PartialEq)]
enum Rule {
    /// Each click alone: per slot and ranker.
    PerSlot(Vec<f64>),
    /// All clicks together, by the ranks that the two rankers give to each slot's item: balanced interleaving.
    Depth(Vec<[Option<u32>; 2]>),
}

impl List {
    /// With credit per slot and ranker (slots times rankers, slot by slot).
    pub(super) fn per_slot(slots: Vec<Slot>, credit: Vec<f64>, rankers: usize, common_prefix: usize) -> Self {
        Self { slots, rankers, rule: Rule::PerSlot(credit), common_prefix }
    }

    /// With the published credit of balanced interleaving.
    pub(super) fn by_depth(slots: Vec<Slot>, ranks: Vec<[Option<u32>; 2]>, common_prefix: usize) -> Self {
        Self { slots, rankers: 2, rule: Rule::Depth(ranks), common_prefix }
    }

    /// A list as it stands in a row of rankings.
    ///
    /// # Errors
    /// If the row does not say what a click on it earns.
    pub fn of_row(row: &Row<'_>) -> Result<Self, BadRow> {
        let (length, rankers) = (row.teams.len(), row.rankers);
        if rankers == 0 {
            return Err(BadRow::NoRanker);
        }
        let team = |team: i32| match usize::try_from(team) {
            Err(_) => Ok(None),
            Ok(known) if known < rankers => Ok(Some(team.cast_unsigned())),
            Ok(_) => Err(BadRow::Team { team, rankers }),
        };
        let slot = |(item, of): (u32, &i32)| Ok(Slot { item, team: team(*of)? });
        let slots = (0..).zip(row.teams).map(slot).collect::<Result<Vec<_>, _>>()?;
        let common_prefix = usize::try_from(row.common_prefix).unwrap_or(0);
        if !row.credits.is_empty() {
            let expected = length * rankers;
            if row.credits.len() != expected {
                return Err(BadRow::Length { what: "credits", expected, found: row.credits.len() });
            }
            if let Some(credit) = row.credits.iter().find(|credit| !credit.is_finite()) {
                return Err(BadRow::NotFinite(*credit));
            }
            return Ok(Self::per_slot(slots, row.credits.to_vec(), rankers, common_prefix));
        }
        if rankers == 1 {
            // Nothing is compared within the list: its clicks are its ranker's.
            return Ok(Self::per_slot(slots, vec![1.0; length], 1, common_prefix));
        }
        if row.method != Method::Balanced.name() || rankers != 2 {
            return Err(BadRow::NoCredits { method: row.method.to_owned(), rankers });
        }
        if row.ranks.len() != 2 * length {
            return Err(BadRow::Length { what: "ranks", expected: 2 * length, found: row.ranks.len() });
        }
        let ranks =
            row.ranks.chunks_exact(2).map(|of| [u32::try_from(of[0]).ok(), u32::try_from(of[1]).ok()]);
        Ok(Self::by_depth(slots, ranks.collect(), common_prefix))
    }

    /// Its positions.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// How many rankings it was made of.
    pub fn rankers(&self) -> usize {
        self.rankers
    }

    /// How many first positions hold what all rankings agree on, item and rank.
    pub fn common_prefix(&self) -> usize {
        self.common_prefix.min(self.slots.len())
    }

    /// What a click on this position (from 0) earns each ranker, if it is the only one.
    pub fn credit_at(&self, position: usize) -> Vec<f64> {
        self.credit([position])
    }

    /// What clicks on these positions (from 0, each at most once) earn each ranker together.
    pub fn credit(&self, clicked: impl IntoIterator<Item = usize>) -> Vec<f64> {
        match &self.rule {
            Rule::PerSlot(credit) => {
                let mut total = vec![0.0; self.rankers];
                for position in clicked {
                    let of = &credit[position * self.rankers..][..self.rankers];
                    total.iter_mut().zip(of).for_each(|(total, credit)| *total += credit);
                }
                total
            }
            Rule::Depth(ranks) => by_depth(ranks, &clicked.into_iter().collect::<Vec<_>>()),
        }
    }
}

/// Joachims: k is the least depth at which one of the rankings holds the lowest clicked item; a ranker earns one for each
/// clicked item among its first k.
fn by_depth(ranks: &[[Option<u32>; 2]], clicked: &[usize]) -> Vec<f64> {
    let lowest = clicked.iter().max().and_then(|position| ranks[*position].into_iter().flatten().min());
    let Some(depth) = lowest else { return vec![0.0; 2] };
    let earned = |ranker: usize| {
        let within = |position: &&usize| ranks[**position][ranker].is_some_and(|rank| rank <= depth);
        clicked.iter().filter(within).count() as f64
    };
    vec![earned(0), earned(1)]
}

//! The list shown, with the credit that a click on each position earns.

mod bytes;

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

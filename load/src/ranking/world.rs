//! Items, users and queries, and how relevant an item is.

use super::Params;
use crate::draw::Draw;

/// Kinds of items: a query is about one, a user likes some more than others.
const KINDS: u32 = 8;
/// The least utility of grades 1 and 2.
const GRADES: [f64; 2] = [0.9, 2.2];

/// An item on offer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Item {
    /// Its kind.
    pub kind: u32,
    /// How often it was chosen lately, log scale.
    pub popularity: f64,
    /// How new it is, 0 to 1.
    pub freshness: f64,
    /// Its price.
    pub price: f64,
}

/// What is known of a candidate when a request is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// How well its text fits the query, 0 to 1.
    pub text_match: f64,
    /// The item's.
    pub popularity: f64,
    /// The item's.
    pub freshness: f64,
    /// The item's.
    pub price: f64,
    /// How much the user liked its kind before, 0 to 1.
    pub affinity: f64,
}

/// A user.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// How much each kind is liked, 0 to 1.
    tastes: Vec<f64>,
    /// Hours from UTC to the user's clock.
    pub clock_ahead: u32,
}

/// Everything that requests are made of.
#[derive(Debug, Clone)]
pub struct World {
    seed: u64,
    items: Vec<Item>,
    people: Vec<Person>,
    /// Kinds of the queries.
    queries: Vec<u32>,
}

/// Numbers of streams of draws; those of pairs and of requests follow from [`PAIRS`] and [`super::request`] on.
mod streams {
    pub const ITEMS: u64 = 1;
    pub const PEOPLE: u64 = 2;
    pub const QUERIES: u64 = 3;
    /// From here on: query and item.
    pub const PAIRS: u64 = 1 << 62;
}

impl World {
    /// The world of these parameters; there is at least one item, user and query.
    pub fn new(params: &Params) -> Self {
        let mut draw = Draw::new(params.seed, streams::ITEMS);
        let item = |_| Item {
            kind: draw.below(KINDS),
            popularity: draw.normal(3.0, 1.0).max(0.0),
            freshness: draw.unit(),
            price: libm::exp(draw.normal(3.0, 0.6)),
        };
        let items = (0..params.items.max(1)).map(item).collect();
        let mut draw = Draw::new(params.seed, streams::PEOPLE);
        let person =
            |_| Person { tastes: (0..KINDS).map(|_| draw.unit()).collect(), clock_ahead: draw.below(24) };
        let people = (0..params.users.max(1)).map(person).collect();
        let mut draw = Draw::new(params.seed, streams::QUERIES);
        let queries = (0..params.queries.max(1)).map(|_| draw.below(KINDS)).collect();
        Self { seed: params.seed, items, people, queries }
    }

    /// How many items there are.
    pub fn items(&self) -> u32 {
        self.items.len() as u32
    }

    /// How many users there are.
    pub fn users(&self) -> u32 {
        self.people.len() as u32
    }

    /// How many queries there are.
    pub fn queries(&self) -> u32 {
        self.queries.len() as u32
    }

    /// A user.
    pub fn person(&self, user: u32) -> &Person {
        &self.people[user as usize % self.people.len()]
    }

    /// The kind of items that a query is about.
    pub fn kind_of(&self, query: u32) -> u32 {
        self.queries[query as usize % self.queries.len()]
    }

    /// An item.
    pub fn item(&self, item: u32) -> &Item {
        &self.items[item as usize % self.items.len()]
    }

    /// What is known of an item as a candidate for a user's query.
    pub fn candidate(&self, user: u32, query: u32, item: u32) -> Candidate {
        let of = self.item(item);
        let (text_match, _) = self.pair(query, item);
        Candidate {
            text_match,
            popularity: of.popularity,
            freshness: of.freshness,
            price: of.price,
            affinity: self.person(user).tastes[of.kind as usize],
        }
    }

    /// How relevant an item is to a user's query at an hour of the user's day: 0, 1 or 2.
    pub fn grade(&self, user: u32, query: u32, item: u32, hour: u32) -> usize {
        let utility = self.utility(user, query, item, hour);
        GRADES.iter().filter(|least| utility >= **least).count()
    }

    /// What an item is worth to the user. Beside what [`Self::candidate`] tells, there is something between query and
    /// item that no feature knows; what is new matters in the evening.
    pub fn utility(&self, user: u32, query: u32, item: u32, hour: u32) -> f64 {
        let known = self.candidate(user, query, item);
        let (_, unknown) = self.pair(query, item);
        let evening = if hour >= 18 { 2.0 } else { 0.0 };
        3.0 * (known.text_match - 0.5)
            + 0.4 * (known.popularity - 3.0)
            + (0.4 + evening) * (known.freshness - 0.5)
            + 2.0 * (known.affinity - 0.5)
            - 0.7 * libm::log(known.price / 20.0)
            + unknown
    }

    /// How well the item's text fits the query, and what no feature knows of the two.
    fn pair(&self, query: u32, item: u32) -> (f64, f64) {
        let mut draw = Draw::new(self.seed, streams::PAIRS + (u64::from(query) << 30) + u64::from(item));
        let same = self.item(item).kind == self.kind_of(query);
        let text_match = if same { draw.uniform(0.4, 1.0) } else { draw.uniform(0.0, 0.6) };
        (text_match, draw.normal(0.0, 0.7))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Request;
    use super::*;

    #[test]
    fn most_items_are_irrelevant_and_few_are_highly_relevant() {
        let params = Params::default();
        let world = World::new(&params);
        let mut counts = [0_usize; 3];
        for session in 0..300 {
            let request = &Request::of_session(&world, &params, session)[0];
            request.items.iter().for_each(|item| counts[request.grade(&world, *item)] += 1);
        }
        let share = |grade: usize| counts[grade] as f64 / 6_000.0;
        assert!((0.55..0.85).contains(&share(0)), "{counts:?}");
        assert!((0.05..0.15).contains(&share(2)), "{counts:?}");
    }

    #[test]
    fn equal_seeds_make_equal_worlds() {
        let (one, two) = (World::new(&Params::default()), World::new(&Params::default()));
        let other = World::new(&Params { seed: 43, ..Params::default() });
        assert_eq!(one.candidate(3, 5, 8), two.candidate(3, 5, 8));
        assert_ne!(one.candidate(3, 5, 8), other.candidate(3, 5, 8));
    }
}

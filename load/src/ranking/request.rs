//! Requests: who looks for what, and the candidates.

use super::world::Candidate;
use super::{Params, World};
use crate::draw::Draw;

const HOUR_MS: i64 = 3_600_000;
/// From here on: the session.
const SESSIONS: u64 = 1 << 32;

/// One request for a ranked list.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The seed of the visits that it is of.
    pub seed: u64,
    /// Which visit.
    pub session: u32,
    /// Which page of its list, from 1.
    pub page: u32,
    /// When, in ms since 1970.
    pub time_ms: i64,
    /// Who looks.
    pub user: u32,
    /// For what.
    pub query: u32,
    /// Hour of the user's day.
    pub hour: u32,
    /// The candidates; both pages of a session have the same.
    pub items: Vec<u32>,
}

impl Request {
    /// The requests of a visit: the first page, and a second one where the user turns it.
    pub fn of_session(world: &World, params: &Params, session: u32) -> Vec<Self> {
        let mut draw = Draw::new(params.seed, SESSIONS + u64::from(session));
        let (user, query) = (draw.below(world.users()), draw.below(world.queries()));
        let gap_ms = params.gap_ms.max(1);
        let jitter_ms = (draw.unit() * gap_ms as f64) as i64;
        let time_ms = params.start_ms + i64::from(session) * gap_ms + jitter_ms;
        let utc = time_ms.div_euclid(HOUR_MS).rem_euclid(24) as u32;
        let hour = (utc + world.person(user).clock_ahead) % 24;
        let items = candidates(world, params, query, &mut draw);
        let turns = draw.chance(params.second_page);
        let later_ms = 30_000 + i64::from(draw.below(60_000));
        let first = Self { seed: params.seed, session, page: 1, time_ms, user, query, hour, items };
        match turns {
            true => {
                let second = Self { page: 2, time_ms: time_ms + later_ms, ..first.clone() };
                vec![first, second]
            }
            false => vec![first],
        }
    }

    /// The visit's id: `s42-17`, the seed and the visit. Visits of another seed are others.
    pub fn session_id(&self) -> String {
        format!("s{}-{}", self.seed, self.session)
    }

    /// The request's own id: `s42-17-1`, the visit and the page.
    pub fn id(&self) -> String {
        format!("{}-{}", self.session_id(), self.page)
    }

    /// Seed, visit and page of an id.
    pub fn parse_id(id: &str) -> Option<(u64, u32, u32)> {
        let mut parts = id.strip_prefix('s')?.split('-');
        let parsed = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        parts.next().is_none().then_some(parsed)
    }

    /// The user's id: `u3`.
    pub fn user_id(&self) -> String {
        format!("u{}", self.user)
    }

    /// What is known of the candidates.
    pub fn features<'a>(&'a self, world: &'a World) -> impl Iterator<Item = Candidate> + 'a {
        self.items.iter().map(|item| world.candidate(self.user, self.query, *item))
    }

    /// How relevant a candidate is: 0, 1 or 2.
    pub fn grade(&self, world: &World, item: u32) -> usize {
        world.grade(self.user, self.query, item, self.hour)
    }
}

/// The id of an item: `i5`.
pub fn item_id(item: u32) -> String {
    format!("i{item}")
}

/// The item of an id.
pub fn parse_item(id: &str) -> Option<u32> {
    id.strip_prefix('i')?.parse().ok()
}

/// Distinct items, some of the query's kind and some of any.
fn candidates(world: &World, params: &Params, query: u32, draw: &mut Draw) -> Vec<u32> {
    let wanted = params.candidates.min(world.items()) as usize;
    let kind = world.kind_of(query);
    let mut items: Vec<u32> = Vec::with_capacity(wanted);
    // A bound, since a kind may have fewer items than are wanted of it.
    for _ in 0..64 * wanted {
        if items.len() == wanted {
            return items;
        }
        let item = draw.below(world.items());
        let fits = items.len() >= wanted / 2 || world.item(item).kind == kind;
        if fits && !items.contains(&item) {
            items.push(item);
        }
    }
    let rest: Vec<u32> = (0..world.items()).filter(|item| !items.contains(item)).collect();
    items.extend(rest.into_iter().take(wanted - items.len()));
    items
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_session_has_one_user_one_query_and_the_same_candidates_on_both_pages() {
        let params = Params { sessions: 1_000, ..Params::default() };
        let world = World::new(&params);
        let mut second = 0;
        for session in 0..params.sessions {
            let requests = Request::of_session(&world, &params, session);
            assert_eq!(requests, Request::of_session(&world, &params, session));
            let first = &requests[0];
            assert_eq!(Request::parse_id(&first.id()), Some((params.seed, session, 1)));
            let mut items = first.items.clone();
            items.sort_unstable();
            items.dedup();
            assert_eq!(items.len(), 20);
            if let Some(page) = requests.get(1) {
                second += 1;
                assert_eq!((page.user, page.query, &page.items), (first.user, first.query, &first.items));
                assert!(page.time_ms > first.time_ms);
            }
        }
        assert!((160..240).contains(&second), "{second}");
    }

    #[test]
    fn visits_of_another_seed_have_other_ids() {
        let ids = |seed| -> BTreeSet<String> {
            let params = Params { seed, ..Params::default() };
            let world = World::new(&params);
            (0..50)
                .flat_map(|session| Request::of_session(&world, &params, session))
                .map(|one| one.id())
                .collect()
        };
        assert!(ids(1).is_disjoint(&ids(2)));
        for other in ["s1-2", "s1-2-3-4", "1-2-3", "s-1-2", "u3"] {
            assert_eq!(Request::parse_id(other), None, "{other}");
        }
    }

    #[test]
    fn there_may_be_fewer_items_than_candidates_are_asked_for() {
        let params = Params { items: 7, ..Params::default() };
        let request = &Request::of_session(&World::new(&params), &params, 3)[0];
        assert_eq!(request.items.len(), 7);
    }
}

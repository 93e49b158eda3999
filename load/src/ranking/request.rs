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
        let first = Self { session, page: 1, time_ms, user, query, hour, items };
        match turns {
            true => {
                let second = Self { page: 2, time_ms: time_ms + later_ms, ..first.clone() };
                vec![first, second]
            }
            false => vec![first],
        }
    }

    /// The request's own id: `s17-1`.
    pub fn id(&self) -> String {
        format!("s{}-{}", self.session, self.page)
    }

    /// Session and page of an id.
    pub fn parse_id(id: &str) -> Option<(u32, u32)> {
        let (session, page) = id.strip_prefix('s')?.split_once('-')?;
        Some((session.parse().ok()?, page.parse().ok()?))
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
            assert_eq!(Request::parse_id(&first.id()), Some((session, 1)));
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
    fn there_may_be_fewer_items_than_candidates_are_asked_for() {
        let params = Params { items: 7, ..Params::default() };
        let request = &Request::of_session(&World::new(&params), &params, 3)[0];
        assert_eq!(request.items.len(), 7);
    }
}

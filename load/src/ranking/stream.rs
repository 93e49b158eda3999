//! Requests in the order of record time.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Params, Request, World};

/// All requests, by time.
#[derive(Debug, Clone)]
pub struct Stream {
    world: Arc<World>,
    params: Params,
    next_session: u32,
    /// Requests that are made and not due yet, by time, session and page.
    made: BTreeMap<(i64, u32, u32), Request>,
}

/// The stream of a world, from its beginning.
pub fn stream(world: Arc<World>, params: &Params) -> Stream {
    Stream { world, params: params.clone(), next_session: 0, made: BTreeMap::new() }
}

impl Iterator for Stream {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        // Visits are in the order of time, their second pages are not.
        while self.next_session < self.params.sessions {
            let from_ms = self.params.start_ms + i64::from(self.next_session) * self.params.gap_ms.max(1);
            if self.made.keys().next().is_some_and(|(due_ms, ..)| *due_ms < from_ms) {
                break;
            }
            for request in Request::of_session(&self.world, &self.params, self.next_session) {
                self.made.insert((request.time_ms, request.session, request.page), request);
            }
            self.next_session += 1;
        }
        self.made.pop_first().map(|(_, request)| request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_comes_once_in_the_order_of_time() {
        let params = Params { sessions: 500, gap_ms: 1_000, ..Params::default() };
        let world = Arc::new(World::new(&params));
        let requests: Vec<Request> = stream(world.clone(), &params).collect();
        let mut expected: Vec<Request> =
            (0..params.sessions).flat_map(|session| Request::of_session(&world, &params, session)).collect();
        assert!(requests.is_sorted_by_key(|request| request.time_ms));
        expected.sort_by_key(|request| (request.time_ms, request.session, request.page));
        assert_eq!(requests, expected);
    }
}

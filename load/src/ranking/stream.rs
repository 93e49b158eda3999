//! Requests in the order of record time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::{Params, Request, World};

/// All requests, by time.
#[derive(Debug, Clone)]
pub struct Stream {
    world: Arc<World>,
    params: Params,
    next_session: u32,
    /// Requests that are made and not due yet, by time, session and page.
    made: BinaryHeap<Reverse<(i64, u32, u32)>>,
}

/// The stream of a world, from its beginning.
pub fn stream(world: Arc<World>, params: &Params) -> Stream {
    Stream { world, params: params.clone(), next_session: 0, made: BinaryHeap::new() }
}

impl Stream {
    /// Makes what may come before `time_ms`: visits are in the order of time, second pages are not.
    fn make_until(&mut self, time_ms: i64) {
        while self.next_session < self.params.sessions
            && self.params.start_ms + i64::from(self.next_session) * self.params.gap_ms.max(1) <= time_ms
        {
            for request in Request::of_session(&self.world, &self.params, self.next_session) {
                self.made.push(Reverse((request.time_ms, request.session, request.page)));
            }
            self.next_session += 1;
        }
    }
}

impl Iterator for Stream {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        loop {
            let due_ms = match self.made.peek() {
                Some(Reverse((time_ms, ..))) => *time_ms,
                None if self.next_session < self.params.sessions => {
                    self.params.start_ms + i64::from(self.next_session) * self.params.gap_ms.max(1)
                }
                None => return None,
            };
            let before = self.next_session;
            self.make_until(due_ms);
            if self.next_session == before {
                break;
            }
        }
        let Reverse((_, session, page)) = self.made.pop()?;
        let requests = Request::of_session(&self.world, &self.params, session);
        requests.into_iter().find(|request| request.page == page)
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

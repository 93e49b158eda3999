//! What a user does with a list.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ledger::Fate;
use super::request::{item_id, parse_item};
use super::{Click, Event, Impression, Params, Request, Shown, World};
use crate::draw::Draw;

/// From here on: session and page.
const ANSWERS: u64 = 1 << 40;
/// A screen shows so many positions at once.
const SCREEN: usize = 5;

/// Users who look at lists.
#[derive(Debug, Clone)]
pub struct User {
    world: Arc<World>,
    params: Params,
}

/// What a user did with one list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// Impression and clicks, in the order of time.
    pub events: Vec<Event>,
    /// Positions (from 0) whose clicks count.
    pub counted: Vec<usize>,
    /// Clicks by what must become of them.
    pub clicks: BTreeMap<Fate, u64>,
}

impl User {
    /// The users of a world.
    pub fn new(world: Arc<World>, params: &Params) -> Self {
        Self { world, params: params.clone() }
    }

    /// What the user does with a list: a function of the seed, the request and the list. Nobody sees a shadow's list, nor
    /// that of a request which is none of this world's.
    pub fn answer(&self, shown: &Shown) -> Option<Answer> {
        let (_, session, page) = Request::parse_id(&shown.request)
            .filter(|(seed, ..)| *seed == self.params.seed && shown.role == "serving")?;
        let requests = Request::of_session(&self.world, &self.params, session);
        let request = requests.iter().find(|request| request.page == page)?;
        let stream = ANSWERS + (u64::from(session) << 8) + u64::from(page);
        let mut visit = Visit {
            shown,
            params: &self.params,
            draw: Draw::new(self.params.seed, stream),
            clicks: 0,
            answer: Answer::default(),
        };
        let grade = |item: &String| parse_item(item).map_or(0, |item| request.grade(&self.world, item));
        let grades: Vec<usize> = shown.items.iter().map(grade).collect();
        visit.look(&grades, page);
        visit.answer.events.sort_by_key(Event::record_time_ms);
        Some(visit.answer)
    }
}

/// A user with a list.
struct Visit<'a> {
    shown: &'a Shown,
    params: &'a Params,
    draw: Draw,
    clicks: u32,
    answer: Answer,
}

impl Visit<'_> {
    /// Reads the page, clicks, and has mishaps.
    fn look(&mut self, grades: &[usize], page: u32) {
        let length = grades.len();
        let size = self.params.page.max(1) as usize;
        let from = ((page.max(1) - 1) as usize * size).min(length);
        let to = (from + size).min(length);
        let reading = self.params.click_model.read(&grades[from..to], &mut self.draw);
        let seen = from..(from + reading.read.div_ceil(SCREEN) * SCREEN).min(to);
        let mut time_ms = self.shown.time_ms + 200 + i64::from(self.draw.below(1_800));
        let impression = !self.draw.chance(self.params.mishaps.no_impression);
        if impression {
            let positions = seen.clone().map(|position| position as i32 + 1).collect();
            self.answer.events.push(Event::Impression(Impression {
                id: format!("{}-i", self.shown.request),
                time_ms,
                user: self.shown.user.clone(),
                request: self.shown.request.clone(),
                positions,
            }));
        }
        for position in reading.clicked {
            time_ms += 1_000 + i64::from(self.draw.below(20_000));
            self.click(from + position, time_ms, Fate::Credited);
            self.answer.counted.push(from + position);
        }
        self.click_again(time_ms);
        if length > 0 && self.draw.chance(self.params.mishaps.late) {
            let late_ms = self.params.horizon_ms + 1 + i64::from(self.draw.below(600_000));
            let position = self.draw.below(length as u32) as usize;
            self.click(position, self.shown.time_ms + late_ms, Fate::Late);
        }
        let hidden: Vec<usize> = (0..length).filter(|position| !seen.contains(position)).collect();
        if impression && !hidden.is_empty() && self.draw.chance(self.params.mishaps.not_shown) {
            let position = hidden[self.draw.below(hidden.len() as u32) as usize];
            self.click(position, time_ms + 700, Fate::NotShown);
        }
        if self.draw.chance(self.params.mishaps.not_in_list) {
            self.click_item(item_id(self.params.items), time_ms + 900, Fate::NotInList);
        }
    }

    /// Clicks that repeat the last one that counts.
    fn click_again(&mut self, time_ms: i64) {
        let Some(position) = self.answer.counted.last().copied() else { return };
        let twice = self.answer.events.last().cloned();
        if self.draw.chance(self.params.mishaps.sent_twice) {
            self.answer.events.extend(twice);
            *self.answer.clicks.entry(Fate::Duplicate).or_default() += 1;
        }
        if self.draw.chance(self.params.mishaps.clicked_twice) {
            let later_ms = 500 + i64::from(self.draw.below(3_000));
            self.click(position, time_ms + later_ms, Fate::Duplicate);
        }
    }

    fn click(&mut self, position: usize, time_ms: i64, fate: Fate) {
        self.click_item(self.shown.items[position].clone(), time_ms, fate);
    }

    fn click_item(&mut self, item: String, time_ms: i64, fate: Fate) {
        self.clicks += 1;
        self.answer.events.push(Event::Click(Click {
            id: format!("{}-c{}", self.shown.request, self.clicks),
            time_ms,
            user: self.shown.user.clone(),
            request: self.shown.request.clone(),
            item,
        }));
        *self.answer.clicks.entry(fate).or_default() += 1;
    }
}

#[cfg(test)]
mod tests;

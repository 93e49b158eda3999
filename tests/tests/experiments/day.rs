//! What comes in a day: visits of users, each with an outcome an hour later.

use anyhow::{Result, ensure};
use millrace_experiments::assignment::hash::bucket;
use millrace_experiments::random::Random;
use millrace_tests::foreign::{Producer, Topic};
use serde_json::{Value, json};

use super::course::Course;

const DAY_MS: i64 = 86_400_000;
/// The first day begins then.
const FROM_MS: i64 = 1_600_000 * 1_000_000 / DAY_MS * DAY_MS;
/// Visits a day.
pub const VISITS: i64 = 1_500;
/// So many visits of the next day are published with a day: they pass its end by some time in each partition.
const OPENING: i64 = 60;
const HOUR_MS: i64 = 3_600_000;

/// The end of a day's window.
pub fn end_of(day: i64) -> i64 {
    FROM_MS + (day + 1) * DAY_MS
}

/// A visit; a user comes once, so that its arm is met on its day.
pub struct Visit {
    pub id: String,
    pub user: String,
    pub at: i64,
    pub positive: bool,
    /// What the versions see of the outcome, in the order of how well.
    pub good: f64,
    near: f64,
    noisy: f64,
    /// Whether `gappy`, which else is `good`, is NULL.
    gap: bool,
    pub country: &'static str,
    /// What is ordered, without the arm's effect.
    orders: f64,
    /// Uniform: an order is made where an arm's rate is above it.
    pub luck: f64,
}

/// The visits of a day; with number 0 to 59 those that open it.
pub fn visits(day: i64) -> Vec<Visit> {
    (0..VISITS).map(|n| visit(day * VISITS + n, FROM_MS + day * DAY_MS + n * DAY_MS / VISITS)).collect()
}

/// Those that open a day, and the others.
pub fn parted(day: i64) -> [Vec<Visit>; 2] {
    let mut all = visits(day);
    let rest = all.split_off(OPENING as usize);
    [all, rest]
}

fn visit(number: i64, at: i64) -> Visit {
    let mut random = Random::keyed("shop", &number.to_string());
    let positive = random.chance(0.2);
    // A weight of 0.173 and the level of the model: scores spread, as they do.
    let mut shown = |spread: f64| 10.0 * (f64::from(u8::from(positive)) * 1.6 + spread * random.normal());
    let (good, noisy) = (shown(1.0), shown(4.0));
    Visit {
        id: format!("e{number}"),
        user: format!("u{number}"),
        at,
        positive,
        good,
        near: good + 2.0 * random.normal(),
        noisy,
        gap: random.chance(0.02),
        country: ["DE", "FR"][random.below(2)],
        orders: random.normal(),
        luck: random.uniform(),
    }
}

impl Visit {
    pub fn event(&self) -> Value {
        let gappy = if self.gap { Value::Null } else { json!(self.good) };
        json!({"topic": "events", "id": self.id, "at": self.at, "user": self.user, "country": self.country,
            "zero": 0.0, "nil": 0.0, "good": self.good, "noisy": self.noisy, "near": self.near, "gappy": gappy})
    }

    /// Whether an order is made, and what for.
    pub fn outcome(&self, ordered: bool, effect: f64) -> Value {
        json!({"topic": "outcomes", "id": self.id, "at": self.at + HOUR_MS, "user": self.user,
            "positive": self.positive, "orders": self.orders + effect, "ordered": ordered})
    }
}

/// Publishes a day's events and outcomes, but those of its opening, which the day before has.
pub fn publish(course: &Course, day: i64) -> Result<()> {
    let [opening, rest] = parted(day);
    let opening = if day == 0 { opening } else { Vec::new() };
    send_all(course, opening.into_iter().chain(rest))
}

/// Publishes the opening of a day, so that the one before is over.
pub fn open(course: &Course, day: i64) -> Result<()> {
    let [opening, _] = parted(day);
    send_all(course, opening.into_iter())
}

fn send_all(course: &Course, visits: impl Iterator<Item = Visit>) -> Result<()> {
    // In an A/B test the upper half of the buckets is the second arm's.
    let effect = |visit: &Visit| if bucket("x", &visit.user) >= 5_000 { course.world.effect } else { 0.0 };
    let mut lines: Vec<Value> =
        visits.flat_map(|visit| [visit.event(), visit.outcome(false, effect(&visit))]).collect();
    // The two topics are written in the order of time.
    lines.sort_by_key(|line| line["at"].as_i64());
    send(course, &lines)
}

/// Publishes lines, and waits until they are there. They come in small parts, as such rows do: a day is answered in many
/// runs of the models.
pub fn send(course: &Course, lines: &[Value]) -> Result<()> {
    let topics = ["events", "outcomes"].map(|stem| Topic::json(stem, "user", "at")).to_vec();
    let producer = Producer::new(course.stack, course.app.name(), topics).flush_every_ms(HOUR_MS / 4);
    let count = producer.publish_lines(lines)?;
    ensure!(count == lines.len(), "{count} of {} lines", lines.len());
    Ok(())
}

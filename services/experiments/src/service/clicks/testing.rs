//! A small world for tests: lists, impressions and clicks of one partition, and what they must come to.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use millrace_schemas::envelope::ranking;
use millrace_schemas::{Decoder, Format, InProcessRegistry, TopicSchema};
use serde_json::{Value, json};

use super::Source;
use super::book::Terms;
use super::rows::Names;
use super::task::Plan;
use super::ticks::{Tick, encode};
use super::times::Spans;
use crate::interleave::credit::Rules;
use crate::interleave::{Method, Rankings, interleave};
use crate::random::Random;

/// How long after its list a click counts, in ms.
pub const HORIZON: i64 = 10_000;
/// How far rows lie behind the greatest time of their input at most, in ms.
pub const LATENESS: i64 = 500;
/// After everything.
pub const END: i64 = 1_000_000_000;

/// What the tasks of tests are told to do.
pub fn plan(most: usize) -> Plan {
    Plan {
        terms: Terms {
            rules: Rules { horizon_ms: HORIZON, skip_common_prefix: true },
            spans: Spans {
                horizon_ms: HORIZON,
                lateness_ms: LATENESS,
                remembered_ms: 3 * HORIZON + LATENESS,
            },
            impressions: true,
            most,
        },
        names: Names {
            id: "click_id".into(),
            unit: "user_id".into(),
            request: "request_id".into(),
            item: "item".into(),
            positions: "positions".into(),
        },
        inputs: Source::ALL.to_vec(),
        topics: ["lists".into(), "clicks".into()],
    }
}

/// The rows of one input, in the order of their offsets.
pub struct Rows {
    /// The columns.
    pub rows: RecordBatch,
    /// The record times, in ms.
    pub times: Vec<i64>,
}

/// What the outcome of a list must be: credit, clicks by verdict, winner.
pub type Expected = (Vec<f64>, BTreeMap<String, Option<i64>>, String);

/// All inputs, ticks last, and what must come of them.
pub struct World {
    /// Lists, impressions, clicks, ticks.
    pub inputs: [Rows; 4],
    /// By request.
    pub outcomes: BTreeMap<String, Expected>,
    /// How many clicks there are.
    pub clicks: usize,
}

struct Shown {
    time: i64,
    row: Value,
}

impl World {
    /// So many requests, a tenth of a horizon apart, each with none to four clicks of all kinds.
    pub fn of(requests: usize, seed: u64) -> Self {
        let mut random = Random::of(seed);
        let lists: Vec<Shown> = (0..requests).map(|at| list(at, &mut random)).collect();
        let (mut clicks, mut impressions, mut rankings) = (Vec::new(), Vec::new(), Vec::new());
        for (at, shown) in lists.iter().enumerate() {
            rankings.push(shown.row.clone());
            if random.below(8) == 0 {
                let mut shadow = shown.row.clone();
                (shadow["role"], shadow["items"]) = (json!("shadow"), json!(["x"]));
                shadow["teams"] = json!([0]);
                rankings.push(shadow);
            }
            for n in 0..random.below(5) {
                click(&format!("{at}-{n}"), shown, &mut random, &mut clicks);
            }
            for n in 0..[0, 0, 1, 2][random.below(4)] {
                impressions.push(impression(&format!("{at}-{n}"), shown, &mut random));
            }
        }
        for n in 0..requests / 20 {
            let time = 50_000 + random.below(requests * 1_000) as i64;
            clicks.push(json!({"click_id": format!("lost-{n}"), "click_time": time, "user_id": "u",
                "request_id": format!("nobody-{n}"), "item": "a"}));
        }
        let (clicked, seen) = (by_request(&clicks), by_request(&impressions));
        let of = |all: &BTreeMap<String, Vec<Value>>, shown: &Shown| {
            all.get(&shown.row["id"].to_string()).cloned().unwrap_or_default()
        };
        let outcomes =
            lists.iter().map(|shown| outcome(shown, &of(&clicked, shown), &of(&seen, shown))).collect();
        let ticks: Vec<Tick> = Source::ALL.map(|source| Tick { source, time_ms: END }).to_vec();
        let ticks = Rows { rows: encode(&ticks).unwrap(), times: vec![END; 3] };
        let count = clicks.len();
        let schema = |name: &str| match name {
            "click_time" => include_str!("../../../../../schemas/ranking/clicks.avsc"),
            "impression_time" => include_str!("../../../../../schemas/ranking/impressions.avsc"),
            _ => ranking::AVRO,
        };
        let mut rows = |all, time: &str| in_some_order(all, time, schema(time), &mut random);
        let inputs =
            [rows(rankings, "time"), rows(impressions, "impression_time"), rows(clicks, "click_time"), ticks];
        Self { inputs, outcomes, clicks: count }
    }
}

fn list(at: usize, random: &mut Random) -> Shown {
    let time = 50_000 + at as i64 * 1_000;
    let mut rankers = vec![["a", "b", "c", "d", "e", "f"].map(str::to_owned).to_vec(); 2];
    let kept = random.below(3);
    for ranker in &mut rankers {
        (kept + 1..6).for_each(|at| ranker.swap(at, kept + random.below(at + 1 - kept)));
    }
    let method = [None, Some(Method::TeamDraft), Some(Method::Balanced), Some(Method::Probabilistic)];
    let method = method[random.below(4)];
    let mut row = json!({"id": format!("r{at}"), "time": time, "unit": format!("u{}", at % 7), "list_key": "",
        "arm": "interleave", "role": "serving", "rankers": ["m/1", "m/2"], "method": "single", "teams": [], "scores": [],
        "ranks": [], "credits": [], "common_prefix": 0, "propensity": 1.0, "deployment": at / 50, "context": {}});
    let Some(method) = method else {
        row["rankers"] = json!(["m/1"]);
        row["items"] = json!(rankers[0]);
        row["teams"] = json!(vec![0; 6]);
        return Shown { time, row };
    };
    let rankings = Rankings::of(&rankers).unwrap();
    let made = interleave(method, &rankings, 6, Random::keyed("salt", &at.to_string())).unwrap();
    let slots = made.slots();
    row["method"] = json!(method.name());
    row["items"] = slots.iter().map(|slot| rankings.items()[slot.item as usize].clone()).collect();
    row["teams"] = slots.iter().map(|slot| slot.team.map_or(-1, i64::from)).collect();
    row["common_prefix"] = json!(made.common_prefix());
    let ranks = slots.iter().flat_map(|slot| [0, 1].map(|ranker| rankings.rank(ranker, slot.item).unwrap()));
    row["ranks"] = ranks.collect();
    if method != Method::Balanced {
        row["credits"] = (0..slots.len()).flat_map(|position| made.credit_at(position)).collect();
    }
    Shown { time, row }
}

/// A click within the horizon mostly; also late, early, far too early ones, and such as come twice.
fn click(id: &str, shown: &Shown, random: &mut Random, clicks: &mut Vec<Value>) {
    let delay = match random.below(12) {
        0 => HORIZON + 1 + random.below(HORIZON as usize) as i64,
        1 => -1 - random.below(HORIZON as usize - 1) as i64,
        2 => 2 * HORIZON + 1 + random.below(HORIZON as usize) as i64,
        3 => HORIZON,
        4 => 0,
        _ => random.below(HORIZON as usize) as i64,
    };
    let item = ["a", "b", "c", "d", "e", "f", "nothing"][random.below(7)];
    let row = json!({"click_id": id, "click_time": shown.time + delay, "user_id": shown.row["unit"],
        "request_id": shown.row["id"], "item": item});
    clicks.extend(vec![row; 1 + usize::from(random.below(8) == 0)]);
}

fn impression(id: &str, shown: &Shown, random: &mut Random) -> Value {
    let delay = [0, 3, 5_000, HORIZON, HORIZON + 1][random.below(5)];
    let positions: Vec<usize> = (1..8).filter(|_| random.below(3) > 0).collect();
    json!({"impression_id": id, "impression_time": shown.time + delay, "user_id": shown.row["unit"],
        "request_id": shown.row["id"], "positions": positions})
}

fn by_request(rows: &[Value]) -> BTreeMap<String, Vec<Value>> {
    let mut all = BTreeMap::<String, Vec<Value>>::new();
    for row in rows {
        all.entry(row["request_id"].to_string()).or_default().push(row.clone());
    }
    all
}

/// By the definitions, over everything that there is of a list.
fn outcome(shown: &Shown, clicks: &[Value], impressions: &[Value]) -> (String, Expected) {
    let delay = |row: &Value, time: &str| row[time].as_i64().unwrap() - shown.time;
    let seen = impressions.iter().filter(|row| delay(row, "impression_time") <= HORIZON);
    let seen: Vec<BTreeSet<u64>> = seen
        .map(|row| row["positions"].as_array().unwrap().iter().map(|p| p.as_u64().unwrap() - 1).collect())
        .collect();
    let items: Vec<&Value> = shown.row["items"].as_array().unwrap().iter().collect();
    let (mut ids, mut clicked, mut counts) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
    let mut count =
        |verdict: &str| *counts.entry(verdict.to_owned()).or_insert(Some(0)).as_mut().unwrap() += 1;
    for row in clicks {
        let delay = delay(row, "click_time");
        let position = items.iter().position(|item| **item == row["item"]);
        match position {
            _ if delay > HORIZON => {}
            _ if !ids.insert(row["click_id"].to_string()) => count("duplicate"),
            None => count("not_in_list"),
            Some(_) if delay < 0 => count("early"),
            Some(position) if !clicked.insert(position) => count("duplicate"),
            Some(_) => {}
        }
    }
    let prefix = shown.row["common_prefix"].as_u64().unwrap() as usize;
    let mut earning = Vec::new();
    for position in clicked {
        match () {
            () if !seen.is_empty() && !seen.iter().any(|seen| seen.contains(&(position as u64))) => {
                count("not_shown");
            }
            () if position < prefix => count("common_prefix"),
            () => {
                count("credited");
                earning.push(position);
            }
        }
    }
    let credit = credit(&shown.row, &earning);
    let winner = match credit.as_slice() {
        _ if earning.is_empty() => "none",
        [_] => "m/1",
        [one, two] if (one - two).abs() < 1e-9 => "tie",
        [one, two] if one > two => "m/1",
        _ => "m/2",
    };
    (shown.row["id"].as_str().unwrap().to_owned(), (credit, counts, winner.to_owned()))
}

fn credit(row: &Value, earning: &[usize]) -> Vec<f64> {
    if row["method"] == "single" {
        return vec![earning.len() as f64];
    }
    if row["method"] != "balanced" {
        let of = |ranker: usize| {
            earning.iter().map(|position| row["credits"][2 * position + ranker].as_f64().unwrap()).sum()
        };
        return vec![of(0), of(1)];
    }
    let rank = |position: &usize, ranker: usize| row["ranks"][2 * position + ranker].as_u64().unwrap();
    let Some(lowest) = earning.last() else { return vec![0.0; 2] };
    let depth = rank(lowest, 0).min(rank(lowest, 1));
    [0, 1].map(|ranker| earning.iter().filter(|at| rank(at, ranker) <= depth).count() as f64).to_vec()
}

/// By time, but up to the lateness out of order.
fn in_some_order(rows: Vec<Value>, time: &str, avro: &str, random: &mut Random) -> Rows {
    let mut placed: Vec<(i64, Value)> = rows
        .into_iter()
        .map(|row| (row[time].as_i64().unwrap() + random.below(LATENESS as usize) as i64, row))
        .collect();
    placed.sort_by_key(|(at, _)| *at);
    let texts: Vec<Vec<u8>> = placed.iter().map(|(_, row)| serde_json::to_vec(row).unwrap()).collect();
    let texts: Vec<Option<&[u8]>> = texts.iter().map(|text| Some(text.as_slice())).collect();
    let schema = Arc::new(TopicSchema::parse(avro).unwrap());
    let mut decoder = Decoder::new(Format::Json, schema, Arc::new(InProcessRegistry::default()));
    let decoded = decoder.decode(&texts).unwrap();
    assert_eq!(decoded.rejected.len(), 0, "{:?}", decoded.rejected);
    Rows { rows: decoded.rows, times: placed.iter().map(|(_, row)| row[time].as_i64().unwrap()).collect() }
}

//! Lists of the simulated requests, and what users do with them, as the shell hands them to a task.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use arrow::record_batch::RecordBatch;
use millrace_experiments::interleave::{Method, Rankings, interleave};
use millrace_experiments::random::Random;
use millrace_experiments::service::topics;
use millrace_runtime::merge::{Head, Step, next};
use millrace_runtime::task::{Batch, Input, Origin, Phase, RowMeta, Taken};
use millrace_schemas::envelope::ranking::AVRO;
use millrace_schemas::{Decoder, Format, InProcessRegistry, TopicSchema};
use millrace_topics::Application;
use serde_json::{Value, json};

use super::rankers;
use crate::ranking::{
    Answers, Event, Params, Request, Shown, User, World, clicks_batch, impressions_batch, stream,
};

/// Rows of a batch, over all inputs.
const ROWS: usize = 1_000;

/// The rows of one input by time.
struct Rows {
    rows: RecordBatch,
    times: Vec<i64>,
}

/// So many requests' lists, impressions and clicks, merged by record time.
pub fn batches(app: &Application, requests: u32) -> Result<Vec<Batch>> {
    let params = Params { sessions: requests, second_page: 0.0, ..Params::default() };
    let world = Arc::new(World::new(&params));
    let rows: Result<Vec<Value>> = stream(world.clone(), &params).map(|request| list(&request)).collect();
    let lists = decoded(&rows?)?;
    let shown = Shown::read(&lists)?;
    let mut answers = Answers::new(User::new(world, &params));
    let mut events: Vec<Event> = shown.iter().flat_map(|one| answers.take(0, one)).collect();
    events.extend(answers.rest());
    events.sort_by_key(Event::record_time_ms);
    let (mut impressions, mut clicks) = (Vec::new(), Vec::new());
    for event in events {
        match event {
            Event::Impression(impression) => impressions.push(impression),
            Event::Click(click) => clicks.push(click),
            Event::Request(_) => {}
        }
    }
    let ticks = topics(app)?.internal.into_iter().next().and_then(|topic| topic.schema);
    let ticks = RecordBatch::new_empty(ticks.context("there is no topic of ticks")?.arrow().clone());
    let all = [
        Rows { times: shown.iter().map(|one| one.time_ms).collect(), rows: lists },
        Rows {
            times: impressions.iter().map(|one| one.time_ms).collect(),
            rows: impressions_batch(&impressions)?,
        },
        Rows { times: clicks.iter().map(|one| one.time_ms).collect(), rows: clicks_batch(&clicks)? },
        Rows { times: Vec::new(), rows: ticks },
    ];
    Ok(cut(&all))
}

/// A row of rankings: the candidates by two rankers that agree on nothing, interleaved.
fn list(request: &Request) -> Result<Value> {
    let mut random = Random::keyed("rankers", &request.id());
    let items = request.items.iter().map(|item| format!("i{item}")).collect();
    let both = rankers(items, &mut random);
    let rankings = Rankings::of(&both)?;
    let made = interleave(Method::TeamDraft, &rankings, request.items.len(), random)?;
    let slots = made.slots();
    let items: Vec<&String> = slots.iter().map(|slot| rankings.items()[slot.item as usize]).collect();
    let teams: Vec<i64> = slots.iter().map(|slot| slot.team.map_or(-1, i64::from)).collect();
    let ranks: Vec<Option<_>> =
        slots.iter().flat_map(|slot| [0, 1].map(|ranker| rankings.rank(ranker, slot.item))).collect();
    let credits: Vec<f64> = (0..slots.len()).flat_map(|position| made.credit_at(position)).collect();
    Ok(json!({"id": request.id(), "time": request.time_ms, "unit": request.user_id(), "list_key": "",
        "arm": "interleave", "role": "serving", "rankers": ["m/1", "m/2"], "method": Method::TeamDraft.name(),
        "items": items, "teams": teams, "scores": [], "ranks": ranks, "credits": credits,
        "common_prefix": made.common_prefix(), "propensity": 1.0, "deployment": 1, "context": {}}))
}

fn decoded(rows: &[Value]) -> Result<RecordBatch> {
    let texts = rows.iter().map(serde_json::to_vec).collect::<Result<Vec<_>, _>>()?;
    let texts: Vec<Option<&[u8]>> = texts.iter().map(|text| Some(text.as_slice())).collect();
    let schema = Arc::new(TopicSchema::parse(AVRO)?);
    let decoded =
        Decoder::new(Format::Json, schema, Arc::new(InProcessRegistry::default())).decode(&texts)?;
    ensure!(decoded.rejected.is_empty(), "lists cannot be read: {:?}", decoded.rejected.first());
    Ok(decoded.rows)
}

/// Batches in the order in which the shell takes rows that are all there.
fn cut(all: &[Rows; 4]) -> Vec<Batch> {
    let (mut batches, mut done) = (Vec::new(), [0; 4]);
    loop {
        let (first, mut order) = (done, Vec::new());
        while order.len() < ROWS {
            let heads: Vec<Head> = (0..4)
                .map(|at| all[at].times.get(done[at]).map_or(Head::End, |time| Head::Row(*time)))
                .collect();
            let Step::Take(input, _) = next(&heads) else { break };
            order.push(Taken { input: input as u32, row: (done[input] - first[input]) as u32 });
            done[input] += 1;
        }
        if order.is_empty() {
            return batches;
        }
        let inputs = (0..4).map(|at| all[at].part(first[at], done[at])).collect();
        batches.push(Batch { inputs, order, phase: Phase::Live });
    }
}

impl Rows {
    fn part(&self, from: usize, to: usize) -> Input {
        let meta = |offset: usize| RowMeta {
            offset: offset as i64,
            time_ms: self.times[offset],
            origin: Origin { topic: "load".into(), partition: 0, offset: offset as i64 },
            traceparent: None,
            late: false,
        };
        Input { rows: self.rows.slice(from, to - from), meta: (from..to).map(meta).collect() }
    }
}

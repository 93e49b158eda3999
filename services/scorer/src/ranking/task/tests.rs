use std::path::Path;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{Float64Type, Int32Type, Int64Type};
use millrace_experiments::interleave::{Method, Rankings, interleave};
use millrace_experiments::random::Random;
use millrace_runtime::task::{Origin, RowMeta, Taken};
use millrace_schemas::envelope::{Arm, ArmRole, Deployment, ranking};
use millrace_schemas::{Decoder, Format, InProcessRegistry, TopicSchema};
use millrace_topics::RankingsTable;
use serde_json::{Value, json};

use super::*;
use crate::loading::load;
use crate::version::FeatureColumns;

const REQUESTS: &str = include_str!("../../../../../schemas/ranking/requests.avsc");

fn schema(avro: &str) -> TopicSchema {
    TopicSchema::parse(avro).unwrap()
}

/// A request of five candidates; `n` moves what is known of them.
fn request(n: u32) -> Value {
    let of = |k: u32| -> Vec<f64> { (0..5).map(|i| f64::from((n * 7 + i * k) % 10) / 10.0).collect() };
    json!({
        "request_id": format!("r{n}"), "request_time": 1_000 * i64::from(n), "user_id": format!("u{}", n % 7),
        "session_id": format!("s{}", n / 2), "query": "shoes", "hour": n % 24,
        "items": ["a", "b", "c", "d", "e"], "text_match": of(3), "popularity": of(9),
        "freshness": of(7), "price": [5.0, 10.0, 20.0, 40.0, 80.0], "affinity": of(1),
    })
}

fn rows(requests: &[Value]) -> RecordBatch {
    let texts: Vec<Vec<u8>> = requests.iter().map(|request| serde_json::to_vec(request).unwrap()).collect();
    let texts: Vec<Option<&[u8]>> = texts.iter().map(|text| Some(text.as_slice())).collect();
    let registry = Arc::new(InProcessRegistry::default());
    let decoded = Decoder::new(Format::Json, Arc::new(schema(REQUESTS)), registry).decode(&texts).unwrap();
    assert!(decoded.rejected.is_empty(), "{:?}", decoded.rejected);
    decoded.rows
}

fn batch(requests: &[Value]) -> Batch {
    let n = requests.len() as u32;
    let meta = (0..n).map(|i| RowMeta {
        offset: i.into(),
        time_ms: 0,
        origin: Origin { topic: "ranking.requests".into(), partition: 0, offset: i.into() },
        traceparent: None,
        late: i == 1,
    });
    Batch {
        inputs: vec![Input { rows: rows(requests), meta: meta.collect() }],
        order: (0..n).map(|row| Taken { input: 0, row }).collect(),
        phase: Phase::Live,
    }
}

fn task(deployment: &Deployment) -> RankingTask {
    let columns = schema(REQUESTS).arrow().clone();
    let table = RankingsTable {
        unit: "user_id".into(),
        items: "items".into(),
        list_key: vec!["user_id".into(), "session_id".into()],
        context: vec!["query".into(), "hour".into()],
        ..RankingsTable::default()
    };
    let candidates = Candidates::find(&columns, "items").unwrap();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../topics/ranking/models");
    let features = FeatureColumns { topic: "ranking.requests".into(), schema: candidates.schema().clone() };
    let serving = Serving::new("nothing yet");
    serving.set(load(&models, (7, deployment), &features, true, None).unwrap());
    let id_and_time = ("request_id", "request_time");
    let rows = Rows::find(schema(ranking::AVRO).arrow(), &columns, id_and_time, &table).unwrap();
    RankingTask::new(serving, candidates, rows, 4, StatsQueue::none(), 0)
}

fn champion() -> Deployment {
    Deployment::champion("rankings", "relevance", "1", 0)
}

fn arm(name: &str, (model, version): (&str, &str), role: ArmRole, buckets: &[(u16, u16)]) -> Arm {
    let (arm, model, version) = (name.into(), model.into(), version.into());
    Arm { arm, model, version, role, buckets: buckets.to_vec() }
}

fn interleaved(method: Method) -> Deployment {
    let arms = vec![
        arm("old", ("relevance", "1"), ArmRole::Serving, &[]),
        arm("new", ("relevance", "2"), ArmRole::Serving, &[]),
    ];
    let (mode, salt) = (Deployment::INTERLEAVE.into(), "spring".into());
    Deployment { mode, salt, method: method.name().into(), arms, ..champion() }
}

fn apply(deployment: &Deployment, batch: &Batch) -> Effects {
    let mut effects = Effects::default();
    task(deployment).apply(batch, &mut effects).unwrap();
    let mut seen: Vec<u32> = effects.outputs.iter().flat_map(|output| output.cause.clone()).collect();
    seen.extend(effects.rejected.iter().map(|rejection| rejection.row));
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), batch.order.len(), "no request disappears");
    effects
}

fn texts(rows: &RecordBatch, column: &str) -> Vec<String> {
    rows[column].as_string::<i32>().iter().map(|text| text.unwrap().to_owned()).collect()
}

fn items(rows: &RecordBatch, row: usize) -> Vec<String> {
    let list = rows["items"].as_list::<i32>().value(row);
    list.as_string::<i32>().iter().map(|text| text.unwrap().to_owned()).collect()
}

fn floats(rows: &RecordBatch, column: &str, row: usize) -> Vec<f64> {
    rows[column].as_list::<i32>().value(row).as_primitive::<Float64Type>().values().to_vec()
}

fn ints(rows: &RecordBatch, column: &str, row: usize) -> Vec<i32> {
    rows[column].as_list::<i32>().value(row).as_primitive::<Int32Type>().values().to_vec()
}

#[test]
fn a_champions_list_has_the_best_candidates_first() {
    let requests: Vec<Value> = (0..20).map(request).collect();
    let effects = apply(&champion(), &batch(&requests));
    let output = &effects.outputs[0];
    assert_eq!(output.rows.schema(), *schema(ranking::AVRO).arrow());
    assert_eq!(output.cause, (0..20).collect::<Vec<u32>>());
    assert!(output.late[1] && !output.late[0]);
    for (row, request) in requests.iter().enumerate() {
        let scores = floats(&output.rows, "scores", row);
        assert!(scores.len() == 4 && scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
        assert_eq!(ints(&output.rows, "ranks", row), [0, 1, 2, 3]);
        assert_eq!(ints(&output.rows, "teams", row), [0; 4]);
        // Text match and popularity, as train.py fitted them; the generator's own utility weighs them alike.
        let of = |item: &String| {
            let at = "abcde".find(item.as_str()).unwrap();
            let value = |name: &str| request[name][at].as_f64().unwrap();
            4.84 * value("text_match") + 0.647 * value("popularity")
        };
        let expected: Vec<f64> = items(&output.rows, row).iter().map(of).collect();
        assert!(expected.is_sorted_by(|a, b| a >= &(b - 2e-3)), "{expected:?}");
    }
    assert!(texts(&output.rows, "method").iter().all(|method| method == "single"));
    assert!(texts(&output.rows, "arm").iter().all(|arm| arm == "champion"));
    assert_eq!(output.rows["deployment"].as_primitive::<Int64Type>().value(3), 7);
    let context = output.rows["context"].as_map().value(5);
    assert_eq!(context.column(1).as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["shoes", "5"]);
}

#[test]
fn an_interleaved_list_is_the_methods_own_of_the_versions_orders() {
    let requests: Vec<Value> = (0..40).map(request).collect();
    let alone = |version: &str| {
        let deployment = Deployment { version: version.into(), ..champion() };
        let mut whole = task(&deployment);
        whole.length = 5;
        let mut effects = Effects::default();
        whole.apply(&batch(&requests), &mut effects).unwrap();
        effects.outputs.remove(0).rows
    };
    let (old, new) = (alone("1"), alone("2"));
    for method in Method::ALL {
        let effects = apply(&interleaved(method), &batch(&requests));
        let made = &effects.outputs[0].rows;
        let keys = texts(made, "list_key");
        for (row, key) in keys.iter().enumerate() {
            let orders = [items(&old, row), items(&new, row)];
            let rankings = Rankings::of(&orders).unwrap();
            let list = interleave(method, &rankings, 4, Random::keyed("spring", key)).unwrap();
            let expected: Vec<&String> =
                list.slots().iter().map(|slot| rankings.items()[slot.item as usize]).collect();
            assert_eq!(items(made, row).iter().collect::<Vec<_>>(), expected, "{method} {row}");
            let credits: Vec<f64> = match method {
                Method::Balanced => Vec::new(),
                _ => (0..4).flat_map(|position| list.credit_at(position)).collect(),
            };
            assert_eq!(floats(made, "credits", row), credits);
            let rank =
                |item: &str, ranker: usize| orders[ranker].iter().position(|i| i == item).unwrap() as i32;
            let ranks: Vec<i32> = expected.iter().flat_map(|item| [rank(item, 0), rank(item, 1)]).collect();
            assert_eq!(ints(made, "ranks", row), ranks);
        }
        assert!(texts(made, "arm").iter().all(|arm| arm == "interleave"));
        let rankers = made["rankers"].as_list::<i32>().value(0);
        let rankers: Vec<_> = rankers.as_string::<i32>().iter().flatten().collect();
        assert_eq!(rankers, ["relevance/1", "relevance/2"]);
    }
}

#[test]
fn requests_of_one_list_key_have_the_same_list() {
    let (first, mut second) = (request(4), request(4));
    second["request_id"] = json!("page two");
    let mut differing = 0;
    for salt in 0..20 {
        let deployment = Deployment { salt: salt.to_string(), ..interleaved(Method::TeamDraft) };
        let mut other = first.clone();
        other["session_id"] = json!("another");
        let effects = apply(&deployment, &batch(&[first.clone(), second.clone(), other]));
        let made = &effects.outputs[0].rows;
        assert_eq!(items(made, 0), items(made, 1));
        assert_eq!(ints(made, "teams", 0), ints(made, "teams", 1));
        differing += usize::from(ints(made, "teams", 0) != ints(made, "teams", 2));
    }
    assert!((5..=19).contains(&differing), "{differing}");
}

#[test]
fn lists_do_not_depend_on_how_requests_are_cut_into_batches() {
    let requests: Vec<Value> = (0..30).map(request).collect();
    for deployment in [champion(), interleaved(Method::Optimized)] {
        let whole = apply(&deployment, &batch(&requests)).outputs.remove(0).rows;
        let mut parts = Vec::new();
        for cut in requests.chunks(7) {
            parts.push(apply(&deployment, &batch(cut)).outputs.remove(0).rows);
        }
        let parts = arrow::compute::concat_batches(&whole.schema(), &parts).unwrap();
        assert_eq!(parts, whole);
    }
}

#[test]
fn users_have_the_list_of_their_arm_and_shadows_have_rows_of_their_own() {
    let arms = vec![
        arm("control", ("relevance", "1"), ArmRole::Serving, &[(0, 5_000)]),
        arm("better", ("relevance", "2"), ArmRole::Serving, &[(5_000, 10_000)]),
        arm("watched", ("popularity", "1"), ArmRole::Shadow, &[]),
        arm("twin", ("relevance", "2"), ArmRole::Shadow, &[]),
    ];
    let deployment = Deployment { mode: Deployment::AB.into(), salt: "t".into(), arms, ..champion() };
    let requests: Vec<Value> = (0..14).map(request).collect();
    let effects = apply(&deployment, &batch(&requests));
    let (output, rows) = (&effects.outputs[0], &effects.outputs[0].rows);
    let (ids, arms, roles) = (texts(rows, "id"), texts(rows, "arm"), texts(rows, "role"));
    let mut by_user: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
    for (row, unit) in texts(rows, "unit").into_iter().enumerate() {
        assert_eq!(ids[row], format!("r{}", output.cause[row]));
        if roles[row] == "serving" {
            assert_eq!(by_user.entry(unit).or_insert_with(|| arms[row].clone()), &arms[row]);
            assert_eq!(rows["propensity"].as_primitive::<Float64Type>().value(row), 0.5);
        }
    }
    assert!(by_user.values().any(|arm| arm == "control") && by_user.values().any(|arm| arm == "better"));
    let count = |arm: &str| arms.iter().filter(|a| *a == arm).count();
    assert_eq!(count("watched"), 14);
    assert_eq!(count("twin"), count("control"), "where its version does not serve");
}

#[test]
fn a_request_of_which_no_list_can_be_made_is_rejected_and_costs_no_other() {
    let good = |n| request(n);
    let with = |n, column: &str, value: Value| {
        let mut request = request(n);
        request[column] = value;
        request
    };
    let none = json!([]);
    let mut empty = request(1);
    for column in ["items", "text_match", "popularity", "freshness", "price", "affinity"] {
        empty[column] = none.clone();
    }
    let requests = [
        good(0),
        empty,
        with(2, "items", json!(["a", "b", "a", "d", "e"])),
        with(3, "popularity", json!([1.0, 2.0])),
        with(4, "text_match", json!([0.1, 0.2, "NaN", 0.4, 0.5])),
        with(5, "popularity", json!([1.0, "Infinity", 2.0, 3.0, 4.0])),
        with(6, "freshness", json!([])),
        good(7),
    ];
    let effects = apply(&champion(), &batch(&requests));
    let mut told: Vec<_> = effects.rejected.iter().map(|r| (r.row, r.reason, r.detail.as_str())).collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            (1, "no_candidates", "`items` is empty"),
            (2, "repeated_candidate", "`items` has `a` twice"),
            (3, "candidates_differ", "`items` has 5 candidates, and `popularity` has 2"),
            (4, "missing_input", "candidate `c`: model input `text_match` is NaN"),
        ]
    );
    // A popularity that is not finite is taken as the model's default, and no version reads freshness.
    assert_eq!(effects.outputs[0].cause, [0, 5, 6, 7]);
    let alone = apply(&champion(), &batch(&[good(7)]));
    assert_eq!(items(&alone.outputs[0].rows, 0), items(&effects.outputs[0].rows, 3));
}

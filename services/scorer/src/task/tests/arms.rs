//! Several versions at once.

use std::sync::mpsc::sync_channel;

use millrace_experiments::assignment::hash::bucket;
use millrace_schemas::envelope::{Arm, ArmRole, Deployment};
use millrace_topics::ExploreTable;

use super::*;
use crate::stats::Sums;
use crate::testing::follow;

fn arm(name: &str, model: &str, role: ArmRole, buckets: &[(u16, u16)]) -> Arm {
    Arm { arm: name.into(), model: model.into(), version: "1".into(), role, buckets: buckets.to_vec() }
}

/// logistic serves; half of the units belong to an experiment of it and trees; linear watches.
fn experiment() -> Deployment {
    Deployment {
        mode: Deployment::AB.into(),
        salt: "trial".into(),
        arms: vec![
            arm("control", "logistic", ArmRole::Serving, &[(0, 2_500)]),
            arm("trees", "trees", ArmRole::Serving, &[(2_500, 5_000)]),
            arm("watch", "linear", ArmRole::Shadow, &[]),
        ],
        ..Deployment::champion("predictions", "logistic", "1", 0)
    }
}

fn serve(deployment: &Deployment) -> Serving {
    let serving = Serving::new("nothing yet");
    serving.set(follow(deployment, 7));
    serving
}

fn many_rows() -> RecordBatch {
    let golden = golden();
    let rows: Vec<[f64; 3]> = golden.rows.iter().cycle().take(200).copied().collect();
    let mut columns = feature_rows(&rows).columns().to_vec();
    columns[2] = Arc::new(arrow::array::Int64Array::from_iter_values(0..200));
    RecordBatch::try_new(feature_schema(), columns).unwrap()
}

fn floats(output: &Output, name: &str) -> Vec<f64> {
    column(output, name).as_primitive::<Float64Type>().values().to_vec()
}

#[test]
fn each_event_has_the_answer_of_its_units_arm_and_what_shadows_say() {
    let effects = apply(&mut task(&serve(&experiment())), &batch(many_rows(), &[]));
    let output = output(&effects);
    let alone =
        |model| floats(super::output(&apply(&mut task(&serving(model)), &batch(many_rows(), &[]))), "score");
    let (logistic, trees, linear) = (alone("logistic"), alone("trees"), alone("linear"));
    let expected: Vec<_> = (0..200_usize)
        .flat_map(|unit| {
            let (arm, model, score, propensity) = match bucket("trial", &unit.to_string()) {
                0..2_500 => ("control", "logistic", logistic[unit], 0.25),
                2_500..5_000 => ("trees", "trees", trees[unit], 0.25),
                _ => ("champion", "logistic", logistic[unit], 0.5),
            };
            let shadow = ("watch", "linear", "shadow", linear[unit], propensity);
            [(arm, model, "serving", score, propensity), shadow]
        })
        .collect();
    let text = |name| column(output, name);
    let (arms, models, roles) = (text("arm"), text("model"), text("role"));
    let (scores, propensities) = (floats(output, "score"), floats(output, "propensity"));
    let seen: Vec<_> = (0..400)
        .map(|i| {
            let of = |column: &'_ ArrayRef| texts(column)[i].unwrap().to_owned();
            (of(&arms), of(&models), of(&roles), scores[i], propensities[i])
        })
        .collect();
    for (seen, expected) in seen.iter().zip(&expected) {
        assert_eq!((seen.0.as_str(), seen.1.as_str(), seen.2.as_str(), seen.3, seen.4), *expected);
    }
    assert_eq!(output.cause, (0..400).map(|i| i / 2).collect::<Vec<u32>>());
}

#[test]
fn champion_and_canary_as_shadows_score_the_same_rows_without_repeating_themselves() {
    let mut deployment = experiment();
    deployment.arms[2] = arm("canary", "trees", ArmRole::Shadow, &[]);
    deployment.arms.push(arm("champion", "logistic", ArmRole::Shadow, &[]));
    let effects = apply(&mut task(&serve(&deployment)), &batch(many_rows(), &[]));
    let models = column(output(&effects), "model");
    let models = texts(&models);
    assert_eq!(models.len(), 400, "one of each for every event");
    assert!(models.chunks(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn what_a_shadow_cannot_score_costs_no_answer() {
    // overflow gives an infinite score for great amounts; logistic and trees do not.
    let mut deployment = experiment();
    deployment.arms[2] = arm("watch", "overflow", ArmRole::Shadow, &[]);
    let mut rows = many_rows();
    let mut columns = rows.columns().to_vec();
    columns[4] =
        Arc::new(Float64Array::from_iter_values((0..200).map(|i| [1.0, f64::from(f32::MAX)][i % 2])));
    rows = RecordBatch::try_new(rows.schema(), columns).unwrap();
    let (sender, told) = sync_channel(10);
    let mut task = task(&serve(&deployment));
    task.stats = StatsQueue::new(sender);
    let effects = apply(&mut task, &batch(rows, &[]));
    assert!(effects.rejected.is_empty());
    assert_eq!(output(&effects).cause.len(), 200 + 100);
    let mut sums = Sums::default();
    sums.add("predictions", told.recv().unwrap());
    let stats = sums.take(5);
    let of = |role: &str| {
        stats.iter().filter(|one| one.role == role).map(|one| (one.rows, one.scored)).collect::<Vec<_>>()
    };
    assert_eq!(of("shadow"), [(200, 100)]);
    assert_eq!(of("serving").iter().map(|(rows, _)| rows).sum::<i64>(), 200);
    let shadow = stats.iter().find(|one| one.role == "shadow").unwrap();
    assert_eq!((shadow.errors, shadow.missing, shadow.deployment, shadow.wall_time_ms), (100, 0, 7, 5));
    assert_eq!(shadow.latencies.iter().sum::<i64>(), 200);
    assert!(shadow.seconds > 0.0);
}

#[test]
fn cutting_the_rows_changes_nothing_with_several_arms() {
    let serving = serve(&experiment());
    let rows = many_rows();
    let whole = apply(&mut task(&serving), &batch(rows.clone(), &[]));
    for size in [1, 7, 64] {
        let mut task = task(&serving);
        let parts: Vec<RecordBatch> = (0..rows.num_rows())
            .step_by(size)
            .map(|at| rows.slice(at, size.min(rows.num_rows() - at)))
            .map(|part| output(&apply(&mut task, &batch(part, &[]))).rows.clone())
            .collect();
        let joined = arrow::compute::concat_batches(&prediction_schema(), &parts).unwrap();
        assert_eq!(joined, whole.outputs[0].rows, "in batches of {size}");
    }
}

#[test]
fn explored_events_get_the_declared_decision_and_say_so() {
    let table = ExploreTable { share: 0.2, decision: "pass".into() };
    let explore = Explore::new("predictions", &table);
    let mut task = task(&serve(&experiment()));
    task.explore = Some(explore.clone());
    let effects = apply(&mut task, &batch(many_rows(), &[]));
    let output = output(&effects);
    let (ids, roles, decisions) = (column(output, "id"), column(output, "role"), column(output, "decision"));
    let reasons = column(output, "reasons");
    let propensities = floats(output, "propensity");
    let mut explored = 0;
    for (row, propensity) in propensities.into_iter().enumerate() {
        let serving = texts(&roles)[row] == Some("serving");
        let drawn = serving && explore.has(texts(&ids)[row].unwrap());
        assert_eq!(texts(&decisions)[row] == Some("pass"), drawn);
        let reason = reasons.as_list::<i32>().value(row);
        assert_eq!(texts(&reason), if drawn { vec![Some("explore")] } else { vec![] });
        assert_eq!(propensity < 0.15, drawn, "{propensity}");
        explored += usize::from(drawn);
    }
    assert!((15..70).contains(&explored), "{explored}");
}

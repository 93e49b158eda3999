//! Shadows: what two versions say of the same rows, whole and by segment, and whether the gate lets the second one through.

use std::collections::{BTreeMap, HashMap};

use millrace_load::evaluation::{Scored, roc_auc};
use millrace_schemas::envelope::{Decided, ExperimentResult, ResultKind};

use super::course::{Course, Ended};
use super::day::{Visit, end_of, visits};
use super::predicted::{self, Predicted};
use super::world::World;

#[test]
fn a_shadow_that_is_as_good_passes_the_gate_and_what_is_told_of_it_is_what_its_rows_say() {
    let course = Course::new(World { second: "near", ..World::SHADOW }).unwrap();
    let ended = course.run(Some(1)).unwrap();
    ended.is(Decided::Promote, "2");
    assert!(
        ended.decision.detail.starts_with("gate passed: auc good, agreement good"),
        "{:?}",
        ended.decision
    );
    let rows = rows(&course, &ended);
    assert!(rows.len() > 2_500, "{} rows", rows.len());
    for segment in [None, Some("DE"), Some("FR")] {
        same_as_told(&rows, &ended, segment);
    }
    let told = changed(&rows);
    assert!(ended.decision.detail.ends_with(&told), "{told}: {}", ended.decision.detail);
    let rests_on = |id: &String| ended.results.iter().any(|event| event.id == *id && event.metric.is_some());
    assert_eq!(ended.decision.evidence.iter().filter(|id| rests_on(id)).count(), 2, "AUC and agreement");
}

#[test]
fn a_shadow_that_is_worse_does_not_pass_and_nobody_was_served_by_it() {
    let course = Course::new(World { second: "noisy", ..World::SHADOW }).unwrap();
    let ended = course.run(None).unwrap();
    ended.is(Decided::Rollback, "1");
    let said = &ended.decision.detail;
    assert!(said.starts_with("gate not passed: ") && said.contains("worse"), "{said}");
    let all = predicted::read(&course).unwrap();
    assert!(all.values().all(|(answer, _)| answer.version == "1"), "the champion alone serves");
    assert!(all.values().any(|(_, shadow)| shadow.as_ref().is_some_and(|shadow| shadow.version == "2")));
}

/// A visit whose outcome was known, with what both versions said.
type Row = (Visit, Predicted, Predicted);

/// The rows that the decision rests on: those under the experiment's deployment whose label horizon was over.
fn rows(course: &Course, ended: &Ended) -> Vec<Row> {
    let end_ms = ended.decision.window_end_ms;
    assert_eq!(end_ms, end_of(ended.day - 1));
    let (since, _) = ended.deployments[1];
    let mut visits: HashMap<String, Visit> =
        (0..ended.day).flat_map(visits).map(|visit| (visit.id.clone(), visit)).collect();
    let mut rows = Vec::new();
    for (id, (answer, shadow)) in predicted::read(course).unwrap() {
        let Some(visit) = visits.remove(&id).filter(|visit| visit.at + 2 * 3_600_000 < end_ms) else {
            continue;
        };
        assert_eq!((answer.arm.as_str(), answer.propensity), ("champion", 1.0), "the champion serves all");
        if answer.deployment >= since {
            rows.push((visit, answer, shadow.expect("every row has a shadow")));
        }
    }
    rows
}

/// What the last window tells of each metric is what the rows come to.
fn same_as_told(rows: &[Row], ended: &Ended, segment: Option<&str>) {
    let within: Vec<&Row> =
        rows.iter().filter(|(visit, ..)| segment.is_none_or(|country| visit.country == country)).collect();
    let mean = |of: &dyn Fn(&Row) -> f64| within.iter().map(|row| of(row)).sum::<f64>() / within.len() as f64;
    let auc = |of: &dyn Fn(&Row) -> f64| {
        let scored = within.iter().map(|row| Scored { score: of(row), fraud: row.0.positive });
        roc_auc(&scored.collect::<Vec<_>>()).unwrap()
    };
    let brier = |visit: &Visit, score: f64| (score - f64::from(u8::from(visit.positive))).powi(2);
    let expected = [
        ("agreement", mean(&|(_, a, b)| f64::from(u8::from(a.decision == b.decision)) - 1.0)),
        ("score", mean(&|(_, a, b)| b.score - a.score)),
        ("brier", mean(&|(visit, a, b)| brier(visit, b.score) - brier(visit, a.score))),
        ("auc", auc(&|(_, _, b)| b.score) - auc(&|(_, a, _)| a.score)),
    ];
    let segment = segment.map(|country| format!("country={country}"));
    let told = |metric: &str| -> &ExperimentResult {
        let mut of = ended.results.iter().filter(|event| {
            event.kind == ResultKind::Comparison
                && event.window_end_ms == ended.decision.window_end_ms
                && event.metric.as_deref() == Some(metric)
                && event.segment == segment
        });
        let one = of.next().expect(metric);
        assert!(of.next().is_none(), "{metric} is told once");
        one
    };
    for (metric, expected) in expected {
        let event = told(metric);
        let estimate = event.estimate.unwrap();
        assert!((estimate - expected).abs() < 1e-9, "{metric} of {segment:?}: {estimate}, not {expected}");
        assert!(event.low.unwrap() < estimate && estimate < event.high.unwrap());
    }
    assert_eq!(told("agreement").units as usize, within.len());
}

/// In the words of the experiment.
fn changed(rows: &[Row]) -> String {
    let mut changed: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (_, before, after) in rows.iter().filter(|(_, before, after)| before.decision != after.decision) {
        *changed.entry((&before.decision, &after.decision)).or_insert(0) += 1;
    }
    let words: Vec<String> =
        changed.iter().map(|((from, to), rows)| format!("{rows} rows from {from} to {to}")).collect();
    format!("would have changed {}", words.join(", "))
}

//! Bandits: shares follow what arms earn, propensities are logged, and what was hardly served is known from the log.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, Result};
use millrace_experiments::assignment::hash::bucket;
use millrace_schemas::envelope::{Decided, Deployment};
use serde_json::Value;

use super::course::{Course, Ended, SHORT};
use super::day::{self, Visit};
use super::predicted::{self, ByEvent};
use super::world::World;

/// Of visits, how many order.
const RATES: [(&str, f64); 2] = [("a", 0.1), ("b", 0.2)];
const DAYS: i64 = 5;
/// In buckets.
const LEAST: u16 = 1_000;

macro_rules! bandit {
    ($draw:literal) => {
        concat!(
            r#"
kind = "bandit"
control = "a"
window = "12h"
label_horizon = "2h"
[arms]
a = { model = "m/1", share = 0.5 }
b = { model = "m/2", share = 0.5 }
[bandit]
every = "1 day"
least_share = 0.1
"#,
            $draw,
            r#"[metrics.ordered]
kind = "conversion"
topic = "outcomes"
value = "ordered"
role = "primary"
"#
        )
    };
}

const BY_UNIT: &str = bandit!("");
const BY_EVENT: &str = bandit!("draw = \"event\"\n");

#[test]
fn a_bandit_turns_to_the_better_arm_and_its_log_tells_what_the_other_would_have_earned() {
    let course = Course::new(World::of(BY_UNIT)).unwrap();
    let ended = run(&course, DAYS, Some(2)).unwrap();
    ended.is(Decided::Promote, "2");
    let shares: Vec<u16> = reweighed(&ended).map(|deployment| share(deployment, "b")).collect();
    assert_eq!(shares.len() as i64, DAYS - 1, "drawn anew every day");
    assert!(shares.iter().all(|share| (LEAST..=10_000 - LEAST).contains(share)), "{shares:?}");
    assert!(*shares.last().unwrap() > 8_000, "{shares:?}");
    let all = predicted::read(&course).unwrap();
    drawn_as_deployed(&ended, &all, |_, unit| unit.to_owned());
    judged_from_its_log(&course, &all);
}

#[test]
fn a_bandit_that_draws_per_event_serves_each_by_its_own_draw() {
    let course = Course::new(World::of(BY_EVENT)).unwrap();
    let ended = run(&course, 2, None).unwrap();
    ended.is(Decided::Promote, "2");
    assert_eq!(reweighed(&ended).count(), 1);
    drawn_as_deployed(&ended, &predicted::read(&course).unwrap(), |event, _| event.to_owned());
}

/// Users order by the arm that served them, day by day; at the end a person decides for `b`.
fn run(course: &Course, days: i64, killed_on: Option<i64>) -> Result<Ended> {
    let mut service = course.start()?;
    let mut sent = 0;
    for day in 0..days {
        let [opening, rest] = day::parted(day);
        if day == 0 {
            sent += send_events(course, &opening)?;
        }
        sent += send_events(course, &rest)?;
        let served = predicted::wait_for(course, sent)?;
        let outcomes: Result<Vec<Value>> =
            opening.iter().chain(&rest).map(|visit| outcome(visit, &served)).collect();
        day::send(course, &outcomes?)?;
        if killed_on == Some(day + 1) {
            service = course.again(service)?;
        }
        let [next, _] = day::parted(day + 1);
        sent += send_events(course, &next)?;
        course.judged(day)?;
        let results = course.results()?;
        course.deployed(1 + results.iter().filter(|event| event.deploys.is_some()).count())?;
    }
    let words = ["experiment", "decide", "{app}", "x", "--arm", "b", "--by", "somebody"];
    course.millrace().succeed(&words, SHORT)?;
    let ended = course.ended(days)?;
    service.stop()?;
    Ok(ended)
}

fn send_events(course: &Course, visits: &[Visit]) -> Result<usize> {
    let lines: Vec<Value> = visits.iter().map(Visit::event).collect();
    day::send(course, &lines)?;
    Ok(lines.len())
}

fn outcome(visit: &Visit, served: &ByEvent) -> Result<Value> {
    let (answer, _) = served.get(&visit.id).with_context(|| format!("{} has no answer", visit.id))?;
    // Before the arms served, the champion did, with the first version.
    let arm = if answer.version == "2" { "b" } else { "a" };
    Ok(visit.outcome(orders(visit, arm), 0.0))
}

fn orders(visit: &Visit, arm: &str) -> bool {
    RATES.iter().any(|(name, rate)| *name == arm && visit.luck < *rate)
}

fn reweighed(ended: &Ended) -> impl Iterator<Item = &Deployment> {
    let causes = ended.results.iter().filter(|event| event.decision == Some(Decided::Reweigh));
    let causes: Vec<&str> = causes.map(|event| event.id.as_str()).collect();
    ended.deployments.iter().map(|(_, one)| one).filter(move |one| causes.contains(&one.cause.as_str()))
}

fn share(deployment: &Deployment, arm: &str) -> u16 {
    let of = deployment.arms.iter().filter(|one| one.arm == arm).flat_map(|one| &one.buckets);
    of.map(|(from, to)| to - from).sum()
}

/// Every answer is by the arm that its draw fell to under the deployment that it names, and says with what probability.
fn drawn_as_deployed(ended: &Ended, all: &ByEvent, drawn_by: impl Fn(&str, &str) -> String) {
    let deployments: BTreeMap<i64, &Deployment> =
        ended.deployments.iter().map(|(at, one)| (*at, one)).collect();
    let mut served: BTreeMap<&str, usize> = BTreeMap::new();
    for (id, (answer, shadow)) in all {
        let deployment = deployments[&answer.deployment];
        assert!(shadow.is_none());
        if deployment.mode != Deployment::BANDIT {
            assert_eq!((answer.arm.as_str(), answer.propensity), ("champion", 1.0));
            continue;
        }
        let at = bucket(&deployment.salt, &drawn_by(id, &answer.unit));
        let holds = |buckets: &[(u16, u16)]| buckets.iter().any(|(from, to)| (*from..*to).contains(&at));
        let arm = deployment.arms.iter().find(|arm| holds(&arm.buckets)).unwrap();
        assert_eq!((&answer.arm, &answer.version), (&arm.arm, &arm.version));
        let of_all = f64::from(share(deployment, &arm.arm)) / 10_000.0;
        assert!((answer.propensity - of_all).abs() < 1e-12, "{id}: {} of {of_all}", answer.propensity);
        *served.entry(answer.arm.as_str()).or_insert(0) += 1;
    }
    assert!(served["a"] > 100 && served["b"] > served["a"], "{served:?}");
}

/// `a`, which was hardly served, judged by the log of what was.
fn judged_from_its_log(course: &Course, all: &ByEvent) {
    let (mut log, mut would, mut rows) = ("arm,propensity,ordered,good\n".to_owned(), 0, 0);
    for visit in (0..DAYS).flat_map(day::visits) {
        let (answer, _) = &all[&visit.id];
        if answer.arm == "champion" {
            continue;
        }
        let ordered = u8::from(orders(&visit, &answer.arm));
        writeln!(log, "{},{},{ordered},{}", answer.arm, answer.propensity, visit.good).unwrap();
        would += usize::from(orders(&visit, "a"));
        rows += 1;
    }
    course.app.write("log.csv", &log).unwrap();
    let file = course.app.folder().join("log.csv");
    let (file, words) = (file.to_string_lossy(), ["experiment", "evaluate", "--target", "a", "--json"]);
    let more = ["--input", &file, "--reward", "ordered", "--covariate", "good"];
    let said = course.millrace().succeed(&[&words[..], &more[..]].concat(), SHORT).unwrap();
    let said: Value = serde_json::from_str(said.trim()).unwrap();
    assert_eq!(said["rows"], rows);
    let number = |of: &str, what: &str| said[of][what].as_f64().unwrap();
    let truth = would as f64 / f64::from(rows);
    for estimate in ["ips", "self_normalised", "doubly_robust"] {
        let (mean, error) = (number(estimate, "mean"), number(estimate, "standard_error"));
        assert!((mean - truth).abs() < 4.0 * error && error < 0.02, "{estimate}: {mean} ± {error}, {truth}");
    }
    assert!(number("served", "mean") > 0.14, "most were served by the better arm: {said}");
    assert!(number("gain", "high") < 0.0, "it is seen to be worse: {said}");
}

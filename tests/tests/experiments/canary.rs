//! Canary releases: what is worse is rolled back, what is better promoted step by step.

use std::time::Duration;

use millrace_schemas::envelope::{Decided, ScorerStats};

use super::course::Course;
use super::world::World;

#[test]
fn a_canary_with_less_auc_is_rolled_back() {
    let ended = Course::new(World { second: "noisy", ..World::CANARY }).unwrap().run(Some(1)).unwrap();
    ended.is(Decided::Rollback, "1");
    assert!(ended.decision.detail.contains("auc worse"), "{}", ended.decision.detail);
}

#[test]
fn a_canary_that_misses_2_percent_more_is_rolled_back_within_two_windows() {
    let ended = Course::new(World { second: "gappy", ..World::CANARY }).unwrap().run(Some(1)).unwrap();
    ended.is(Decided::Rollback, "1");
    assert!(ended.decision.detail.contains("missing worse"), "{}", ended.decision.detail);
    assert_eq!(ended.day, 2, "the first window holds too few requests");
}

#[test]
fn a_better_canary_is_promoted_step_by_step() {
    let ended =
        Course::new(World { second: "good", first: "noisy", ..World::CANARY }).unwrap().run(Some(3)).unwrap();
    ended.is(Decided::Promote, "2");
    let decided: Vec<Decided> = ended.results.iter().filter_map(|event| event.decision).collect();
    assert_eq!(decided, [Decided::Start, Decided::Advance, Decided::Promote]);
    let canaries = ended.deployments.iter().filter(|(_, deployment)| deployment.mode == "canary");
    assert_eq!(canaries.map(|(_, deployment)| deployment.phase).collect::<Vec<_>>(), [0, 0], "it grew");
}

#[test]
fn a_canary_that_is_the_same_is_not_rolled_back() {
    let ended = Course::new(World::CANARY).unwrap().run(Some(2)).unwrap();
    let decided = ended.decision.decision.unwrap();
    assert!([Decided::Promote, Decided::Keep].contains(&decided), "{decided:?}: {}", ended.decision.detail);
}

#[test]
fn a_canary_whose_p99_is_three_times_as_long_is_rolled_back_within_two_windows() {
    let course = Course::new(World { second_model: "slow", ..World::SPEED }).unwrap();
    let ended = course.run(Some(1)).unwrap();
    let [first, second] = p99s(&course);
    println!("p99 {first:?} and {second:?}, day {}: {}", ended.day, ended.decision.detail);
    assert!(second >= 3 * first, "the model is not slow: {second:?} after {first:?}");
    ended.is(Decided::Rollback, "1");
    assert!(ended.decision.detail.contains("latency worse"), "{}", ended.decision.detail);
    // Busy scorers answer a day in few runs; such a window holds too few effective requests for a look.
    let latency = ended.results.iter().filter(|event| event.metric.as_deref() == Some("latency"));
    let enough = latency.filter(|event| event.units >= 10).count();
    assert!((1..=2).contains(&enough), "{enough} windows with enough requests, {} days", ended.day);
}

#[test]
fn a_canary_that_takes_as_long_is_not_rolled_back() {
    let course = Course::new(World::SPEED).unwrap();
    let ended = course.run(None).unwrap();
    println!("p99 {:?}, day {}: {}", p99s(&course), ended.day, ended.decision.detail);
    let decided = ended.decision.decision.unwrap();
    assert!([Decided::Promote, Decided::Keep].contains(&decided), "{decided:?}: {}", ended.decision.detail);
}

/// Of rows under the canary's deployments, the p99 of the runs that each version scored them in, as scorers told.
fn p99s(course: &Course) -> [Duration; 2] {
    let stats = course.stats().unwrap();
    ["1", "2"].map(|version| {
        let mut rows = vec![0; ScorerStats::LATENCIES];
        for one in stats.iter().filter(|one| one.version == version && one.deployment > 0) {
            rows.iter_mut().zip(&one.latencies).for_each(|(sum, more)| *sum += more);
        }
        let all: i64 = rows.iter().sum();
        let mut slower = all;
        let at = rows.iter().position(|rows| {
            slower -= rows;
            slower * 100 <= all
        });
        Duration::from_secs_f64(ScorerStats::latency_bound(at.unwrap()))
    })
}

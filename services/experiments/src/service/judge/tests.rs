//! Runs of the judge on notes alone: what is told to it, as tasks would tell it.

use millrace_schemas::envelope::{Decided, ResultKind, ScorerStats};
use millrace_topics::{
    CanaryCriterion, CanaryDefinition, ExperimentArm, ExperimentDefinition, ExperimentMetric, MetricKind,
    MetricRole,
};

use super::*;
use crate::analysis::power::required_positives;
use crate::analysis::units::{Beside, Rules, Units};
use crate::random::Random;
use crate::service::counted::{Pair, Won, outcomes_to_bytes, pairs_to_bytes};

mod shown;
mod silent;

const DAY: i64 = 86_400_000;
/// When people speak: long after what the stream is about.
const SPOKEN_MS: i64 = 1_700_000_000_000;

pub fn definition(kind: ExperimentKind, arms: &[(&str, f64)]) -> ExperimentDefinition {
    let arm = |(at, (name, share)): (usize, &(&str, f64))| ExperimentArm {
        name: (*name).into(),
        model: "m".into(),
        version: (at + 1).to_string(),
        share: *share,
    };
    ExperimentDefinition {
        name: "x".into(),
        topic: "predictions".into(),
        kind,
        arms: arms.iter().enumerate().map(arm).collect(),
        salt: "x".into(),
        namespace: None,
        metrics: vec![metric("value", MetricKind::Mean, MetricRole::Primary)],
        labels: None,
        window_ms: DAY,
        label_horizon_ms: 0,
        covariate_ms: 0,
        alpha: 0.05,
        burn_in_units: 100,
        min_ms: 0,
        max_ms: 28 * DAY,
        max_mixed_share: 0.01,
        sample_ratio_alpha: 0.001,
        automatic: true,
        segments: Vec::new(),
        canary: None,
        bandit: None,
        method: None,
    }
}

fn metric(name: &str, kind: MetricKind, role: MetricRole) -> ExperimentMetric {
    ExperimentMetric {
        name: name.into(),
        kind,
        topic: "values".into(),
        value: None,
        only: BTreeMap::new(),
        denominator: None,
        higher_is_better: true,
        role,
        bound: 0.0,
        expected_effect: None,
    }
}

/// A judge with what was said so far, and what deploys what it asks for.
struct Bench {
    judge: Judge,
    results: Vec<ExperimentResult>,
    offset: i64,
    deployments: i64,
}

impl Bench {
    fn new(partitions: usize) -> Self {
        let all = BTreeMap::from([("predictions".to_owned(), partitions)]);
        let judge = Judge::new(all.clone(), all);
        let mut bench = Self { judge, results: Vec::new(), offset: 0, deployments: 0 };
        bench.deploy(Deployment::champion("predictions", "m", "1", 0));
        bench
    }

    fn tell(&mut self, note: Note, body: &[u8]) {
        let said = self.judge.take(note, body, self.offset).unwrap();
        self.offset += 1;
        let asked: Vec<Deployment> = said
            .results
            .iter()
            .filter_map(|event| serde_json::from_str(event.deploys.as_ref()?).unwrap())
            .collect();
        self.results.extend(said.results);
        asked.into_iter().for_each(|deployment| self.deploy(deployment));
    }

    fn deploy(&mut self, deployment: Deployment) {
        let offset = self.deployments;
        self.deployments += 1;
        self.tell(Note::Deployed { offset, deployment: Box::new(deployment) }, &[]);
    }

    fn command(&mut self, command: CommandKind, argument: String) {
        let id = format!("command-{}", self.offset);
        let (by, reason) = ("Somebody".into(), String::new());
        let command = ExperimentCommand {
            id,
            time_ms: SPOKEN_MS,
            experiment: "x".into(),
            command,
            argument,
            by,
            reason,
        };
        self.tell(Note::Command(command), &[]);
    }

    fn start(&mut self, definition: &ExperimentDefinition) -> String {
        let run = format!("command-{}", self.offset);
        self.command(CommandKind::Start, serde_json::to_string(definition).unwrap());
        self.tell(Note::Known { run: run.clone(), place: place(0) }, &[]);
        run
    }

    fn decisions(&self) -> Vec<Decided> {
        self.results.iter().filter_map(|event| event.decision).collect()
    }
}

fn place(partition: i32) -> Place {
    Place { topic: "predictions".into(), partition }
}

fn canary() -> ExperimentDefinition {
    let criterion = |metric: &str, margin: f64, required: u64| CanaryCriterion {
        metric: metric.into(),
        margin,
        required,
        usual: Default::default(),
    };
    ExperimentDefinition {
        metrics: Vec::new(),
        canary: Some(CanaryDefinition {
            steps: vec![0.1, 0.5],
            step_max_ms: 8 * DAY,
            looks: 4,
            power: 0.9,
            criteria: vec![
                criterion("auc", 0.01, POSITIVES),
                criterion("latency", 0.02, 2_000),
                criterion("missing", 0.005, 2_000),
            ],
            traffic: None,
        }),
        ..definition(ExperimentKind::Canary, &[("champion", 0.0), ("second", 0.0)])
    }
}

/// Labelled positives of a window: those that `required_positives` asks for.
const POSITIVES: u64 = 700;

#[test]
fn windows_hold_enough_labelled_positives_for_power_0_9() {
    // Champion 0.87, ten negatives a positive, estimates correlated by 0.6; seen is what is worse by more than the margin.
    let looks = 4.0 * 3.0 * 2.0;
    let needed = required_positives(0.87, 0.05 - 0.01, 10.0, 0.6, 0.05 / looks, 0.9).unwrap();
    assert!(needed <= POSITIVES, "{needed}");
}

#[derive(Clone, Copy)]
struct World {
    /// How much the canary's scores separate the classes.
    separation: f64,
    slower: f64,
    missing: f64,
}

/// One window of a canary: rows that both scored, and how requests went.
fn window(random: &mut Random, world: World, deployment: i64) -> (Vec<Pair>, [ScorerStats; 2]) {
    let rows = 11 * POSITIVES;
    let pair = |random: &mut Random, row: u64| {
        let positive = row.is_multiple_of(11);
        let shared = random.normal();
        let mut score = |separation: f64| {
            f64::from(u8::from(positive)) * separation + 0.8 * shared + 0.6 * random.normal()
        };
        Pair {
            id: row ^ (random_id(deployment, row)),
            unit: row,
            deployment,
            control: score(1.6),
            treatment: score(world.separation),
            positive: Some(positive),
            decisions: ["approve".into(), "approve".into()],
            segments: Vec::new(),
        }
    };
    let pairs = (0..rows).map(|row| pair(random, row)).collect();
    let stats = |random: &mut Random, version: &str, slower: f64, missing: f64| {
        let mut latencies = vec![0; 96];
        for _ in 0..5_000 {
            let micros = 300.0 * libm::exp(0.5 * random.normal()) * slower;
            let entry = (4.0 * libm::log2(micros)).ceil().clamp(0.0, 95.0);
            latencies[entry as usize] += 1;
        }
        let lost = (0..5_000).filter(|_| random.chance(0.001 + missing)).count();
        ScorerStats {
            time_ms: 0,
            wall_time_ms: 0,
            topic: "predictions".into(),
            partition: 0,
            deployment,
            model: "m".into(),
            version: version.into(),
            arm: String::new(),
            role: String::new(),
            rows: 5_000,
            scored: 5_000,
            missing: i64::try_from(lost).unwrap(),
            defaulted: 0,
            errors: 0,
            seconds: 1.0,
            latencies,
            squares: 5_000,
        }
    };
    (pairs, [stats(random, "1", 1.0, 0.0), stats(random, "2", world.slower, world.missing)])
}

fn random_id(deployment: i64, row: u64) -> u64 {
    Random::keyed(&deployment.to_string(), &row.to_string()).bits()
}

/// Runs a canary to its end: the decision, and in which window of its step it fell.
fn release(seed: u64, world: World) -> (Option<Decided>, usize) {
    let mut bench = Bench::new(1);
    let run = bench.start(&canary());
    let mut random = Random::of(seed);
    let mut of_step = 0;
    for day in 1..=16 {
        let deployment = bench.deployments - 1;
        let (pairs, stats) = window(&mut random, world, deployment);
        stats.into_iter().for_each(|stats| bench.tell(Note::Stats(stats), &[]));
        let end_ms = day * DAY;
        bench.tell(Note::Scored { run: run.clone(), place: place(0), end_ms }, &pairs_to_bytes(&pairs));
        let before = bench.decisions().len();
        let counted = Counted { rows: u64::try_from(day).unwrap(), ..Counted::default() };
        let note = Note::Counted { run: run.clone(), place: place(0), end_ms, phase: 0 };
        bench.tell(note, &counted.to_bytes());
        of_step += 1;
        match bench.decisions().get(before) {
            Some(Decided::Advance) => of_step = 0,
            Some(decided) => return (Some(*decided), of_step),
            None => {}
        }
    }
    (None, of_step)
}

const SAME: World = World { separation: 1.6, slower: 1.0, missing: 0.0 };

#[test]
fn worse_canaries_are_rolled_back_within_two_windows_better_ones_promoted_equal_ones_seldom_rolled_back() {
    // AUC is the normal distribution's value at separation / sqrt(2): 0.871 of the champion; 0.82 at 1.295.
    for world in
        [World { separation: 1.295, ..SAME }, World { slower: 3.0, ..SAME }, World { missing: 0.02, ..SAME }]
    {
        for seed in 0..10 {
            let (decided, windows) = release(seed, world);
            assert_eq!(decided, Some(Decided::Rollback), "seed {seed}");
            assert!(windows <= 2, "seed {seed}: {windows} windows");
        }
    }
    for seed in 0..10 {
        assert_eq!(release(seed, World { separation: 1.9, ..SAME }).0, Some(Decided::Promote), "seed {seed}");
    }
}

/// Half a minute.
#[test]
#[ignore = "200 seeds of each; by `cargo test -p millrace-experiments --lib judge -- --ignored --nocapture`"]
fn canaries_over_200_seeds() {
    let count = |world: World| {
        let ends: Vec<_> = (0..200).map(|seed| release(seed, world)).collect();
        let of = |decided: Decided| ends.iter().filter(|(end, _)| *end == Some(decided)).count();
        let soon =
            ends.iter().filter(|(end, windows)| *end == Some(Decided::Rollback) && *windows <= 2).count();
        (of(Decided::Promote), of(Decided::Rollback), of(Decided::Keep), soon)
    };
    println!("world: promoted, rolled back, kept, rolled back within two windows; of 200");
    let worse = count(World { separation: 1.295, ..SAME });
    println!("AUC -0.05: {worse:?}");
    let slower = count(World { slower: 3.0, ..SAME });
    println!("latency x 3: {slower:?}");
    let missing = count(World { missing: 0.02, ..SAME });
    println!("2 percent more missing: {missing:?}");
    let better = count(World { separation: 1.9, ..SAME });
    println!("better: {better:?}");
    let equal = count(SAME);
    println!("equal: {equal:?}");
    assert!(worse.3 >= 180 && slower.3 == 200 && missing.3 == 200 && better.0 == 200 && equal.1 <= 10);
}

#[test]
fn without_rows_a_canary_waits_and_a_pause_holds_it() {
    let mut bench = Bench::new(1);
    let run = bench.start(&canary());
    let empty = |bench: &mut Bench, day: i64| {
        let note = Note::Counted { run: run.clone(), place: place(0), end_ms: day * DAY, phase: 0 };
        bench.tell(note, &Counted::default().to_bytes());
    };
    (1..100).for_each(|day| empty(&mut bench, day));
    assert_eq!(bench.decisions(), [Decided::Start], "no data never promotes or rolls back, however long");
    bench.command(CommandKind::Pause, String::new());
    bench.command(CommandKind::Pause, String::new());
    assert!(bench.results.last().unwrap().detail.contains("refused"), "{:?}", bench.results.last());
    bench.command(CommandKind::Resume, String::new());
    bench.command(CommandKind::Abort, String::new());
    assert_eq!(bench.decisions(), [Decided::Start, Decided::Pause, Decided::Resume, Decided::Abort]);
    let last = bench.results.iter().rfind(|event| event.deploys.is_some()).unwrap();
    let alone: Deployment = serde_json::from_str(last.deploys.as_ref().unwrap()).unwrap();
    assert_eq!((alone.mode.as_str(), alone.version.as_str()), ("champion", "1"));
}

/// A day's units of two arms of an A/B test in `partitions` parts, `effect` more in the second.
fn ab_parts(units: &mut [Units], random: &mut Random, day: i64, effect: f64) {
    for n in 0..400_u64 {
        let unit = format!("{day}-{n}");
        let second = random.chance(0.5);
        let part = &mut units[usize::try_from(n).unwrap() % 3];
        part.expose(&unit, if second { "b" } else { "a" }, day * DAY);
        part.value(&unit, day * DAY + 1, random.normal() + if second { effect } else { 0.0 }, 1.0);
    }
}

fn ab(effect: f64, order: [usize; 3]) -> Bench {
    let definition = definition(ExperimentKind::Ab, &[("a", 0.5), ("b", 0.5)]);
    let mut bench = Bench::new(3);
    let run = bench.start(&definition);
    (1..3).for_each(|partition| bench.tell(Note::Known { run: run.clone(), place: place(partition) }, &[]));
    let rules = Rules { window_ms: DAY, label_horizon_ms: 0, covariate_ms: 0 };
    let mut units = vec![Units::new(rules); 3];
    let mut random = Random::of(7);
    for day in 1..40 {
        ab_parts(&mut units, &mut random, day, effect);
        let end_ms = (day + 1) * DAY;
        for part in order {
            let counted = Counted {
                metrics: vec![units[part].summary(end_ms, Beside::Nothing)],
                rows: 1,
                first_ms: Some(DAY),
                ..Counted::default()
            };
            let place = place(i32::try_from(part).unwrap());
            bench.tell(Note::Counted { run: run.clone(), place, end_ms, phase: 0 }, &counted.to_bytes());
        }
    }
    bench
}

#[test]
fn an_ab_test_promotes_what_is_better_keeps_what_is_not_and_says_the_same_in_any_order_of_partitions() {
    let better = ab(0.15, [0, 1, 2]);
    assert_eq!(better.decisions(), [Decided::Start, Decided::Promote]);
    let promoted = better.results.iter().find(|event| event.decision == Some(Decided::Promote)).unwrap();
    assert_eq!(promoted.state, ExperimentState::Decided);
    let evidence = &promoted.evidence[0];
    let rests_on = better.results.iter().find(|event| event.id == *evidence).unwrap();
    assert!(rests_on.kind == ResultKind::Comparison && rests_on.low.unwrap() > 0.0, "{rests_on:?}");
    let asked: Deployment = serde_json::from_str(promoted.deploys.as_ref().unwrap()).unwrap();
    assert_eq!((asked.version.as_str(), asked.cause.as_str()), ("2", promoted.id.as_str()));
    assert_eq!(better.results, ab(0.15, [2, 0, 1]).results);

    let same = ab(0.0, [0, 1, 2]);
    assert_eq!(same.decisions(), [Decided::Start, Decided::Keep]);
    assert_eq!(ab(-0.15, [0, 1, 2]).decisions(), [Decided::Start, Decided::Rollback]);
}

#[test]
fn another_hand_stops_an_experiment_and_a_start_that_does_not_fit_is_refused() {
    let definition = definition(ExperimentKind::Ab, &[("a", 0.5), ("b", 0.5)]);
    let mut bench = Bench::new(1);
    bench.start(&definition);
    assert_eq!(bench.decisions(), [Decided::Start]);
    bench.command(CommandKind::Start, serde_json::to_string(&definition).unwrap());
    assert!(bench.results.last().unwrap().detail.contains("it runs already"));
    bench.deploy(Deployment::champion("predictions", "m", "3", 9));
    assert_eq!(bench.decisions(), [Decided::Start, Decided::Stop]);
    assert!(bench.results.last().unwrap().deploys.is_none(), "what was deployed by hand stays");
    bench.start(&definition);
    let refused = &bench.results.last().unwrap();
    assert!(refused.detail.contains("m/3 is the champion"), "{}", refused.detail);
    assert_eq!(refused.state, ExperimentState::Draft);
}

#[test]
fn a_canary_grows_without_moving_units_between_its_arms() {
    let definition = canary();
    let first = deploy::serving(&definition, 0, None, None, 0).unwrap();
    let second = deploy::serving(&definition, 1, None, Some(&first), 0).unwrap();
    assert_eq!((first.phase, second.phase), (0, 0));
    let buckets = |deployment: &Deployment, name: &str| {
        let arm = deployment.arms.iter().find(|arm| arm.arm == name).unwrap();
        crate::assignment::Buckets::of(&arm.buckets).unwrap()
    };
    for name in ["second", "baseline"] {
        assert_eq!(buckets(&first, name).count(), 1_000);
        assert_eq!(buckets(&second, name).count(), 5_000);
        assert_eq!(buckets(&first, name).minus(&buckets(&second, name)).count(), 0, "{name} keeps its units");
    }
    let shadows: Vec<&str> =
        first.arms.iter().filter(|arm| arm.buckets.is_empty()).map(|arm| arm.version.as_str()).collect();
    assert_eq!(shadows, ["1", "2"], "both versions score every row");
}

#[test]
fn new_weights_of_a_bandit_move_as_many_units_as_shares_change() {
    let definition = definition(ExperimentKind::Bandit, &[("a", 0.4), ("b", 0.3), ("c", 0.3)]);
    let mut before = deploy::serving(&definition, 0, None, None, 0).unwrap();
    for weights in [[2_000_u16, 3_000, 5_000], [500, 8_500, 1_000], [3_333, 3_333, 3_334]] {
        let next = deploy::serving(&definition, 0, Some(&weights), Some(&before), 1).unwrap();
        for (at, weight) in weights.iter().enumerate() {
            let of = |one: &Deployment| crate::assignment::Buckets::of(&one.arms[at].buckets).unwrap();
            let (had, has) = (of(&before), of(&next));
            assert_eq!(has.count(), usize::from(*weight));
            let (kept, lost) = (had.count().min(has.count()), had.minus(&has).count());
            assert_eq!(lost, had.count() - kept, "arm {at} of {weights:?}");
        }
        before = next;
    }
}

#[test]
fn a_window_of_interleaved_lists_waits_for_the_outcomes_of_all_partitions_and_takes_no_later_ones() {
    let definition = definition(ExperimentKind::Interleave, &[("a", 0.0), ("b", 0.0)]);
    let mut bench = Bench::new(2);
    let run = bench.start(&definition);
    bench.tell(Note::Known { run: run.clone(), place: place(1) }, &[]);
    for (day, partition) in [(1, 0), (1, 1), (2, 0), (2, 1)] {
        let note = Note::Counted { run: run.clone(), place: place(partition), end_ms: day * DAY, phase: 0 };
        let counted = Counted { rows: 20, first_ms: Some(5), ..Counted::default() };
        bench.tell(note, &counted.to_bytes());
    }
    let ended = |bench: &mut Bench, partition, day: i64, users: std::ops::Range<i32>| {
        let won = |user: i32| Won { deployment: 1, user: user.to_string(), winner: 2 };
        let body = outcomes_to_bytes(&users.map(won).collect::<Vec<_>>());
        bench.tell(Note::Outcomes { place: place(partition), end_ms: day * DAY }, &body);
    };
    let users = |bench: &Bench| -> Vec<i64> {
        let told = bench.results.iter().filter(|event| event.kind == ResultKind::Comparison);
        told.map(|event| event.units).collect()
    };
    assert_eq!(users(&bench), [0; 0], "observers alone close no window");
    ended(&mut bench, 0, 1, 0..5);
    ended(&mut bench, 0, 2, 5..6);
    assert_eq!(users(&bench), [0; 0], "the other partition has not told");
    ended(&mut bench, 1, 1, 10..12);
    assert_eq!(users(&bench), [7], "what a partition that is ahead told is of the next window");
    ended(&mut bench, 1, 2, 0..0);
    assert_eq!(users(&bench), [7, 8]);
    let windows = bench.results.iter().filter(|event| event.kind != ResultKind::Decision);
    let windows: Vec<_> = windows.map(|event| (event.window_start_ms, event.window_end_ms)).collect();
    assert_eq!(windows, [(5, DAY), (5, DAY), (5, 2 * DAY), (5, 2 * DAY)], "from the first list on");
    let status = bench.results.last().unwrap();
    assert_eq!((status.values["lists"], status.values["ended_lists"]), (Some(40.0), Some(8.0)));
}

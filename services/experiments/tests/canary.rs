//! Canary decisions and plans.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use millrace_experiments::analysis::paired::{Scored, auc};
use millrace_experiments::canary::decision::{Better, Standing};
use millrace_experiments::canary::plan::{Aim, Error, Traffic};
use millrace_experiments::canary::requests::{self, Latencies, Share};
use millrace_experiments::canary::{Action, Criterion, Evidence, Judged, Release, State, Step, decide, plan};
use millrace_experiments::random::Random;
use millrace_experiments::range::OutOfRange;

fn criterion(better: Better) -> Criterion {
    Criterion { metric: "auc".into(), better, margin: 0.01, required: 100 }
}

fn evidence(low: f64, high: f64) -> Option<Evidence> {
    Some(Evidence { low, high, support: 100 })
}

#[test]
fn promotion_needs_the_interval_above_minus_the_margin_and_rollback_below() {
    let auc = criterion(Better::Higher);
    for (found, standing) in [
        (evidence(-0.009, 0.1), Standing::Good),
        (evidence(-0.01, 0.1), Standing::Undecided),
        (evidence(-0.1, -0.011), Standing::Worse),
        (evidence(-0.1, -0.01), Standing::Undecided),
        (evidence(f64::NAN, 0.1), Standing::NoEvidence),
        (Some(Evidence { low: -1.0, high: -0.9, support: 99 }), Standing::TooFew),
        (None, Standing::NoEvidence),
    ] {
        assert_eq!(auc.standing(found.as_ref()), standing, "{found:?}");
    }
    let loss = criterion(Better::Lower);
    assert_eq!(loss.standing(evidence(-0.1, 0.009).as_ref()), Standing::Good);
    assert_eq!(loss.standing(evidence(0.011, 0.1).as_ref()), Standing::Worse);
}

#[test]
fn one_worse_rolls_back_all_good_promote_and_nothing_pauses() {
    let criteria = [criterion(Better::Higher), criterion(Better::Lower)];
    let (good, open, worse) = (evidence(0.0, 0.1), evidence(-0.1, 0.1), evidence(-0.2, -0.1));
    let lower_good = evidence(-0.1, 0.0);
    let act = |one, two, over| decide(&criteria, &[one, two], over).action;
    assert_eq!(act(good, lower_good, false), Action::Promote);
    assert_eq!(act(worse, lower_good, false), Action::RollBack);
    assert_eq!(act(worse, None, true), Action::RollBack);
    assert_eq!(act(good, None, false), Action::Extend);
    assert_eq!(act(good, open, false), Action::Extend);
    assert_eq!(act(good, open, true), Action::KeepChampion);
    assert_eq!(act(good, lower_good, true), Action::Promote);
    assert_eq!(act(None, None, true), Action::Pause);
    assert_eq!(decide(&criteria, &[], true).action, Action::Pause);
}

#[test]
fn time_without_data_or_under_a_pause_does_not_count() {
    let steps = vec![Step { share: 0.1, max_ms: 100 }, Step { share: 0.5, max_ms: 100 }];
    let start = || Release::start(steps.clone(), vec![criterion(Better::Higher)], 0).unwrap();
    let (good, open) = ([evidence(0.0, 0.1)], [evidence(-0.1, 0.1)]);
    let mut release = start();
    assert_eq!(release.look(500, 0, &[None]).unwrap().action, Action::Pause);
    assert_eq!((release.state(), release.share()), (State::WaitingForData, 0.1));
    assert_eq!(release.look(550, 10, &open).unwrap().action, Action::Extend);
    assert!(release.pause());
    assert_eq!(release.look(900, 10, &good).unwrap().action, Action::Pause);
    assert!(release.resume(1000));
    assert_eq!(release.look(1040, 10, &good).unwrap().action, Action::Promote);
    assert_eq!((release.step(), release.share(), release.state()), (1, 0.5, State::Running));
    // The new step's time begins anew.
    assert_eq!(release.look(1139, 10, &open).unwrap().action, Action::Extend);
    assert_eq!(release.look(1140, 10, &open).unwrap().action, Action::KeepChampion);
    assert_eq!((release.state(), release.share()), (State::Kept, 0.0));
    assert!(release.look(2000, 10, &good).is_none() && !release.abort() && !release.resume(2000));
    let mut release = start();
    release.look(10, 1, &good);
    release.look(20, 1, &good);
    assert_eq!((release.state(), release.share()), (State::Promoted, 1.0));
    let mut release = start();
    assert!(!release.resume(5) && release.abort());
    assert_eq!((release.state(), release.share()), (State::Aborted, 0.0));
    assert!(Release::start(Vec::new(), vec![criterion(Better::Higher)], 0).is_none());
}

const DAY: i64 = 86_400_000;

#[test]
fn a_plan_refuses_steps_that_cannot_see_the_bound() {
    let judged = Judged::PairedAuc { auc: 0.85, correlation: 0.8, positive_rate: 0.008 };
    let aim = Aim { bound: 0.05, alpha: 0.05, power: 0.9 };
    let traffic = Traffic { per_day: 10_000.0, labelled: 1.0, label_horizon_ms: 7 * DAY };
    let step = |days: i64| Step { share: 0.05, max_ms: days * DAY };
    let planned = plan(&judged, &aim, &traffic, &[step(60)]).unwrap()[0];
    assert!((50..400).contains(&planned.required), "{planned:?}");
    assert_eq!(planned.window_ms, (planned.required as f64 / 80.0 * DAY as f64).ceil() as i64);
    let needed = planned.window_ms / DAY + 8;
    assert!(plan(&judged, &aim, &traffic, &[step(60), step(needed)]).is_ok());
    let refused = plan(&judged, &aim, &traffic, &[step(60), step(needed - 2)]).unwrap_err();
    assert!(
        refused.to_string().starts_with("step 2 (share 0.05) cannot see a difference of 0.05"),
        "{refused}"
    );
    assert!(matches!(
        plan(&judged, &Aim { power: 1.0, ..aim }, &traffic, &[step(1)]),
        Err(Error::Number(OutOfRange { name: "power", .. }))
    ));
}

#[test]
fn arms_are_compared_with_a_baseline_of_their_size_above_one_half_the_rest() {
    let (judged, aim) = (Judged::Conversion { rate: 0.1 }, Aim { bound: 0.02, alpha: 0.05, power: 0.8 });
    let traffic = Traffic { per_day: 100_000.0, labelled: 1.0, label_horizon_ms: 0 };
    let steps = [0.05, 0.5, 0.8].map(|share| Step { share, max_ms: 30 * DAY });
    let planned = plan(&judged, &aim, &traffic, &steps).unwrap();
    let baselines: Vec<f64> = planned.iter().map(|step| step.baseline).collect();
    assert!(baselines[0] == 0.05 && baselines[1] == 0.5 && (baselines[2] - 0.2).abs() < 1e-12);
    // Casagrande-like figure of two equal arms: some 3,800 units each.
    assert!(planned[0].required.abs_diff(3840) < 60 && planned[0].required == planned[1].required);
    assert!(planned[0].window_ms > 9 * planned[1].window_ms);
    assert!(matches!(
        plan(&judged, &aim, &traffic, &[Step { share: 1.0, max_ms: DAY }]),
        Err(Error::Never { .. })
    ));
}

#[test]
fn errors_missing_inputs_and_latency_are_shares_of_requests() {
    let share = |bad| Share { bad, all: 4000 };
    let criterion =
        Criterion { metric: "errors".into(), margin: 0.005, required: 600, ..criterion(Better::Lower) };
    let standing = |canary| criterion.standing(requests::compare(share(0), share(canary), 0.01).as_ref());
    // Nothing wrong in either arm is good, not unknown; 2 percent more are worse.
    assert_eq!(
        [standing(0), standing(20), standing(80)],
        [Standing::Good, Standing::Undecided, Standing::Worse]
    );
    assert!(requests::compare(Share::default(), share(1), 0.05).is_none());

    let mut random = Random::of(3);
    let mut latencies = |factor: f64| {
        let (mut whole, mut part) = (Latencies::default(), Latencies::default());
        for at in 0..6000 {
            let latency = 2.0 * factor * (0.5 * random.normal()).exp();
            if at % 2 == 0 { &mut whole } else { &mut part }.add(latency, 1);
        }
        let mut other = part.clone();
        other.merge(&whole);
        whole.merge(&part);
        assert_eq!((whole.requests(), &whole), (6000, &other));
        whole
    };
    let (baseline, same, slow) = (latencies(1.0), latencies(1.0), latencies(3.0));
    let p99 = Criterion { metric: "latency".into(), margin: 0.02, ..criterion };
    let standing = |canary| p99.standing(requests::compare_latencies(&baseline, canary, 0.01).as_ref());
    assert_eq!((standing(&same), standing(&slow)), (Standing::Good, Standing::Worse));
    assert!(requests::compare_latencies(&Latencies::default(), &same, 0.01).is_none());
    let mut odd = Latencies::default();
    [f64::NAN, f64::INFINITY, -1.0, 0.0].into_iter().for_each(|latency| odd.add(latency, 1));
    assert_eq!(odd.requests(), 4);
}

/// Requests that share runs, 100 in each on average, and take what their run takes.
#[test]
fn equal_versions_that_answer_many_requests_a_run_are_spared_and_slow_ones_seen() {
    let mut random = Random::of(4);
    let mut of_runs = |factor: f64| {
        let mut all = Latencies::default();
        for _ in 0..100 {
            let requests = 50 + random.below(100) as u64;
            all.add_of_runs(factor * (0.5 * random.normal()).exp(), requests);
            all.share(requests * requests);
        }
        assert!((85.0..100.0).contains(&all.effective()), "{} of 100 runs", all.effective());
        all
    };
    let metric = "latency".to_owned();
    let criterion = Criterion { metric, better: Better::Lower, margin: 0.02, required: 50 };
    let mut worse = [0, 0];
    for _ in 0..200 {
        let baseline = of_runs(1.0);
        for (at, factor) in [1.0, 3.0].into_iter().enumerate() {
            let found = requests::compare_latencies(&baseline, &of_runs(factor), 0.01);
            worse[at] += usize::from(criterion.standing(found.as_ref()) == Standing::Worse);
        }
    }
    assert!(worse[0] <= 10 && worse[1] >= 180, "{worse:?} of 200 rolled back");
}

/// Rows of the size that the plan asks for: what each kind of canary comes to.
#[test]
fn planned_windows_see_the_bound_and_spare_equal_versions() {
    let aim = Aim { bound: 0.05, alpha: 0.05, power: 0.9 };
    let judged = Judged::PairedAuc { auc: 0.8, correlation: 0.5, positive_rate: 0.2 };
    let traffic = Traffic { per_day: 1000.0, labelled: 1.0, label_horizon_ms: 0 };
    let planned = plan(&judged, &aim, &traffic, &[Step { share: 0.1, max_ms: 100 * DAY }]).unwrap()[0];
    let rows = planned.required as usize * 5;
    let criterion =
        Criterion { margin: 0.01, required: planned.required * 8 / 10, ..criterion(Better::Higher) };
    let mut rolled_back = [0, 0];
    for seed in 0..200 {
        // Half of each version's noise is shared; positives lie 1.19 deviations above: an area of 0.8. At 0.95 it is 0.75.
        for (kind, shift) in [(0, 0.0), (1, 0.24)] {
            let mut random = Random::of(seed * 2 + kind as u64);
            let mut seen = Vec::new();
            let windows: Vec<bool> = (0..2)
                .map(|_| {
                    seen.extend((0..rows).map(|_| {
                        let positive = random.chance(0.2);
                        let [shared, one, two] = [(); 3].map(|()| random.normal() * 0.5_f64.sqrt());
                        let at = |level: f64| if positive { level } else { 0.0 };
                        Scored {
                            positive,
                            control: at(1.19) + shared + one,
                            treatment: at(1.19 - shift) + shared + two,
                        }
                    }));
                    // Two looks, one criterion.
                    let found = auc(&seen, 0.0, 0.05 / 2.0).unwrap();
                    let evidence = Evidence::of(&found.tested, found.positives);
                    decide(std::slice::from_ref(&criterion), &[Some(evidence)], false).action
                        == Action::RollBack
                })
                .collect();
            rolled_back[kind] += u64::from(windows.contains(&true));
        }
    }
    assert!(rolled_back[0] <= 10, "{rolled_back:?}: equal versions");
    assert!(rolled_back[1] >= 170, "{rolled_back:?}: worse versions");
}

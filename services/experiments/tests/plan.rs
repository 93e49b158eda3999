//! Sizes of experiments before their start.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use millrace_experiments::analysis::Metric;
use millrace_experiments::analysis::plan::{Ask, Error, plan};
use millrace_experiments::analysis::power::{power, required_units};
use millrace_experiments::canary::declared::{Sized, size};
use millrace_experiments::files::{Row, describe};
use millrace_topics::{CanaryCriterion, CanaryDefinition, CanaryUsual, ExperimentDefinition, ExperimentKind};

fn ask() -> Ask {
    Ask {
        effect: 0.1,
        variances: (1.0, 1.0),
        shares: vec![0.5, 0.5],
        alpha: 0.05,
        power: 0.8,
        units_per_day: 100.0,
        tail_days: 7.0,
    }
}

#[test]
fn two_halves_need_what_the_formula_says() {
    let found = plan(&ask()).unwrap();
    assert_eq!(found.units, [1570, 1570]);
    assert!((found.exposure_days - 31.4).abs() < 1e-9 && (found.days - 38.4).abs() < 1e-9);
    assert!(found.power >= 0.8 && found.power < 0.801);
    // What the planned length sees is the effect that was asked for: shorter ones see less, longer ones more.
    let effects: Vec<f64> = found.detectable.iter().map(|one| one.effect).collect();
    assert!(effects.windows(2).all(|pair| pair[1] < pair[0]) && effects[2] > 0.1 && effects[3] < 0.1);
}

#[test]
fn more_arms_are_compared_at_a_stricter_level_and_the_smallest_one_decides() {
    let found = plan(&Ask { shares: vec![0.4, 0.2, 0.1], ..ask() }).unwrap();
    assert_eq!(found.alpha_per_arm, 0.025);
    let (control, smallest) = required_units(0.1, (1.0, 1.0), 0.25, 0.025, 0.8).unwrap();
    assert_eq!(found.units[0], control);
    assert!(found.units[2].abs_diff(smallest) <= 1 && found.units[1].abs_diff(control / 2) <= 1);
    let error = (1.0 / found.units[0] as f64 + 1.0 / found.units[2] as f64).sqrt();
    assert!(power(0.1, error, 0.025) >= 0.8);
}

#[test]
fn what_cannot_be_planned_is_said() {
    let refused = |ask: Ask| plan(&ask).unwrap_err();
    assert_eq!(refused(Ask { shares: vec![1.0], ..ask() }), Error::Arms(1));
    for (name, ask) in [
        ("effect", Ask { effect: 0.0, ..ask() }),
        ("power", Ask { power: 1.0, ..ask() }),
        ("sum of shares", Ask { shares: vec![0.7, 0.7], ..ask() }),
        ("variance", Ask { variances: (0.0, 1.0), ..ask() }),
        ("units per day", Ask { units_per_day: f64::NAN, ..ask() }),
    ] {
        assert!(refused(ask).to_string().starts_with(name));
    }
    assert_eq!(refused(Ask { effect: 1e-9, variances: (1e9, 1e9), ..ask() }), Error::Never(1e-9));
}

#[test]
fn a_plan_starts_from_rows_of_the_past_whatever_their_arms() {
    let row = |at: usize| Row {
        unit: (at / 2).to_string(),
        arm: String::new(),
        value: (at % 5) as f64,
        beside: Some(1.0),
    };
    let rows = || (0..1000).map(|at| Ok(row(at)));
    let ratio = describe(rows(), Metric::Ratio).unwrap().unwrap();
    let mean = describe(rows().map(|row| row.map(|row| Row { beside: None, ..row })), Metric::Mean)
        .unwrap()
        .unwrap();
    assert_eq!((ratio.mean, mean.mean, mean.units), (2.0, 4.0, 500));
    assert!(describe([Ok(row(0))], Metric::Mean).unwrap().is_err());
}

/// The fraud application's canary, as its file declares it.
fn draft() -> ExperimentDefinition {
    let topics = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../topics");
    let app = millrace_topics::load(&topics, "fraud").unwrap();
    app.definitions.into_iter().find(|one| one.name == "second-model").unwrap()
}

fn changed(change: impl Fn(&mut CanaryDefinition)) -> Sized {
    let mut draft = draft();
    change(draft.canary.as_mut().unwrap());
    size(&draft)
}

/// What is said of a criterion of the canary that is changed so.
fn blind(change: impl Fn(&mut CanaryDefinition), metric: &str, part: &str) {
    let sized = changed(change);
    let found = sized.blind.iter().find(|one| one.key == format!("canary.criteria.{metric}"));
    let found = found.unwrap_or_else(|| panic!("{metric} is not blind: {sized:?}"));
    assert!(found.message.contains(part), "{}", found.message);
}

fn criterion<'a>(canary: &'a mut CanaryDefinition, metric: &str) -> &'a mut CanaryCriterion {
    canary.criteria.iter_mut().find(|one| one.metric == metric).unwrap()
}

#[test]
fn the_steps_of_a_draft_see_their_margins_or_are_refused() {
    assert_eq!(changed(|_| {}), Sized::default(), "the draft that comes along can be started");
    let (margin, day) = (0.002, 86_400_000);
    blind(
        |canary| criterion(canary, "auc").margin = margin,
        "auc",
        "step 1 (share 0.05) cannot see a difference of 0.002",
    );
    blind(|canary| criterion(canary, "auc").required = 20, "auc", "its 4 looks end with 80, and ");
    blind(|canary| canary.step_max_ms = 8 * day, "auc", "with the label horizon");
    blind(
        |canary| criterion(canary, "missing").required = 20_000,
        "missing",
        "has the 20000 that a look requires after 41",
    );
    blind(|canary| canary.steps[0] = 0.001, "false-alarms", "units of the canary");
    blind(|canary| canary.power = 0.999, "errors", "step 1 (share 0.05) cannot see a difference of 0.005");
    blind(|canary| canary.steps.push(1.0), "latency", "leaves nobody to compare arms with");
}

#[test]
fn what_a_draft_does_not_say_is_named() {
    let untold = |change: &dyn Fn(&mut CanaryDefinition)| -> Vec<String> {
        let sized = changed(change);
        assert_eq!(sized.blind, []);
        sized.untold.into_iter().map(|one| format!("{}: {}", one.key, one.message)).collect()
    };
    assert_eq!(untold(&|canary| canary.traffic = None).len(), 5);
    let said = untold(&|canary| criterion(canary, "errors").usual = CanaryUsual::default());
    assert_eq!(
        said,
        ["canary.criteria.errors: whether steps can see 0.005 is not known without its key `usual`"]
    );
    let said = untold(&|canary| canary.traffic.as_mut().unwrap().units_per_day = None);
    assert!(said.len() == 1 && said[0].contains("`units_per_day` in [canary.traffic]"), "{said:?}");
    let shadow = ExperimentDefinition { kind: ExperimentKind::Shadow, ..draft() };
    assert_eq!(size(&shadow), Sized::default());
}

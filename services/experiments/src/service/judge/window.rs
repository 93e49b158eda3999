//! What follows at a window's end, by what the experiment does.

use std::collections::BTreeMap;

use millrace_schemas::envelope::{Decided, ExperimentResult, ExperimentState};
use millrace_topics::{ExperimentKind, MetricKind};

use super::arms::{Found, Looked, Shares};
use super::deploy::serving;
use super::experiment::{Experiment, InForce};
use super::release::{criterion, paired};
use super::scores::{ScoreMetric, requests};
use crate::analysis::thompson::{Conversions, Rules, weights};
use crate::canary::decision::Standing;
use crate::canary::{Action, Criterion, Evidence, State, decide};
use crate::random::Random;
use crate::service::counted::Counted;

/// Judges a window whose arms served.
pub fn judge(
    experiment: &mut Experiment,
    end_ms: i64,
    counted: &Counted,
    in_force: InForce<'_>,
) -> Vec<ExperimentResult> {
    let frame = experiment.frame(end_ms, in_force);
    let shares = Shares(experiment.shares());
    let definition = experiment.definition.clone();
    let mut looked = experiment.arms.look(&definition, &shares, counted, &frame);
    let age_ms = experiment.age_ms(end_ms);
    let mut events = Vec::new();
    match definition.kind {
        ExperimentKind::Ab => {
            events.append(&mut looked.comparisons);
            events.extend(ab(experiment, end_ms, age_ms, &looked, in_force));
        }
        ExperimentKind::Canary => events.extend(canary(experiment, end_ms, counted, &mut looked, in_force)),
        ExperimentKind::Shadow => events.extend(shadow(experiment, end_ms, age_ms, in_force)),
        ExperimentKind::Bandit => {
            events.append(&mut looked.comparisons);
            events.extend(bandit(experiment, end_ms, counted, &looked, in_force));
        }
        ExperimentKind::Interleave => events.extend(interleave(experiment, end_ms, age_ms, in_force)),
    }
    events
}

fn ab(
    experiment: &mut Experiment,
    end_ms: i64,
    age_ms: i64,
    looked: &Looked,
    in_force: InForce<'_>,
) -> Vec<ExperimentResult> {
    let definition = &experiment.definition;
    let over = age_ms >= definition.max_ms;
    let early = age_ms < definition.min_ms;
    let found = if let [first, ..] = looked.better.as_slice() {
        Some((Decided::Promote, first.arm.clone(), first))
    } else if looked.worse.len() + 1 == definition.arms.len() {
        looked.worse.first().map(|first| (Decided::Rollback, first.arm.clone(), first))
    } else {
        None
    };
    let mut said = match (&found, looked.stopped.is_empty()) {
        (_, false) => format!("nothing may be concluded: {}", looked.stopped.join("; ")),
        (Some((Decided::Promote, arm, found)), _) => format!("{arm} is better: {}", found.detail),
        (Some((_, arm, found)), _) => format!("{arm} is worse: {}", found.detail),
        (None, _) => "no arm is seen to differ".to_owned(),
    };
    if early {
        said.push_str("; it has not run as long as declared");
    }
    let mut events = Vec::new();
    let decides = definition.automatic && experiment.state == ExperimentState::Running;
    if decides && looked.stopped.is_empty() && !early && !experiment.waits() {
        let evidence = |found: &Found| found.evidence.clone();
        let control = definition.control().cloned();
        match found {
            Some((Decided::Promote, arm, found)) => {
                let arm = definition.arm(&arm).cloned();
                events.push(experiment.end(
                    Decided::Promote,
                    said.clone(),
                    evidence(found),
                    arm.as_ref(),
                    end_ms,
                    in_force,
                ));
            }
            Some((decided, _, found)) => {
                events.push(experiment.end(
                    decided,
                    said.clone(),
                    evidence(found),
                    control.as_ref(),
                    end_ms,
                    in_force,
                ));
            }
            None if over => {
                said = format!("nothing was shown within the declared time: the champion stays; {said}");
                events.push(experiment.end(
                    Decided::Keep,
                    said.clone(),
                    Vec::new(),
                    control.as_ref(),
                    end_ms,
                    in_force,
                ));
            }
            None => {}
        }
    } else if over && !experiment.definition.automatic {
        said.push_str("; the declared time is over: decide");
    }
    events.push(experiment.status(end_ms, said, values(looked), in_force));
    events
}

fn values(looked: &Looked) -> BTreeMap<String, Option<f64>> {
    BTreeMap::from([
        ("mature_units".to_owned(), Some(looked.mature as f64)),
        ("immature_units".to_owned(), Some(looked.immature as f64)),
        ("mixed_units".to_owned(), Some(looked.mixed as f64)),
        ("sample_ratio_p_value".to_owned(), Some(looked.ratio_p_value)),
        ("sample_ratio_running_p_value".to_owned(), Some(looked.ratio_always_valid)),
    ])
}

fn canary(
    experiment: &mut Experiment,
    end_ms: i64,
    counted: &Counted,
    looked: &mut Looked,
    in_force: InForce<'_>,
) -> Vec<ExperimentResult> {
    let definition = experiment.definition.clone();
    let frame = experiment.frame(end_ms, in_force);
    let Some(canary) = &mut experiment.canary else { return Vec::new() };
    let judged = canary.look(&definition, counted, looked.stopped.is_empty(), &frame);
    let (state, step) = (canary.release.state(), canary.release.step());
    let evidence: Vec<String> = judged.comparisons.iter().map(|event| event.id.clone()).collect();
    let details: Vec<&str> = judged.comparisons.iter().map(|event| event.detail.as_str()).collect();
    let standings: Vec<String> = judged
        .decision
        .iter()
        .flat_map(|decision| &decision.standings)
        .map(|(metric, standing)| format!("{metric} {}", word(*standing)))
        .collect();
    let mut said = format!("step {}: {}", frame.step + 1, standings.join(", "));
    // Metrics that are no criteria are told beside.
    let named: Vec<&String> = judged.comparisons.iter().filter_map(|event| event.metric.as_ref()).collect();
    let beside: Vec<ExperimentResult> = looked
        .comparisons
        .drain(..)
        .filter(|event| event.metric.as_ref().is_some_and(|m| !named.contains(&m)))
        .collect();
    let action = judged.decision.as_ref().map(|decision| decision.action);
    let detail = format!("{said}; {}", details.join("; "));
    let mut events = Vec::new();
    let control = definition.control().cloned();
    let arm = definition.arms.get(1).cloned();
    match (action, state) {
        (Some(Action::Promote), State::Promoted) => {
            events.push(experiment.end(Decided::Promote, detail, evidence, arm.as_ref(), end_ms, in_force));
        }
        (Some(Action::Promote), _) => {
            let before = experiment.deployment.as_ref().map(|(_, deployment)| deployment.clone());
            let next = serving(&definition, step, None, before.as_ref(), experiment.phase);
            events.push(experiment.ask(Decided::Advance, detail, evidence, next.ok(), end_ms, in_force));
        }
        (Some(Action::RollBack), _) => {
            events.push(experiment.end(
                Decided::Rollback,
                detail,
                evidence,
                control.as_ref(),
                end_ms,
                in_force,
            ));
        }
        (Some(Action::KeepChampion), _) => {
            events.push(experiment.end(Decided::Keep, detail, evidence, control.as_ref(), end_ms, in_force));
        }
        (Some(Action::Pause), State::WaitingForData) => said.push_str("; no rows came: it waits"),
        (Some(Action::Extend | Action::Pause) | None, _) => {}
    }
    let mut all = judged.comparisons;
    all.extend(beside);
    all.append(&mut events);
    all.push(experiment.status(end_ms, said, values(looked), in_force));
    all
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Good => "good",
        Standing::Worse => "worse",
        Standing::Undecided => "undecided",
        Standing::TooFew => "too few",
        Standing::NoEvidence => "no evidence",
    }
}

/// Two versions on the same rows, as a whole and by segment, and whether the gate is passed.
fn shadow(
    experiment: &mut Experiment,
    end_ms: i64,
    age_ms: i64,
    in_force: InForce<'_>,
) -> Vec<ExperimentResult> {
    let definition = experiment.definition.clone();
    let frame = experiment.frame(end_ms, in_force);
    let (Some(control), Some(arm)) = (definition.control(), definition.arms.get(1)) else {
        return Vec::new();
    };
    let criteria = definition.canary.as_ref().map_or(&[][..], |canary| &canary.criteria);
    let looks = definition.canary.as_ref().map_or(1, |canary| canary.looks) as usize;
    let alpha = definition.alpha / (looks * criteria.len().max(1)) as f64;
    let mut events = Vec::new();
    let mut found: BTreeMap<String, (Evidence, String)> = BTreeMap::new();
    let mut compare = |metric: ScoreMetric, segment: Option<(usize, &str, String)>| {
        let within = segment.as_ref().map(|(at, value, _)| (*at, *value));
        let Ok(measured) = experiment.scores.measure(metric, within, alpha) else { return };
        let name = segment.as_ref().map(|(.., name)| name.as_str());
        let event = paired(&frame, metric, &arm.name, &control.name, name, &measured);
        if name.is_none() {
            let evidence = Evidence::of(&measured.tested, measured.support);
            found.insert(metric.name().to_owned(), (evidence, event.id.clone()));
        }
        events.push(event);
    };
    for metric in ScoreMetric::ALL {
        compare(metric, None);
        for (at, column) in definition.segments.iter().enumerate() {
            for value in experiment.scores.values(at) {
                compare(metric, Some((at, &value, format!("{column}={value}"))));
            }
        }
    }
    for name in ["latency", "errors", "missing"] {
        let [before, after] = &experiment.requests;
        if let Some((_, evidence)) = requests(name, before, after, alpha) {
            found.insert(name.to_owned(), (evidence, String::new()));
        }
    }
    let changed = experiment.scores.changed();
    let said = changed.iter().map(|((from, to), rows)| format!("{rows} rows from {from} to {to}"));
    let said = said.collect::<Vec<_>>().join(", ");
    let mut detail = match changed.is_empty() {
        true => "no decision would have changed".to_owned(),
        false => format!("would have changed {said}"),
    };
    let gate: Vec<Criterion> = criteria.iter().map(|one| criterion(&definition, one)).collect();
    let evidence: Vec<Option<Evidence>> =
        gate.iter().map(|one| found.get(&one.metric).map(|(evidence, _)| *evidence)).collect();
    if !gate.is_empty() {
        let decision = decide(&gate, &evidence, age_ms >= definition.max_ms);
        let ids: Vec<String> = found.values().map(|(_, id)| id.clone()).filter(|id| !id.is_empty()).collect();
        let passed = decision.action == Action::Promote;
        let standings: Vec<String> =
            decision.standings.iter().map(|(name, standing)| format!("{name} {}", word(*standing))).collect();
        detail = format!(
            "gate {}: {}; {detail}",
            if passed { "passed" } else { "not passed" },
            standings.join(", ")
        );
        let running = experiment.state == ExperimentState::Running && !experiment.waits();
        let ends = match decision.action {
            Action::Promote => Some((Decided::Promote, arm)),
            Action::RollBack => Some((Decided::Rollback, control)),
            Action::KeepChampion => Some((Decided::Keep, control)),
            Action::Extend | Action::Pause => None,
        };
        if let Some((decided, arm)) = ends.filter(|_| definition.automatic && running) {
            events.push(experiment.end(decided, detail.clone(), ids, Some(arm), end_ms, in_force));
        }
    }
    let values = BTreeMap::from([("rows".to_owned(), Some(experiment.scores.seen() as f64))]);
    events.push(experiment.status(end_ms, detail, values, in_force));
    events
}

/// Draws new shares where it is time to.
fn bandit(
    experiment: &mut Experiment,
    end_ms: i64,
    counted: &Counted,
    looked: &Looked,
    in_force: InForce<'_>,
) -> Vec<ExperimentResult> {
    let definition = experiment.definition.clone();
    let Some(bandit) = definition.bandit else { return Vec::new() };
    let primary = definition.metrics.iter().zip(&counted.metrics);
    let primary = primary
        .filter(|(metric, _)| metric.kind == MetricKind::Conversion)
        .find(|(metric, _)| metric.role == millrace_topics::MetricRole::Primary);
    let Some((_, summary)) = primary else { return Vec::new() };
    let conversions: Vec<Conversions> = definition
        .arms
        .iter()
        .map(|arm| {
            let sums = summary.arms.get(&arm.name).map(|units| &units.mature);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let converted = sums.map_or(0.0, crate::analysis::Sums::sum_y) as u64;
            Conversions { converted, units: sums.map_or(0, crate::analysis::Sums::units) }
        })
        .collect();
    let each: Vec<String> = definition
        .arms
        .iter()
        .zip(&conversions)
        .map(|(arm, seen)| format!("{} {} of {}", arm.name, seen.converted, seen.units))
        .collect();
    let mut detail = each.join(", ");
    let mut events = Vec::new();
    let last = *experiment.drawn_ms.get_or_insert(end_ms);
    let due = end_ms.saturating_sub(last) >= bandit.every_ms && !experiment.waits();
    let rules = Rules { least_share: bandit.least_share, ..Rules::default() };
    let random = Random::keyed(&experiment.run, &end_ms.to_string());
    if due
        && experiment.state == ExperimentState::Running
        && let Some(drawn) = weights(&conversions, &rules, random)
    {
        experiment.drawn_ms = Some(end_ms);
        let shares: Vec<String> = definition
            .arms
            .iter()
            .zip(&drawn)
            .map(|(arm, weight)| format!("{} {:.2} %", arm.name, f64::from(*weight) / 100.0))
            .collect();
        detail = format!("{detail}; shares {}", shares.join(", "));
        let before = experiment.deployment.as_ref().map(|(_, deployment)| deployment.clone());
        let next = serving(&definition, 0, Some(&drawn), before.as_ref(), experiment.phase + 1);
        events.push(experiment.ask(
            Decided::Reweigh,
            detail.clone(),
            Vec::new(),
            next.ok(),
            end_ms,
            in_force,
        ));
    }
    events.push(experiment.status(end_ms, detail, values(looked), in_force));
    events
}

/// Whom users prefer: the first arm, or the second.
fn interleave(
    experiment: &mut Experiment,
    end_ms: i64,
    age_ms: i64,
    in_force: InForce<'_>,
) -> Vec<ExperimentResult> {
    let definition = experiment.definition.clone();
    let frame = experiment.frame(end_ms, in_force);
    let (Some(control), Some(arm)) = (definition.control(), definition.arms.get(1)) else {
        return Vec::new();
    };
    let found = experiment.preference.summary(definition.alpha);
    // The preference is told from the arm's side, as all differences are.
    let valid = found.always_valid;
    let (low, high) = (0.5 - valid.win_rate.1, 0.5 - valid.win_rate.0);
    let estimate = -found.advantage;
    let detail = format!(
        "users prefer {} over {}: {} wins, {} losses, {} ties; sign test p = {:.2e}, at any time p = {:.2e}",
        if estimate > 0.0 { &arm.name } else { &control.name },
        if estimate > 0.0 { &control.name } else { &arm.name },
        found.losses,
        found.wins,
        found.ties,
        found.p_value,
        valid.p_value
    );
    let users = found.wins + found.losses + found.ties;
    let mut event = ExperimentResult {
        method: Some("sign_sequence".to_owned()),
        estimate: Some(estimate),
        low: Some(low),
        high: Some(high),
        p_value: Some(valid.p_value),
        units: super::result::count(users),
        control_units: super::result::count(users),
        detail: detail.clone(),
        ..super::result::about(&frame, "preference", &arm.name, &control.name, None)
    };
    for (name, value) in [
        ("wins", found.losses as f64),
        ("losses", found.wins as f64),
        ("ties", found.ties as f64),
        ("sign_test_p_value", found.p_value),
    ] {
        event.values.insert(name.to_owned(), Some(value));
    }
    let evidence = vec![event.id.clone()];
    let mut events = vec![event];
    let decided = valid.wins + valid.losses >= definition.burn_in_units && valid.p_value <= definition.alpha;
    let winner = if valid.wins > valid.losses { control } else { arm };
    let ends = match (decided && age_ms >= definition.min_ms, age_ms >= definition.max_ms) {
        (true, _) if winner.name == arm.name => Some(Decided::Promote),
        (true, _) => Some(Decided::Rollback),
        (false, true) => Some(Decided::Keep),
        (false, false) => None,
    };
    let running = experiment.state == ExperimentState::Running && !experiment.waits();
    if let Some(decided) = ends.filter(|_| definition.automatic && running) {
        let serves = if decided == Decided::Promote { arm } else { control };
        events.push(experiment.end(decided, detail.clone(), evidence, Some(serves), end_ms, in_force));
    }
    events.push(experiment.status(end_ms, detail, BTreeMap::new(), in_force));
    events
}

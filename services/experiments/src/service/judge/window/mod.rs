//! What follows at a window's end, by what the experiment does.

mod ab;
mod bandit;
mod canary;
mod interleave;
mod shadow;

use std::collections::BTreeMap;

use millrace_schemas::envelope::{Decided, ExperimentResult, ExperimentState};
use millrace_topics::{ExperimentArm, ExperimentKind};

use super::arms::{Looked, Shares};
use super::experiment::{Experiment, InForce};
use crate::canary::Decision;
use crate::service::counted::Counted;

/// A window that every partition has passed.
struct Closed<'a> {
    end_ms: i64,
    /// How long the arms have served, in ms.
    age_ms: i64,
    counted: &'a Counted,
    in_force: InForce<'a>,
}

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
    let looked = experiment.arms.look(&definition, &shares, counted, &frame);
    let closed = Closed { end_ms, age_ms: experiment.age_ms(end_ms), counted, in_force };
    match definition.kind {
        ExperimentKind::Ab => ab::judge(experiment, &closed, looked),
        ExperimentKind::Canary => canary::judge(experiment, &closed, looked),
        ExperimentKind::Shadow => shadow::judge(experiment, &closed),
        ExperimentKind::Bandit => bandit::judge(experiment, &closed, looked),
        ExperimentKind::Interleave => interleave::judge(experiment, &closed),
    }
}

/// How an experiment ends by itself: what is decided, and the arm that serves everybody afterwards.
type End<'a> = (Decided, &'a ExperimentArm);

impl Closed<'_> {
    /// Ends it, if it may end without a person's word; the decision.
    fn end(
        &self,
        experiment: &mut Experiment,
        end: Option<End<'_>>,
        detail: &str,
        evidence: Vec<String>,
    ) -> Option<ExperimentResult> {
        let runs = experiment.state == ExperimentState::Running && !experiment.waits();
        let (decided, arm) = end.filter(|_| experiment.definition.automatic && runs)?;
        let detail = detail.to_owned();
        Some(experiment.end(decided, detail, evidence, Some(arm), self.end_ms, self.in_force))
    }
}

/// The figures of a status about arms.
fn values(looked: &Looked, counted: &Counted) -> BTreeMap<String, Option<f64>> {
    let units = [
        ("mature_units", looked.mature as f64),
        ("immature_units", looked.immature as f64),
        ("mixed_units", looked.mixed as f64),
    ];
    let ratio = looked.ratio.iter().flat_map(|ratio| {
        [
            ("sample_ratio_p_value", ratio.fixed_p_value),
            ("sample_ratio_running_p_value", ratio.running_p_value),
        ]
    });
    let named = units.into_iter().chain(ratio).map(|(name, value)| (name.to_owned(), Some(value)));
    named.chain(rows(counted)).collect()
}

/// The figures of a status about rows: how many arms served, and where outcomes are known of rows, of how many they came.
fn rows(counted: &Counted) -> BTreeMap<String, Option<f64>> {
    let mut rows = BTreeMap::from([("rows".to_owned(), Some(counted.rows as f64))]);
    if counted.closed > 0 {
        rows.insert("closed_rows".to_owned(), Some(counted.closed as f64));
        rows.insert("outcomes".to_owned(), Some(counted.outcomes as f64));
    }
    rows
}

/// What each criterion says, in words.
fn standings(decision: &Decision) -> String {
    let said = decision.standings.iter().map(|(metric, standing)| format!("{metric} {standing}"));
    said.collect::<Vec<_>>().join(", ")
}

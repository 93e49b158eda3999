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
use crate::canary::decision::Standing;
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

/// The figures of a status.
fn values(looked: &Looked) -> BTreeMap<String, Option<f64>> {
    BTreeMap::from([
        ("mature_units".to_owned(), Some(looked.mature as f64)),
        ("immature_units".to_owned(), Some(looked.immature as f64)),
        ("mixed_units".to_owned(), Some(looked.mixed as f64)),
        ("sample_ratio_p_value".to_owned(), Some(looked.ratio_p_value)),
        ("sample_ratio_running_p_value".to_owned(), Some(looked.ratio_always_valid)),
    ])
}

/// What each criterion says, in words.
fn standings(decision: &Decision) -> String {
    let said = decision.standings.iter().map(|(metric, standing)| {
        let word = match standing {
            Standing::Good => "good",
            Standing::Worse => "worse",
            Standing::Undecided => "undecided",
            Standing::TooFew => "too few",
            Standing::NoEvidence => "no evidence",
        };
        format!("{metric} {word}")
    });
    said.collect::<Vec<_>>().join(", ")
}

//! The deployments that experiments ask for.

use millrace_schemas::envelope::{Arm, ArmRole, Deployment, Draw};
use millrace_topics::{ExperimentArm, ExperimentDefinition, ExperimentKind};

use crate::assignment::allocation::Arm as Allocated;
use crate::assignment::hash::BUCKETS;
use crate::assignment::{Allocation, Buckets, Error};
use crate::service::observe::BASELINE;

/// Units that belong to no experiment; the scorer serves them by the champion.
const REST: &str = "";

/// The deployment with which an experiment begins, or goes on in a step of a canary or with a bandit's new weights.
///
/// A bandit's arms keep what they had in `before` as far as the new weights allow. A canary grows from it, taking units of no arm alone, so that nobody moves between it and its baseline. Where that
/// is impossible, since the baseline has to give way, the arms are laid anew in a new phase.
///
/// # Errors
/// Shares that cannot be laid.
pub fn serving(
    definition: &ExperimentDefinition,
    step: usize,
    weights: Option<&[u16]>,
    before: Option<&Deployment>,
    phase: i32,
) -> Result<Deployment, Error> {
    let mut deployment = blank(definition, phase);
    deployment.arms = match definition.kind {
        ExperimentKind::Ab => {
            let shares: Vec<(&str, f64)> =
                definition.arms.iter().map(|arm| (arm.name.as_str(), arm.share)).collect();
            laid(definition, &Allocation::lay(&shares, 1.0)?)
        }
        ExperimentKind::Bandit => laid(definition, &weighted(definition, weights, before)?),
        ExperimentKind::Canary => {
            let (arms, phase) = canary(definition, step, before, phase)?;
            deployment.phase = phase;
            arms
        }
        ExperimentKind::Shadow => shadows(definition),
        ExperimentKind::Interleave => {
            definition.arms.iter().map(|arm| wire(arm, &arm.name, ArmRole::Serving, Vec::new())).collect()
        }
    };
    Ok(deployment)
}

/// One version for everybody.
pub fn alone(definition: &ExperimentDefinition, arm: &ExperimentArm, phase: i32) -> Deployment {
    Deployment {
        experiment: definition.name.clone(),
        phase,
        ..Deployment::champion(&definition.topic, &arm.model, &arm.version, 0)
    }
}

fn blank(definition: &ExperimentDefinition, phase: i32) -> Deployment {
    let (model, version) = definition
        .control()
        .map(|control| (control.model.as_str(), control.version.as_str()))
        .unwrap_or_default();
    let mode = match definition.kind {
        ExperimentKind::Shadow => Deployment::CHAMPION,
        kind => kind.name(),
    };
    let mut deployment = Deployment {
        mode: mode.to_owned(),
        salt: definition.salt.clone(),
        experiment: definition.name.clone(),
        phase,
        method: definition.method.clone().unwrap_or_default(),
        ..Deployment::champion(&definition.topic, model, version, 0)
    };
    if definition.bandit.is_some_and(|bandit| bandit.per_event) {
        deployment.draw = Draw::Event;
    }
    if let Some(part) = &definition.namespace {
        deployment.namespace.clone_from(&part.name);
        (deployment.namespace_from, deployment.namespace_to) = (part.from.into(), part.to.into());
    }
    deployment
}

fn laid(definition: &ExperimentDefinition, allocation: &Allocation) -> Vec<Arm> {
    let arms = definition.arms.iter().zip(allocation.arms());
    arms.map(|(arm, laid)| wire(arm, &arm.name, ArmRole::Serving, laid.buckets.intervals().to_vec()))
        .collect()
}

/// A bandit's weights in buckets; the declared shares before the first draw. An arm keeps what it has of its share, and what
/// others give up goes to those that grow: no more units move than shares do.
fn weighted(
    definition: &ExperimentDefinition,
    weights: Option<&[u16]>,
    before: Option<&Deployment>,
) -> Result<Allocation, Error> {
    let Some(weights) = weights else {
        let shares: Vec<(&str, f64)> =
            definition.arms.iter().map(|arm| (arm.name.as_str(), arm.share)).collect();
        return Allocation::lay(&shares, 1.0);
    };
    let known =
        before.filter(|before| before.mode == Deployment::BANDIT && before.experiment == definition.name);
    let mut arms = Vec::new();
    for (arm, weight) in definition.arms.iter().zip(weights) {
        let had = known.and_then(|before| before.arms.iter().find(|had| had.arm == arm.name));
        let had = had.map_or(Ok(Buckets::none()), |had| Buckets::of(&had.buckets))?;
        arms.push(Allocated { name: arm.name.clone(), buckets: had.lowest(usize::from(*weight)) });
    }
    let kept = arms.iter().fold(Buckets::none(), |all, arm| all.plus(&arm.buckets));
    let mut free = kept.complement();
    for (arm, weight) in arms.iter_mut().zip(weights) {
        let more = free.lowest(usize::from(*weight).saturating_sub(arm.buckets.count()));
        free = free.minus(&more);
        arm.buckets = arm.buckets.plus(&more);
    }
    Allocation::of(arms)
}

/// The canary, a baseline of its size (above one half the rest), and both versions as shadows, so that they score the same
/// rows.
fn canary(
    definition: &ExperimentDefinition,
    step: usize,
    before: Option<&Deployment>,
    phase: i32,
) -> Result<(Vec<Arm>, i32), Error> {
    let share = definition.canary.as_ref().and_then(|canary| canary.steps.get(step)).copied().unwrap_or(0.0);
    let name = definition.arms.get(1).map_or("", |arm| arm.name.as_str());
    let all = usize::from(BUCKETS);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let size = ((share * f64::from(BUCKETS)).round() as usize).min(all);
    let sizes = [(name, size), (BASELINE, size.min(all - size))];
    let known =
        before.filter(|before| before.mode == Deployment::CANARY && before.experiment == definition.name);
    let grown = known.and_then(|before| present(before).and_then(|present| present.resize(&sizes)).ok());
    let (allocation, phase) = match (grown, known) {
        (Some(grown), _) => (grown, phase),
        (None, known) => {
            let empty = Allocation::of(vec![Allocated { name: REST.to_owned(), buckets: Buckets::none() }])?;
            (empty.resize(&sizes)?, phase + i32::from(known.is_some()))
        }
    };
    let mut arms = Vec::new();
    for laid in allocation.arms().iter().filter(|laid| laid.name != REST) {
        let arm = if laid.name == name { definition.arms.get(1) } else { definition.control() };
        let buckets = laid.buckets.intervals().to_vec();
        arms.extend(arm.map(|arm| wire(arm, &laid.name, ArmRole::Serving, buckets)));
    }
    arms.extend(definition.arms.iter().map(shadow));
    Ok((arms, phase))
}

/// How a deployment shares the units now.
fn present(deployment: &Deployment) -> Result<Allocation, Error> {
    let mut arms = vec![Allocated { name: REST.to_owned(), buckets: Buckets::none() }];
    for arm in deployment.arms.iter().filter(|arm| arm.role == ArmRole::Serving) {
        arms.push(Allocated { name: arm.arm.clone(), buckets: Buckets::of(&arm.buckets)? });
    }
    Allocation::of(arms)
}

fn shadows(definition: &ExperimentDefinition) -> Vec<Arm> {
    definition.arms.iter().skip(1).map(shadow).collect()
}

fn shadow(arm: &ExperimentArm) -> Arm {
    wire(arm, &format!("{}-shadow", arm.name), ArmRole::Shadow, Vec::new())
}

fn wire(arm: &ExperimentArm, name: &str, role: ArmRole, buckets: Vec<(u16, u16)>) -> Arm {
    Arm { arm: name.to_owned(), model: arm.model.clone(), version: arm.version.clone(), role, buckets }
}

//! Whether the steps of a draft can see their margins, by what the draft says of the traffic and of the champion.

use millrace_topics::{CanaryCriterion, CanaryDefinition, CanaryTraffic, ExperimentDefinition, MetricKind};

use super::plan::{Aim, Error, Judged, Planned, Traffic, plan};
use super::release::Step;

const DAY_MS: f64 = 86_400_000.0;
/// How two versions' AUCs are correlated, unless it is said: rather too little than too much.
const CORRELATION: f64 = 0.5;

/// What is wrong with a criterion, or what of it cannot be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Remark {
    /// The key of the file: `canary.criteria.auc`.
    pub key: String,
    /// In words.
    pub message: String,
}

/// What is known of a canary's steps before its start.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sized {
    /// Criteria whose margin the steps cannot see: the release would end with nothing shown.
    pub blind: Vec<Remark>,
    /// Criteria of which the draft says too little.
    pub untold: Vec<Remark>,
}

/// The level of one look at one criterion in one of so many steps: each may be wrong with its part of `alpha`, so that
/// together they are with `alpha` at most.
pub fn level(alpha: f64, canary: &CanaryDefinition, steps: usize) -> f64 {
    let looks = canary.looks as usize * canary.criteria.len().max(1) * steps;
    alpha / looks.max(1) as f64
}

/// Sizes each criterion of a canary by [`plan`]. Another kind of experiment has nothing to size.
pub fn size(definition: &ExperimentDefinition) -> Sized {
    let mut sized = Sized::default();
    let Some(canary) = &definition.canary else { return sized };
    if definition.kind != millrace_topics::ExperimentKind::Canary {
        return sized;
    }
    for criterion in &canary.criteria {
        let key = format!("canary.criteria.{}", criterion.metric);
        match known(definition, canary, criterion) {
            Ok((judged, traffic)) => {
                let blind = see(definition, canary, criterion, &judged, &traffic);
                sized.blind.extend(blind.map(|message| Remark { key, message }));
            }
            Err(missing) => sized.untold.push(Remark {
                message: format!("whether steps can see {} is not known without {missing}", criterion.margin),
                key,
            }),
        }
    }
    sized
}

/// What the plan asks for, or the keys that are missing.
fn known(
    definition: &ExperimentDefinition,
    canary: &CanaryDefinition,
    criterion: &CanaryCriterion,
) -> Result<(Judged, Traffic), String> {
    let usual = criterion.usual;
    let own = definition.metrics.iter().find(|metric| metric.name == criterion.metric);
    let value = usual.value.ok_or("its key `usual`");
    let deviation = usual.deviation.ok_or("its key `deviation`");
    let told = canary.traffic.as_ref();
    let rate = || told.and_then(|t| t.positive_rate).ok_or("`positive_rate` in [canary.traffic]");
    let judged = match (criterion.metric.as_str(), own.map(|metric| metric.kind)) {
        (_, Some(MetricKind::Conversion)) => Judged::Conversion { rate: value? },
        (_, Some(MetricKind::Mean | MetricKind::Ratio)) => Judged::Mean { deviation: deviation? },
        ("auc", None) => Judged::PairedAuc {
            auc: value?,
            correlation: usual.correlation.unwrap_or(CORRELATION),
            positive_rate: rate()?,
        },
        // By its definition one request in a hundred is slower than the p99.
        ("latency", None) => Judged::Conversion { rate: usual.value.unwrap_or(0.01) },
        ("errors" | "missing", None) => Judged::Conversion { rate: value? },
        _ => Judged::PairedMean { deviation: deviation? },
    };
    let told = told.ok_or("[canary.traffic]")?;
    let rows = || told.rows_per_day.ok_or("`rows_per_day` in [canary.traffic]");
    let units = || told.units_per_day.ok_or("`units_per_day` in [canary.traffic]");
    Ok((
        judged,
        traffic(definition, told, criterion, own.is_some(), if own.is_some() { units()? } else { rows()? }),
    ))
}

fn traffic(
    definition: &ExperimentDefinition,
    told: &CanaryTraffic,
    criterion: &CanaryCriterion,
    of_arms: bool,
    per_day: f64,
) -> Traffic {
    let horizon_ms = definition.label_horizon_ms;
    match criterion.metric.as_str() {
        _ if of_arms => Traffic {
            per_day,
            labelled: 1.0,
            label_horizon_ms: definition.window_ms.saturating_add(horizon_ms),
        },
        "latency" | "errors" | "missing" | "agreement" => {
            Traffic { per_day, labelled: 1.0, label_horizon_ms: 0 }
        }
        _ => Traffic { per_day, labelled: told.labelled, label_horizon_ms: horizon_ms },
    }
}

/// Why the steps cannot see the criterion's margin; none if they can.
fn see(
    definition: &ExperimentDefinition,
    canary: &CanaryDefinition,
    criterion: &CanaryCriterion,
    judged: &Judged,
    traffic: &Traffic,
) -> Option<String> {
    let aim = Aim {
        bound: criterion.margin,
        alpha: level(definition.alpha, canary, canary.steps.len()),
        power: canary.power,
    };
    let steps: Vec<Step> =
        canary.steps.iter().map(|share| Step { share: *share, max_ms: canary.step_max_ms }).collect();
    let planned = match plan(judged, &aim, traffic, &steps) {
        Ok(planned) => planned,
        // Nobody is left to compare a version with that serves all.
        Err(Error::Never { step, .. }) if canary.steps.get(step - 1).is_some_and(|share| *share >= 1.0) => {
            return Some(format!(
                "step {step} leaves nobody to compare arms with: let the last step be below 100 percent"
            ));
        }
        Err(error) => return Some(error.to_string()),
    };
    let all = criterion.required.saturating_mul(u64::from(canary.looks));
    let most = planned.iter().map(|step| step.required).max().unwrap_or(0);
    if most > all {
        return Some(format!(
            "its {} looks end with {all}, and {most} are needed to see {} with power {}: write required = {}",
            canary.looks,
            criterion.margin,
            canary.power,
            most.div_ceil(u64::from(canary.looks.max(1)))
        ));
    }
    planned.iter().zip(1..).find_map(|(step, number)| first_look(canary, criterion, traffic, step, number))
}

/// A step in which not even the first look has what it requires.
fn first_look(
    canary: &CanaryDefinition,
    criterion: &CanaryCriterion,
    traffic: &Traffic,
    step: &Planned,
    number: usize,
) -> Option<String> {
    let look_ms = step.window_ms as f64 * criterion.required as f64 / step.required.max(1) as f64;
    let whole_ms = look_ms + traffic.label_horizon_ms as f64;
    (whole_ms > canary.step_max_ms as f64).then(|| {
        format!(
            "step {number} (share {}) has the {} that a look requires after {:.1} days, and may take {:.1}; {} are enough",
            step.share,
            criterion.required,
            whole_ms / DAY_MS,
            canary.step_max_ms as f64 / DAY_MS,
            step.required
        )
    })
}

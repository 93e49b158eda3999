//! Arms compared by metrics of units: what every look says, and whether the arms have their shares of units.

use std::collections::BTreeMap;

use millrace_report::text::p_equals;
use millrace_schemas::envelope::ExperimentResult;
use millrace_statistics::two_sample::correction::holm;
use millrace_topics::{ExperimentDefinition, ExperimentMetric, MetricKind, MetricRole};

use super::result::{comparison, undefined};
use crate::analysis::always_valid::{ConfidenceSequence, Looks, Msprt};
use crate::analysis::estimate::adjusted;
use crate::analysis::fixed::{two_proportions, welch};
use crate::analysis::sample_ratio::{Sequential, fixed};
use crate::analysis::units::Summary;
use crate::analysis::{Effect, Estimate, Metric, Scale, Side, Sums, Tested, Undefined};
use crate::canary::decision::{Better, Standing};
use crate::canary::{Criterion, Evidence};
use crate::service::counted::Counted;

/// The looks so far.
#[derive(Debug, Clone, Default)]
pub struct Arms {
    looks: BTreeMap<(String, String), Looks>,
    ratio: Option<Sequential>,
    counted: Vec<u64>,
}

/// The arms that are compared, the control first, with the share of units that each should have.
#[derive(Debug, Clone)]
pub struct Shares(pub Vec<(String, f64)>);

/// What a look says.
#[derive(Debug, Clone, Default)]
pub struct Looked {
    /// One event per metric and arm.
    pub comparisons: Vec<ExperimentResult>,
    /// Why nothing may be concluded.
    pub stopped: Vec<String>,
    /// The arms that are better, the best first, with what they rest on.
    pub better: Vec<Found>,
    /// Arms that are worse, by the metric that is decided by or by a guardrail.
    pub worse: Vec<Found>,
    /// Units whose windows have closed, and those that may still change.
    pub mature: u64,
    /// Units that may still change.
    pub immature: u64,
    /// Units seen in two arms.
    pub mixed: u64,
    /// Whether the arms have their shares of units; none where none are expected.
    pub ratio: Option<Ratio>,
}

/// The p-values of a sample ratio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    /// As if looked at once.
    pub fixed_p_value: f64,
    /// Valid at any time.
    pub running_p_value: f64,
}

/// An arm of which something was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The arm.
    pub arm: String,
    /// How much better, in the metric's unit.
    pub gain: f64,
    /// In words.
    pub detail: String,
    /// The comparisons that it rests on.
    pub evidence: Vec<String>,
}

/// Two arms by one metric.
#[derive(Debug, Clone, Copy)]
pub struct Compared {
    /// May be looked at any time.
    pub always: Tested,
    /// As if looked at once.
    pub welch: Tested,
    /// Welch without the covariate.
    pub raw: Tested,
    /// The control's metric and the arm's.
    pub means: [f64; 2],
    /// The share of variance that the covariate took away.
    pub reduction: Option<f64>,
    /// Units of both arms.
    pub units: u64,
}

/// Compares two arms; intervals have level 1 - alpha.
///
/// # Errors
/// Arms that say nothing yet.
pub fn compare(
    metric: &ExperimentMetric,
    covariate: bool,
    control: &Sums,
    arm: &Sums,
    alpha: f64,
) -> Result<Compared, Undefined> {
    let kind = match metric.kind {
        MetricKind::Mean => Metric::Mean,
        MetricKind::Conversion => Metric::Conversion,
        MetricKind::Ratio => Metric::Ratio,
    };
    let plain = (Estimate::of(kind, control, Side::Control)?, Estimate::of(kind, arm, Side::Treatment)?);
    let effect = Effect::of(&plain.0, &plain.1, Scale::Absolute)?;
    let raw = match metric.kind {
        MetricKind::Conversion => two_proportions(control, arm, alpha)?,
        MetricKind::Mean | MetricKind::Ratio => welch(&effect, 0.0, alpha),
    };
    let (effect, fixed, reduction) = if covariate && metric.kind == MetricKind::Mean {
        let found = adjusted(kind, control, arm)?;
        let effect = Effect::of(&found.control, &found.treatment, Scale::Absolute)?;
        (effect, welch(&effect, 0.0, alpha), Some(found.variance_reduction))
    } else {
        (effect, raw, None)
    };
    let always = match metric.expected_effect {
        Some(expected_effect) if expected_effect > 0.0 => Msprt { expected_effect }.test(&effect, 0.0, alpha),
        _ => ConfidenceSequence::default().test(&effect, 0.0, alpha),
    };
    let means = [plain.0.mean, plain.1.mean];
    Ok(Compared { always, welch: fixed, raw, means, reduction, units: effect.units })
}

impl Arms {
    /// Looks at what was counted. `frame` is what every event of this window says.
    pub fn look(
        &mut self,
        definition: &ExperimentDefinition,
        shares: &Shares,
        counted: &Counted,
        frame: &ExperimentResult,
    ) -> Looked {
        let mut looked = Looked::default();
        self.sample_ratio(definition, shares, counted, &mut looked);
        let mut standings = Standings::new();
        let look = Look { definition, shares, frame };
        for (metric, summary) in definition.metrics.iter().zip(&counted.metrics) {
            for (event, standing) in self.metric(&look, metric, summary) {
                if let (Some(standing), Some(arm)) = (standing, &event.arm) {
                    let found = Found {
                        arm: arm.clone(),
                        gain: event.estimate.unwrap_or(0.0) * sign(metric),
                        detail: event.detail.clone(),
                        evidence: vec![event.id.clone()],
                    };
                    standings.entry(arm.clone()).or_default().push((metric.role, standing, found));
                }
                looked.comparisons.push(event);
            }
        }
        standings.into_values().for_each(|found| conclude(found, &mut looked));
        looked.better.sort_by(|a, b| b.gain.total_cmp(&a.gain));
        looked
    }

    /// Per arm its comparison by one metric, and where it stands; none where nothing is defined.
    fn metric(
        &mut self,
        look: &Look<'_>,
        metric: &ExperimentMetric,
        summary: &Summary,
    ) -> Vec<(ExperimentResult, Option<Standing>)> {
        let Look { definition, shares, frame } = look;
        let Some(((control, _), others)) = shares.0.split_first() else { return Vec::new() };
        let none = Sums::default();
        let sums = |arm: &str| summary.arms.get(arm).map_or(&none, |units| &units.mature);
        // Intervals of several arms hold together; the p-values are corrected by Holm.
        let alpha = definition.alpha / others.len().max(1) as f64;
        let mut found = Vec::new();
        for (arm, _) in others {
            let compared = compare(metric, definition.covariate_ms > 0, sums(control), sums(arm), alpha);
            let looks = self
                .looks
                .entry((metric.name.clone(), arm.clone()))
                .or_insert_with(|| Looks::new(definition.burn_in_units));
            if let Ok(compared) = &compared {
                looks.look(compared.units, &compared.always);
            }
            found.push((arm, compared, *looks));
        }
        let corrected = holm(&found.iter().map(|(.., looks)| looks.p_value).collect::<Vec<_>>());
        let event =
            |((arm, compared, looks), p_value): ((&String, Result<Compared, Undefined>, Looks), f64)| {
                let units = [sums(control).units(), sums(arm).units()];
                match compared {
                    Ok(compared) => {
                        let standing = standing(definition.alpha, metric, &compared, &looks, p_value);
                        let event =
                            comparison(frame, metric, arm, control, units, &compared, &looks, p_value);
                        (told(event, metric, standing), Some(standing))
                    }
                    Err(why) => (undefined(frame, &metric.name, arm, control, units, &why), None),
                }
            };
        found.into_iter().zip(corrected).map(event).collect()
    }

    fn sample_ratio(
        &mut self,
        definition: &ExperimentDefinition,
        shares: &Shares,
        counted: &Counted,
        looked: &mut Looked,
    ) {
        let Some(summary) = counted.metrics.first() else { return };
        let units = |arm: &str| {
            summary.arms.get(arm).map_or(0, |units| units.mature.units() + units.immature.units())
        };
        let all: Vec<u64> = shares.0.iter().map(|(arm, _)| units(arm)).collect();
        let expected: Vec<f64> = shares.0.iter().map(|(_, share)| *share).collect();
        for arm in summary.arms.values() {
            looked.mature += arm.mature.units();
            looked.immature += arm.immature.units();
        }
        looked.mixed = summary.mixed;
        if expected.iter().all(|share| *share > 0.0) {
            let ratio =
                self.ratio.get_or_insert_with(|| Sequential::new(&expected, Sequential::CONCENTRATION));
            self.counted.resize(all.len(), 0);
            let more: Vec<u64> =
                all.iter().zip(&self.counted).map(|(now, before)| now.saturating_sub(*before)).collect();
            let running_p_value = ratio.look(&more);
            let ratio = Ratio { fixed_p_value: fixed(&all, &expected), running_p_value };
            self.counted = all;
            if ratio.fixed_p_value.min(running_p_value) < definition.sample_ratio_alpha {
                looked.stopped.push(format!(
                    "the arms do not have their shares of units ({}, at any time {})",
                    p_equals(ratio.fixed_p_value),
                    p_equals(running_p_value)
                ));
            }
            looked.ratio = Some(ratio);
        }
        if summary.too_mixed(definition.max_mixed_share) {
            looked.stopped.push(format!("{} of {} units are in two arms", summary.mixed, summary.exposed));
        }
    }
}

/// What every comparison of a look has in common.
struct Look<'a> {
    definition: &'a ExperimentDefinition,
    shares: &'a Shares,
    frame: &'a ExperimentResult,
}

/// Per arm where it stands by each metric.
type Standings = BTreeMap<String, Vec<(MetricRole, Standing, Found)>>;

/// With what the metric is for, and where the arm stands by it.
fn told(event: ExperimentResult, metric: &ExperimentMetric, standing: Standing) -> ExperimentResult {
    let (role, bound) = match metric.role {
        MetricRole::Primary => ("primary", None),
        MetricRole::Secondary => ("secondary", None),
        MetricRole::Guardrail => ("guardrail", Some(metric.bound)),
    };
    let mut values = event.values;
    values.extend(bound.map(|bound| ("bound".to_owned(), Some(bound))));
    let standing = (metric.role != MetricRole::Secondary).then(|| standing.to_string());
    ExperimentResult { role: Some(role.to_owned()), standing, values, ..event }
}

fn sign(metric: &ExperimentMetric) -> f64 {
    if metric.higher_is_better { 1.0 } else { -1.0 }
}

/// Where an arm stands: by the metric that is decided by, better or worse than the control at the corrected level; by a
/// guardrail, worse than its bound or not. Before the burn-in nothing is said.
fn standing(
    alpha: f64,
    metric: &ExperimentMetric,
    compared: &Compared,
    looks: &Looks,
    p_value: f64,
) -> Standing {
    match metric.role {
        _ if looks.looks == 0 => Standing::Undecided,
        MetricRole::Primary if p_value <= alpha && sign(metric) * compared.always.difference > 0.0 => {
            Standing::Good
        }
        MetricRole::Primary if p_value <= alpha => Standing::Worse,
        MetricRole::Guardrail => {
            let better = if metric.higher_is_better { Better::Higher } else { Better::Lower };
            let criterion =
                Criterion { metric: metric.name.clone(), better, margin: metric.bound, required: 0 };
            let evidence = Evidence { low: looks.low, high: looks.high, support: compared.units };
            criterion.standing(Some(&evidence))
        }
        MetricRole::Primary | MetricRole::Secondary => Standing::Undecided,
    }
}

/// An arm is better by the metric that is decided by, if no guardrail says that it is worse; it is worse by either.
fn conclude(standings: Vec<(MetricRole, Standing, Found)>, looked: &mut Looked) {
    let worse = standings.iter().find(|(_, standing, _)| *standing == Standing::Worse);
    if let Some((.., found)) = worse {
        looked.worse.push(found.clone());
        return;
    }
    let better = standings
        .iter()
        .find(|(role, standing, _)| *role == MetricRole::Primary && *standing == Standing::Good);
    if let Some((.., found)) = better {
        let guardrails = standings.iter().filter(|(role, ..)| *role == MetricRole::Guardrail);
        let evidence = found.evidence.iter().cloned();
        let evidence = evidence.chain(guardrails.flat_map(|(.., guard)| guard.evidence.clone())).collect();
        looked.better.push(Found { evidence, ..found.clone() });
    }
}

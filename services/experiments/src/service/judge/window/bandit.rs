//! Arms whose shares follow what they earn: drawn anew every so often.

use millrace_schemas::envelope::{Decided, ExperimentResult, ExperimentState};
use millrace_topics::{ExperimentDefinition, MetricKind, MetricRole};

use super::{Closed, values};
use crate::analysis::Sums;
use crate::analysis::thompson::{Conversions, Rules, weights};
use crate::random::Random;
use crate::service::counted::Counted;
use crate::service::judge::arms::Looked;
use crate::service::judge::deploy::serving;
use crate::service::judge::experiment::Experiment;

pub(super) fn judge(
    experiment: &mut Experiment,
    closed: &Closed<'_>,
    looked: Looked,
) -> Vec<ExperimentResult> {
    let definition = experiment.definition.clone();
    let conversions = conversions(&definition, closed.counted);
    let each = definition.arms.iter().zip(&conversions);
    let each: Vec<String> =
        each.map(|(arm, seen)| format!("{} {} of {}", arm.name, seen.converted, seen.units)).collect();
    let mut detail = each.join(", ");
    let figures = values(&looked, closed.counted);
    let mut events = looked.comparisons;
    if let Some((drawn, shares)) = draw(experiment, closed, &conversions) {
        detail = format!("{detail}; shares {shares}");
        let before = experiment.deployment.as_ref().map(|(_, deployment)| deployment.clone());
        let next = serving(&definition, 0, Some(&drawn), before.as_ref(), experiment.phase + 1).ok();
        let (end_ms, in_force) = (closed.end_ms, closed.in_force);
        events.push(experiment.ask(Decided::Reweigh, detail.clone(), Vec::new(), next, end_ms, in_force));
    }
    events.push(experiment.status(closed.end_ms, detail, figures, closed.in_force));
    events
}

/// Per arm what its mature units showed, by the conversion that is decided by; nothing without such a metric.
fn conversions(definition: &ExperimentDefinition, counted: &Counted) -> Vec<Conversions> {
    let decides = |metric: &millrace_topics::ExperimentMetric| {
        metric.kind == MetricKind::Conversion && metric.role == MetricRole::Primary
    };
    let found = definition.metrics.iter().zip(&counted.metrics).find(|(metric, _)| decides(metric));
    let Some((_, summary)) = found else { return Vec::new() };
    let of = |arm: &millrace_topics::ExperimentArm| {
        let sums = summary.arms.get(&arm.name).map(|units| &units.mature);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let converted = sums.map_or(0.0, Sums::sum_y) as u64;
        Conversions { converted, units: sums.map_or(0, Sums::units) }
    };
    definition.arms.iter().map(of).collect()
}

/// New shares in buckets and in words, where it is time to draw.
fn draw(
    experiment: &mut Experiment,
    closed: &Closed<'_>,
    conversions: &[Conversions],
) -> Option<(Vec<u16>, String)> {
    let bandit = experiment.definition.bandit?;
    let last = *experiment.drawn_ms.get_or_insert(closed.end_ms);
    let due = closed.end_ms.saturating_sub(last) >= bandit.every_ms;
    let runs = experiment.state == ExperimentState::Running && !experiment.waits();
    if !due || !runs {
        return None;
    }
    let rules = Rules { least_share: bandit.least_share, ..Rules::default() };
    let drawn = weights(conversions, &rules, Random::keyed(&experiment.run, &closed.end_ms.to_string()))?;
    experiment.drawn_ms = Some(closed.end_ms);
    let shares = experiment.definition.arms.iter().zip(&drawn);
    let shares: Vec<String> =
        shares.map(|(arm, weight)| format!("{} {:.2} %", arm.name, f64::from(*weight) / 100.0)).collect();
    Some((drawn, shares.join(", ")))
}

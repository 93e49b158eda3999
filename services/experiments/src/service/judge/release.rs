//! A canary release, step by step: what each criterion says at its looks, and what follows.

use millrace_report::text::signed;
use millrace_schemas::envelope::{ExperimentResult, ScorerStats};
use millrace_topics::{CanaryCriterion, ExperimentDefinition};

use super::arms::compare;
use super::looks::Looks;
use super::result::{about, count};
use super::scores::{Measured, Requests, ScoreMetric, Scores, requests};
use crate::analysis::{Sums, Undefined};
use crate::canary::decision::Better;
use crate::canary::declared::level;
use crate::canary::{Criterion, Decision, Evidence, Release, Step};
use crate::service::counted::{Counted, Pair};
use crate::service::observe::BASELINE;

/// The release of one version.
#[derive(Debug, Clone)]
pub struct Canary {
    /// Steps, time, pauses.
    pub release: Release,
    /// At criteria, in this step.
    looks: Looks,
    scores: Scores,
    requests: [Requests; 2],
    /// The deployment with which the step began.
    since: i64,
    rows: u64,
    /// Whether a window was looked at: time counts from the first one on.
    looked: bool,
}

/// What a window said.
#[derive(Debug, Clone)]
pub struct Judged {
    /// One event per criterion.
    pub comparisons: Vec<ExperimentResult>,
    /// What is to be done.
    pub decision: Option<Decision>,
}

impl Canary {
    /// With the first step, deployed at `since`. None without steps or criteria.
    pub fn start(definition: &ExperimentDefinition, since: i64) -> Option<Self> {
        let release = release(definition, 0)?;
        let looks = Looks::of(definition.canary.as_ref()?.criteria.len());
        let (scores, requests) = (Scores::default(), Default::default());
        Some(Self { release, looks, scores, requests, since, rows: 0, looked: false })
    }

    /// A new step was deployed: it is judged by what comes under it.
    pub fn step_deployed(&mut self, since: i64) {
        self.looks = Looks::of(self.looks.evidence().len());
        (self.scores, self.requests, self.since) = (Scores::default(), Default::default(), since);
        self.rows = 0;
    }

    /// Rows that both versions scored.
    pub fn scored(&mut self, pairs: Vec<Pair>) {
        self.scores.add(pairs, self.since);
    }

    /// How a version did.
    pub fn stats(&mut self, side: usize, stats: &ScorerStats) {
        if stats.deployment >= self.since {
            self.requests[side].add(stats);
        }
    }

    /// Looks at what is known at a window's end.
    ///
    /// `trusted` is whether arms have their shares of units; what compares arms says nothing else.
    pub fn look(
        &mut self,
        definition: &ExperimentDefinition,
        counted: &Counted,
        trusted: bool,
        frame: &ExperimentResult,
    ) -> Judged {
        let Some(canary) = &definition.canary else {
            return Judged { comparisons: Vec::new(), decision: None };
        };
        if !std::mem::replace(&mut self.looked, true)
            && let Some(release) = release(definition, frame.window_end_ms)
        {
            self.release = release;
        }
        let alpha = level(definition.alpha, canary, canary.steps.len());
        let mut comparisons = Vec::new();
        for (at, one) in canary.criteria.iter().enumerate() {
            let (event, evidence) = self.criterion(definition, &one.metric, counted, frame, alpha);
            comparisons.extend(event);
            let of_arms = definition.metrics.iter().any(|metric| metric.name == one.metric);
            if of_arms && !trusted {
                self.looks.distrust(at);
            } else {
                self.looks.offer(at, evidence, one.required, canary.looks);
            }
        }
        let rows = counted.rows + self.scores.seen();
        let new = rows.saturating_sub(self.rows);
        self.rows = rows;
        // As long as no criterion has its rows there is nothing to decide on, but time goes on.
        let decision = self.release.look(frame.window_end_ms, new, &self.looks.evidence());
        if let Some(decision) = &decision {
            stand(&mut comparisons, decision, &canary.criteria);
        }
        Judged { comparisons, decision }
    }

    fn criterion(
        &self,
        definition: &ExperimentDefinition,
        name: &str,
        counted: &Counted,
        frame: &ExperimentResult,
        alpha: f64,
    ) -> (Option<ExperimentResult>, Option<Evidence>) {
        let arm = definition.arms.get(1).map_or("", |arm| arm.name.as_str());
        let control = definition.control().map_or("", |arm| arm.name.as_str());
        if let Some(metric) = ScoreMetric::of(name) {
            return match self.scores.measure(metric, None, alpha) {
                Ok(found) => {
                    let event = paired(frame, metric, arm, control, None, &found);
                    (Some(event), Some(Evidence::of(&found.tested, found.support)))
                }
                Err(why) => {
                    let event = about(frame, name, arm, control, None);
                    let event = ExperimentResult { detail: format!("{name}: {why}"), ..event };
                    // Versions that give every row the same are as good as each other, for certain.
                    let support = self.scores.support(metric);
                    let same =
                        (why == Undefined::NoDifference).then_some(Evidence { low: 0.0, high: 0.0, support });
                    (Some(event), same)
                }
            };
        }
        let [baseline, canary] = &self.requests;
        if let Some((difference, evidence)) = requests(name, baseline, canary, alpha) {
            return (Some(of_requests(frame, name, arm, control, difference, &evidence)), Some(evidence));
        }
        let Some((metric, summary)) =
            definition.metrics.iter().zip(&counted.metrics).find(|(metric, _)| metric.name == name)
        else {
            return (None, None);
        };
        let none = Sums::default();
        let sums = |arm: &str| summary.arms.get(arm).map_or(&none, |units| &units.mature);
        let units = [sums(BASELINE).units(), sums(arm).units()];
        match compare(metric, definition.covariate_ms > 0, sums(BASELINE), sums(arm), alpha) {
            Ok(found) => {
                let event = ExperimentResult {
                    method: Some("welch".to_owned()),
                    estimate: Some(found.welch.difference),
                    low: Some(found.welch.low),
                    high: Some(found.welch.high),
                    p_value: Some(found.welch.p_value),
                    units: count(units[1]),
                    control_units: count(units[0]),
                    detail: said(
                        name,
                        arm,
                        BASELINE,
                        found.welch.difference,
                        found.welch.low,
                        found.welch.high,
                        units[1],
                    ),
                    ..about(frame, name, arm, BASELINE, None)
                };
                (Some(event), Some(Evidence::of(&found.welch, units[0].min(units[1]))))
            }
            Err(why) => (Some(super::result::undefined(frame, name, arm, BASELINE, units, &why)), None),
        }
    }
}

fn release(definition: &ExperimentDefinition, now_ms: i64) -> Option<Release> {
    let canary = definition.canary.as_ref()?;
    let steps = canary.steps.iter().map(|share| Step { share: *share, max_ms: canary.step_max_ms });
    let criteria = canary.criteria.iter().map(|one| criterion(definition, one));
    Release::start(steps.collect(), criteria.collect(), now_ms)
}

pub fn criterion(definition: &ExperimentDefinition, one: &CanaryCriterion) -> Criterion {
    let own = definition.metrics.iter().find(|metric| metric.name == one.metric);
    let higher = match (ScoreMetric::of(&one.metric), own) {
        (Some(metric), _) => metric.higher_is_better(),
        (None, Some(metric)) => metric.higher_is_better,
        (None, None) => false,
    };
    Criterion {
        metric: one.metric.clone(),
        better: if higher { Better::Higher } else { Better::Lower },
        margin: one.margin,
        required: one.required,
    }
}

/// Puts into comparisons of all rows that are criteria what a decision says of them.
pub fn stand(comparisons: &mut [ExperimentResult], decision: &Decision, criteria: &[CanaryCriterion]) {
    for event in comparisons.iter_mut().filter(|event| event.segment.is_none()) {
        let of = |name: &String| event.metric.as_ref() == Some(name);
        let Some((_, standing)) = decision.standings.iter().find(|(name, _)| of(name)) else { continue };
        let Some(criterion) = criteria.iter().find(|one| of(&one.metric)) else { continue };
        event.role = Some("criterion".to_owned());
        event.standing = Some(standing.to_string());
        event.values.insert("bound".to_owned(), Some(criterion.margin));
    }
}

/// A comparison on rows that both versions scored.
pub fn paired(
    frame: &ExperimentResult,
    metric: ScoreMetric,
    arm: &str,
    control: &str,
    segment: Option<&str>,
    found: &Measured,
) -> ExperimentResult {
    let Measured { tested, each, support } = found;
    let mut event = ExperimentResult {
        method: Some(if metric == ScoreMetric::Auc { "delong" } else { "paired" }.to_owned()),
        estimate: Some(tested.difference),
        low: Some(tested.low),
        high: Some(tested.high),
        p_value: Some(tested.p_value),
        units: count(*support),
        control_units: count(*support),
        detail: said(metric.name(), arm, control, tested.difference, tested.low, tested.high, *support),
        ..about(frame, metric.name(), arm, control, segment)
    };
    event.values.insert("standard_error".to_owned(), Some(tested.standard_error));
    if let Some([before, after]) = each {
        event.values.insert("control_mean".to_owned(), Some(*before));
        event.values.insert("arm_mean".to_owned(), Some(*after));
    }
    event
}

fn of_requests(
    frame: &ExperimentResult,
    name: &str,
    arm: &str,
    control: &str,
    difference: f64,
    evidence: &Evidence,
) -> ExperimentResult {
    ExperimentResult {
        method: Some("newcombe".to_owned()),
        estimate: Some(difference),
        low: Some(evidence.low),
        high: Some(evidence.high),
        units: count(evidence.support),
        control_units: count(evidence.support),
        detail: said(name, arm, control, difference, evidence.low, evidence.high, evidence.support),
        ..about(frame, name, arm, control, None)
    }
}

fn said(name: &str, arm: &str, control: &str, difference: f64, low: f64, high: f64, support: u64) -> String {
    let (difference, low, high) = (signed(difference), signed(low), signed(high));
    format!("{name} of {arm} less {control}: {difference} ({low} to {high}), on {support}")
}

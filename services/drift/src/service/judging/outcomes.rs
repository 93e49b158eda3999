//! Windows of predictions with what came true.

use std::collections::BTreeMap;

use millrace_schemas::envelope::{DriftEvent, DriftKind, DriftStatus, Subject};
use millrace_statistics::distribution::normal::isf;
use millrace_statistics::performance::Estimate;
use millrace_statistics::performance::delay::stopped;

use super::{Judging, ModelFacts, status};
use millrace_topics::WindowTable;

use crate::calibrate;
use crate::judge::{About, Bound, Measure};
use crate::performance::{Metric, shortfall};
use crate::retrain::Measurement;
use crate::service::Error;
use crate::service::join::Content;
use crate::service::judge_outcomes::{Arrivals, KnownOutcomes};
use crate::service::notes::Maker;
use crate::service::report::Said;
use crate::service::scores_of;
use crate::window::WHOLE;

/// Where nothing was calibrated: labels of one window are not independent (frauds come in runs, at a terminal, by a card),
/// while intervals take them for it, so that standard errors are taken for so many times as large.
const DEPENDENCE: f64 = 1.4;
/// Labels have stopped where more than this share of those that were to come did not.
const MISSING_LABELS: f64 = 0.5;
/// And where chance would have it less often than this.
const NO_CHANCE: f64 = 1e-4;
impl Judging {
    /// Says how good a window's predictions were.
    pub fn outcomes(&self, known: &KnownOutcomes) -> Result<Said, Error> {
        let mut said = Said::default();
        let mut makers: BTreeMap<&Maker, BTreeMap<&str, &Content>> = BTreeMap::new();
        for ((maker, segment), content) in &known.contents {
            makers.entry(maker).or_default().insert(segment, content);
        }
        for (maker, segments) in makers {
            self.maker(known, maker, &segments, &mut said);
        }
        if known.ends_now {
            self.errors(known, &mut said);
        }
        if let Some(arrivals) = &known.arrivals {
            said.events.push(self.arrivals(known, arrivals));
        }
        Ok(said)
    }

    /// Whether labels have stopped: too few came to be chance. The window ends now, so the finding is for good.
    fn arrivals(&self, known: &KnownOutcomes, arrivals: &Arrivals) -> DriftEvent {
        let topic = self.table.labels.as_ref().map(|labels| labels.topic.clone()).unwrap_or_default();
        let about = About {
            subject: Subject::Labels,
            reference: "the delays of labels in settled windows".to_owned(),
            ..self.about(&topic, known.window, DriftStatus::Final)
        };
        let tested = stopped(arrivals.observed, arrivals.expected, 1.0);
        let mut event = about.event(DriftKind::Finding, Subject::Labels, WHOLE, "arrivals");
        let missing =
            if arrivals.expected > 0.0 { 1.0 - arrivals.observed as f64 / arrivals.expected } else { 0.0 };
        event.statistic = Some(arrivals.observed as f64);
        event.effect = Some(missing.max(0.0));
        event.threshold = Some(MISSING_LABELS);
        event.p_value = Some(tested.p_value);
        event.rows = rows(arrivals.observed);
        event.drifted =
            missing > MISSING_LABELS && tested.p_value < NO_CHANCE && !self.too_early(known.window.start_ms);
        event.severity = if event.drifted { missing / MISSING_LABELS } else { 0.0 };
        event.detail = format!(
            "{} labels came in, {:.0} were to come by the delays of the windows before",
            arrivals.observed, arrivals.expected
        );
        event.seal();
        event
    }

    fn maker(
        &self,
        known: &KnownOutcomes,
        maker: &Maker,
        segments: &BTreeMap<&str, &Content>,
        said: &mut Said,
    ) {
        let topic = self.table.predictions.clone().unwrap_or_default();
        let about = About {
            subject: Subject::Performance,
            model: Some(maker.model.clone()),
            version: Some(maker.version.clone()),
            arm: Some(maker.arm.clone()),
            revision: known.revision,
            reference: "what the model was deployed with".to_owned(),
            ..self.about(&topic, known.window, status(known.provisional, known.revision))
        };
        let facts = self.models.facts(&maker.model, &maker.version);
        let mut summary = about.event(DriftKind::Summary, Subject::Performance, WHOLE, "window");
        for (segment, content) in segments {
            let (judged, bounds) = (self.judged(known, content), self.bounds(maker, &facts));
            let place = Place { about: &about, facts: &facts, segment, content, judged, bounds };
            self.segment(&place, &mut summary, said);
        }
        if let Some(whole) = segments.get(WHOLE) {
            if !known.provisional && known.revision == 0 && maker.serving {
                said.labels += whole.labelled;
                said.served = Some((maker.model.clone(), maker.version.clone()));
            }
            summary.rows = rows(whole.predictions);
            summary.detail = self.detail(known, whole);
        }
        if let Some(whole) = segments.get(WHOLE) {
            let judged = self.judged(known, whole);
            self.fairness(&about, &facts, segments, (judged, &mut summary), said);
        }
        let estimate = self.estimate(known, &about, segments, &mut summary);
        summary.seal();
        said.events.push(summary);
        said.events.extend(estimate);
    }

    /// Whether a window has enough labels, and is old enough, to be judged.
    fn judged(&self, known: &KnownOutcomes, content: &Content) -> bool {
        !known.provisional
            && !self.too_early(known.window.start_ms)
            && coverage(content) >= self.table.coverage
    }

    /// By how many standard errors metrics must be worse than what the model was deployed with: as calibrated; else as
    /// many as chance exceeds so rarely that all metrics together keep to their part of the false alarms.
    fn bounds(&self, maker: &Maker, facts: &ModelFacts) -> Bounds {
        let loaded = self.models.reference(&maker.model, &maker.version).ok().flatten();
        let calibrated = loaded.map(|loaded| loaded.thresholds.metrics.clone()).unwrap_or_default();
        let WindowTable::Time { slide_ms, .. } = self.table.window else {
            return Bounds { calibrated, by_convention: f64::INFINITY };
        };
        let wanted_ms = self.table.expected_time_between_alarms_ms.max(1) as f64;
        let rate = calibrate::METRICS_SHARE * slide_ms as f64 / wanted_ms / facts.metrics.len().max(1) as f64;
        Bounds { calibrated, by_convention: DEPENDENCE * isf(rate.min(0.5)) }
    }

    fn segment(&self, place: &Place<'_>, summary: &mut DriftEvent, said: &mut Said) {
        let name = |what: &str| match place.segment {
            WHOLE => what.to_owned(),
            segment => format!("{what}[{segment}]"),
        };
        summary.values.insert(name("coverage"), coverage(place.content));
        summary.values.insert(name("labels"), place.content.labelled as f64);
        let threshold = place.facts.threshold;
        for metric in scores_of::metrics(&place.content.counts, threshold, &self.table.ks) {
            let Metric { name: metric, higher, measured: Ok(estimate) } = metric else { continue };
            summary.values.insert(name(&metric), estimate.value);
            summary.values.insert(name(&format!("{metric}.low")), estimate.interval.low);
            summary.values.insert(name(&format!("{metric}.high")), estimate.interval.high);
            if place.judged && estimate.is_enough() {
                let finding = place.finding(&metric, higher, estimate);
                said.measurements.push(place.measurement(&metric, estimate, &finding));
                said.events.push(finding);
            }
        }
    }

    fn detail(&self, known: &KnownOutcomes, whole: &Content) -> String {
        let percent = 100.0 * coverage(whole);
        let of = format!("{percent:.0} % of {} predictions have a label", whole.predictions);
        match (known.provisional, self.judged(known, whole)) {
            (true, _) => format!("{of} so far: early labels are no fair sample, so nothing is judged yet"),
            (false, false) => format!("only {of}: too few to judge"),
            (false, true) => of,
        }
    }
}

/// One segment of a window.
struct Place<'a> {
    about: &'a About,
    facts: &'a ModelFacts,
    segment: &'a str,
    content: &'a Content,
    judged: bool,
    bounds: Bounds,
}

/// Standard errors from which metrics are worse.
struct Bounds {
    calibrated: BTreeMap<String, Bound>,
    by_convention: f64,
}

impl Bounds {
    /// Of a metric on so many labels; none: it is not judged.
    fn of(&self, metric: &str, labels: u64) -> Option<f64> {
        match self.calibrated.get(metric) {
            Some(bound) => bound.at(Measure::Metric, labels),
            None => Some(self.by_convention),
        }
    }
}

impl Place<'_> {
    fn finding(&self, metric: &str, higher: bool, estimate: Estimate) -> DriftEvent {
        let mut event = self.about.event(DriftKind::Finding, Subject::Performance, self.segment, metric);
        event.column = Some(metric.to_owned());
        event.statistic = Some(estimate.value);
        (event.low, event.high) = (Some(estimate.interval.low), Some(estimate.interval.high));
        event.rows = rows(self.content.labelled);
        let bound = self.bounds.of(metric, self.content.labelled);
        if let (Some(own), Some(bound)) = (self.champion(metric), bound) {
            let (short, error) = shortfall(own, estimate, higher);
            let threshold = bound * error;
            event.effect = Some(short);
            event.threshold = Some(threshold);
            event.drifted = short > threshold;
            event.severity = (short / threshold).max(0.0);
            event.detail = format!(
                "{metric} is {:.3} ({:.3} to {:.3}) on {} labels, {own:.3} when the model was deployed",
                estimate.value, estimate.interval.low, estimate.interval.high, self.content.labelled
            );
        }
        event.seal();
        event
    }

    fn measurement(&self, metric: &str, estimate: Estimate, finding: &DriftEvent) -> Measurement {
        Measurement {
            metric: metric.to_owned(),
            segment: finding.segment.clone(),
            value: estimate.value,
            interval: (estimate.interval.low, estimate.interval.high),
            rows: rows(self.content.labelled),
            coverage: coverage(self.content),
            // The window is settled: what was to come has come.
            maturity: 1.0,
            champion: self.champion(metric),
            event: finding.id.clone(),
        }
    }

    /// The champion's own metric, of all rows.
    fn champion(&self, metric: &str) -> Option<f64> {
        self.facts.metrics.get(metric).copied().filter(|_| self.segment == WHOLE)
    }
}

fn coverage(content: &Content) -> f64 {
    content.labelled as f64 / content.predictions.max(1) as f64
}

fn rows(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

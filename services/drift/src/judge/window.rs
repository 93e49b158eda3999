//! A whole window: every column and segment, all columns together, the constraints, and the summary.

mod summary;

use std::collections::BTreeMap;

use millrace_schemas::envelope::{DriftEvent, DriftKind, Subject};
use millrace_statistics::two_sample::Method;
use millrace_statistics::two_sample::correction::benjamini_hochberg;

use super::about::About;
use super::column::{Measured, Pair, measure_column};
use super::cut::Against;
use super::detail;
use super::joint::measure_joint;
use super::measure::Measure;
use super::quality::{Stream, quality};
use super::thresholds::{Bound, Thresholds};
use crate::profile::{Column, Kind, Profile};
use crate::reference::{Quality, Support};
use crate::report::bins;
use crate::window::WHOLE;

/// How windows are judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Rows with a value that a column needs in the window and in the reference.
    pub min_rows: u64,
    /// Methods that are shown beside those that have a threshold.
    pub methods: Vec<Method>,
    /// Whether all columns are also judged together.
    pub joint: bool,
    /// Whether distributions are put into the events, to be drawn from them.
    pub drawn: bool,
    /// Of random features and trees.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { min_rows: 100, methods: Vec::new(), joint: true, drawn: true, seed: 0 }
    }
}

/// What a window is judged on.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// Which window.
    pub about: &'a About,
    /// What its segments are compared with: [`super::against`].
    pub against: &'a Against,
    /// Its profiles by segment, merged over partitions.
    pub current: &'a BTreeMap<String, Profile>,
    /// The thresholds.
    pub thresholds: &'a Thresholds,
    /// The constraints, where there are any.
    pub quality: Option<&'a Quality>,
    /// The topic beside its rows.
    pub stream: Stream,
    /// The reference's support, where domain shift is judged.
    pub support: Option<&'a Support>,
    /// How.
    pub options: &'a Options,
}

/// What a window says.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// Every subject that was judged, drifted or not, sealed. Those that drifted are written.
    pub findings: Vec<DriftEvent>,
    /// Subjects that could not be judged.
    pub undefined: Vec<NotMeasured>,
    /// The window as a whole.
    pub summary: DriftEvent,
}

/// A subject that could not be judged, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotMeasured {
    /// Why.
    pub reason: String,
    /// The column; none: all together.
    pub column: Option<String>,
    /// The segment.
    pub segment: String,
    /// The measure; none: everything.
    pub measure: Option<Measure>,
}

/// Judges a window. A function of its inputs alone.
pub fn judge_window(inputs: &Inputs<'_>) -> Judgement {
    let mut bench = Bench { inputs, findings: Vec::new(), undefined: Vec::new() };
    for (segment, reference) in inputs.against {
        bench.segment(segment, reference.as_ref().map_err(ToString::to_string));
    }
    for segment in inputs.current.keys().filter(|segment| !inputs.against.contains_key(*segment)) {
        bench.not_measured("the reference does not have the segment", None, segment, None);
    }
    correct(&mut bench.findings);
    if inputs.options.joint {
        bench.joint();
    }
    if let (Some(constraints), Some(current)) = (inputs.quality, inputs.current.get(WHOLE)) {
        bench.findings.extend(quality(inputs.about, constraints, current, inputs.stream));
    }
    let Bench { mut findings, mut undefined, .. } = bench;
    undefined.sort();
    let mut summary = summary::of(inputs, &mut findings, &undefined);
    if inputs.options.drawn {
        summary.distributions = summary::distributions(inputs);
    }
    findings.iter_mut().for_each(DriftEvent::seal);
    Judgement { findings, undefined, summary }
}

/// P-values corrected over the columns of the window (Benjamini and Hochberg).
fn correct(findings: &mut [DriftEvent]) {
    let p_values: Vec<f64> = findings.iter().filter_map(|event| event.p_value).collect();
    let mut adjusted = benjamini_hochberg(&p_values).into_iter();
    for event in findings.iter_mut().filter(|event| event.p_value.is_some()) {
        event.p_adjusted = adjusted.next();
    }
}

struct Bench<'a> {
    inputs: &'a Inputs<'a>,
    findings: Vec<DriftEvent>,
    undefined: Vec<NotMeasured>,
}

impl Bench<'_> {
    fn not_measured(
        &mut self,
        reason: impl Into<String>,
        column: Option<&str>,
        segment: &str,
        measure: Option<Measure>,
    ) {
        let (reason, column, segment) = (reason.into(), column.map(str::to_owned), segment.to_owned());
        self.undefined.push(NotMeasured { reason, column, segment, measure });
    }

    fn segment(&mut self, segment: &str, reference: Result<&Profile, String>) {
        let reference = match reference {
            Ok(reference) => reference,
            Err(reason) => return self.not_measured(reason, None, segment, None),
        };
        let Some(current) = self.inputs.current.get(segment) else {
            return self.not_measured("the window has no rows of the segment", None, segment, None);
        };
        let least = self.inputs.options.min_rows;
        for (rows, window) in [(reference.rows(), "reference"), (current.rows(), "window")] {
            if rows < least {
                let reason = format!("fewer than {least} rows in the {window}");
                return self.not_measured(reason, None, segment, None);
            }
        }
        let pair = Pair::with_p_values(reference, current);
        for index in 0..reference.plan().columns.len() {
            self.column(segment, index, &pair);
        }
    }

    fn column(&mut self, segment: &str, index: usize, pair: &Pair<'_>) {
        let plan = &pair.reference.plan().columns[index];
        let thresholds = self.inputs.thresholds;
        let mut bounds: Vec<(Measure, Option<&Bound>)> =
            thresholds.of(Some(&plan.name), segment).map(|(measure, bound)| (measure, Some(bound))).collect();
        for method in &self.inputs.options.methods {
            let measure = Measure::Distribution(*method);
            let of = if plan.kind == Kind::Numeric { Applies::Numbers } else { Applies::Categories };
            if of.takes(*method) && bounds.iter().all(|(known, _)| *known != measure) {
                bounds.push((measure, None));
            }
        }
        if bounds.is_empty() {
            return self.not_measured("no threshold", Some(&plan.name), segment, None);
        }
        for (measure, bound) in bounds {
            if let Some(Bound::NotJudged { reason }) = bound {
                self.not_measured(format!("{reason}, not judged"), Some(&plan.name), segment, Some(measure));
                continue;
            }
            match self.measure(measure, index, pair, bound) {
                Ok(found) => self.find(segment, index, pair, measure, bound, &found),
                Err(reason) => self.not_measured(reason, Some(&plan.name), segment, Some(measure)),
            }
        }
    }

    fn measure(
        &self,
        measure: Measure,
        index: usize,
        pair: &Pair<'_>,
        bound: Option<&Bound>,
    ) -> Result<Measured, String> {
        let found = measure_column(measure, index, pair, bound.map_or(0.0, Bound::expected))?;
        let least = self.inputs.options.min_rows;
        if found.rows < least || found.reference_rows < least {
            return Err(format!("fewer than {least} values"));
        }
        Ok(found)
    }

    fn find(
        &mut self,
        segment: &str,
        index: usize,
        pair: &Pair<'_>,
        measure: Measure,
        bound: Option<&Bound>,
        found: &Measured,
    ) {
        let about = self.inputs.about;
        let subject = if measure == Measure::Outside { Subject::Domain } else { about.subject };
        let mut event = about.event(DriftKind::Finding, subject, segment, measure.name());
        event.column = Some(pair.reference.plan().columns[index].name.clone());
        // A calibrated threshold knows how large the reference is, a conventional one does not: few rows on either side
        // differ by chance.
        let rows = match self.inputs.thresholds.calibration {
            Some(_) => found.rows,
            None => found.rows.min(found.reference_rows),
        };
        fill(&mut event, found, bound.and_then(|bound| bound.at(measure, rows)));
        if event.drifted && self.inputs.options.drawn {
            let columns = [pair.reference, pair.current].map(|profile| profile.column(index));
            let (name, shown) = distribution(columns, segment);
            event.distributions.insert(name, shown);
        }
        let of = event.segment.as_ref().map(|segment| format!("In {segment} ")).unwrap_or_default();
        event.detail =
            format!("{of}{} {}", detail::of_column(measure, index, pair, found), compared(measure, &event));
        self.findings.push(event);
    }

    fn joint(&mut self) {
        let inputs = self.inputs;
        let (Some(Ok(reference)), Some(current)) = (inputs.against.get(WHOLE), inputs.current.get(WHOLE))
        else {
            return;
        };
        let skip = seasonal(inputs.thresholds, reference);
        for (measure, bound) in inputs.thresholds.of(None, WHOLE) {
            if let Bound::NotJudged { reason } = bound {
                self.not_measured(format!("{reason}, not judged"), None, WHOLE, Some(measure));
                continue;
            }
            match measure_joint(measure, reference, current, inputs.support, &skip, inputs.options.seed) {
                Ok((found, telling)) => {
                    let event = self.joint_event((measure, bound), &found, &telling, reference);
                    self.findings.push(event);
                }
                Err(reason) => self.not_measured(reason, None, WHOLE, Some(measure)),
            }
        }
    }

    fn joint_event(
        &self,
        (measure, bound): (Measure, &Bound),
        found: &Measured,
        telling: &[(usize, f64)],
        reference: &Profile,
    ) -> DriftEvent {
        let subject = match measure {
            Measure::OutsideJointly => Subject::Domain,
            _ => Subject::Dataset,
        };
        let mut event = self.inputs.about.event(DriftKind::Finding, subject, WHOLE, measure.name());
        fill(&mut event, found, bound.at(measure, found.p_rows.unwrap_or(found.rows)));
        let named = telling
            .iter()
            .take(5)
            .filter_map(|(index, share)| Some((reference.plan().columns.get(*index)?.name.clone(), *share)));
        let named: Vec<(String, f64)> = named.collect();
        let what = match (measure, found.shares) {
            (Measure::OutsideJointly, Some((p, q))) => format!(
                "{} of the rows lie apart from all of the reference, {} were to be expected.",
                detail::percent(q),
                detail::percent(p)
            ),
            (Measure::Classifier, _) => {
                let columns: Vec<&str> = named.iter().map(|(name, _)| name.as_str()).collect();
                let by =
                    if columns.is_empty() { String::new() } else { format!(", by {}", columns.join(", ")) };
                format!(
                    "A classifier tells the window's rows from the reference's with an AUC of {:.3}{by}.",
                    found.statistic
                )
            }
            _ => "The joint distribution of all columns moved.".to_owned(),
        };
        event.detail = format!("{what} {}", compared(measure, &event));
        event.values.extend(named);
        event
    }
}

/// A column's name, with its segment, and its two distributions as JSON.
pub(super) fn distribution([reference, current]: [Column<'_>; 2], segment: &str) -> (String, String) {
    let name = &reference.plan().name;
    let place = if segment == WHOLE { name.clone() } else { format!("{name} in {segment}") };
    let bins = bins(reference, current);
    let shown =
        serde_json::json!({ "bins": bins.names, "reference": bins.reference, "current": bins.current });
    (place, shown.to_string())
}

/// Columns whose distribution is not judged: they would tell any two windows apart.
fn seasonal(thresholds: &Thresholds, reference: &Profile) -> Vec<usize> {
    let not_judged = |name: &str| {
        thresholds
            .of(Some(name), WHOLE)
            .any(|(m, bound)| matches!((m, bound), (Measure::Distribution(_), Bound::NotJudged { .. })))
    };
    let columns = reference.plan().columns.iter().enumerate();
    columns.filter(|(_, column)| not_judged(&column.name)).map(|(index, _)| index).collect()
}

/// Whether a method takes numbers or categories.
enum Applies {
    Numbers,
    Categories,
}

impl Applies {
    fn takes(&self, method: Method) -> bool {
        use millrace_statistics::two_sample::ColumnKind::{Category, Numeric};
        method.applies_to(if matches!(self, Self::Numbers) { Numeric } else { Category })
    }
}

/// The figures, and what they decide.
fn fill(event: &mut DriftEvent, found: &Measured, threshold: Option<f64>) {
    event.statistic = Some(found.statistic);
    event.p_value = found.p_value;
    event.effect = Some(found.effect);
    event.error = found.error;
    event.rows = found.rows as i64;
    event.reference_rows = found.reference_rows as i64;
    event.p_rows = found.p_rows.map(|rows| rows as i64);
    event.threshold = threshold;
    if let Some(threshold) = threshold {
        event.drifted = found.effect > threshold;
        event.severity = found.effect / threshold;
    }
}

/// `ks 0.103, threshold 0.031`.
fn compared(measure: Measure, event: &DriftEvent) -> String {
    let effect = detail::short(event.effect.unwrap_or_default());
    match event.threshold {
        Some(threshold) => format!("({measure} {effect}, threshold {})", detail::short(threshold)),
        None => format!("({measure} {effect}, no threshold)"),
    }
}

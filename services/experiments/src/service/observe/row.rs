//! What is known of one event: rows of several topics, joined by its id. Either may come first.

use super::plan::{MetricPlan, RowPlan};
use crate::service::counted::{Pair, hash};

/// A prediction, as far as it matters.
#[derive(Debug, Clone)]
pub struct Prediction {
    /// The event's id.
    pub id: String,
    /// The event's time, in ms.
    pub time_ms: i64,
    /// The unit.
    pub unit: String,
    /// `<model>/<version>`.
    pub version: String,
    /// The arm.
    pub arm: String,
    /// Whether it was acted on.
    pub serving: bool,
    /// The label decided for.
    pub decision: String,
    /// The score, where it is a finite number.
    pub score: Option<f64>,
    /// The deployment's offset.
    pub deployment: i64,
    /// Per segment of the definition, the value.
    pub segments: Vec<String>,
    /// Of the columns that the run keeps, those of predictions.
    pub cells: Vec<(usize, Option<String>)>,
}

/// One event.
#[derive(Debug, Clone, Default)]
pub struct Row {
    unit: String,
    /// Per topic, when its row was.
    times: Vec<Option<i64>>,
    /// The run's columns.
    cells: Vec<Option<String>>,
    /// Which metrics have their value.
    valued: Vec<bool>,
    deployment: i64,
    /// The scores of control and treatment, with what they decide for.
    scores: [Option<(f64, String)>; 2],
    segments: Vec<String>,
}

/// A unit's value of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// Index of the metric.
    pub metric: usize,
    /// When, in ms.
    pub time_ms: i64,
    /// The value.
    pub y: f64,
    /// Its denominator.
    pub denominator: f64,
}

impl Row {
    /// Of a run with so many topics.
    pub fn new(plan: &RowPlan, topics: usize) -> Self {
        Self {
            times: vec![None; topics],
            cells: vec![None; plan.columns.len()],
            valued: vec![false; plan.metrics.len()],
            ..Self::default()
        }
    }

    /// A prediction of either version; `side` is 0 for the control's, 1 for the treatment's.
    pub fn predicted(&mut self, prediction: &Prediction, side: Option<usize>) {
        if let (Some(side), Some(score)) = (side, prediction.score) {
            self.scores[side] = Some((score, prediction.decision.clone()));
        }
        if prediction.serving && self.times[0].is_none() {
            self.times[0] = Some(prediction.time_ms);
            self.unit.clone_from(&prediction.unit);
            self.deployment = prediction.deployment;
            self.segments.clone_from(&prediction.segments);
            self.put(&prediction.cells);
        }
    }

    /// A row of another topic; of two with one id the first counts.
    pub fn seen(&mut self, topic: usize, unit: &str, time_ms: i64, cells: &[(usize, Option<String>)]) {
        if self.times[topic].is_some() {
            return;
        }
        self.times[topic] = Some(time_ms);
        if self.unit.is_empty() {
            unit.clone_into(&mut self.unit);
        }
        self.put(cells);
    }

    fn put(&mut self, cells: &[(usize, Option<String>)]) {
        for (place, value) in cells {
            self.cells[*place].clone_from(value);
        }
    }

    /// The unit whose event it is.
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// The values that became known, each once.
    pub fn values(&mut self, plan: &RowPlan) -> Vec<Value> {
        let mut values = Vec::new();
        for (at, metric) in plan.metrics.iter().enumerate() {
            let known = metric.needs.iter().all(|topic| self.times.get(*topic).is_some_and(Option::is_some));
            if !known || self.valued[at] {
                continue;
            }
            self.valued[at] = true;
            values.extend(self.value(at, metric));
        }
        values
    }

    /// None where a column that it needs is NULL or no number, or where what it asks for does not hold and no denominator
    /// counts the row all the same.
    fn value(&self, at: usize, metric: &MetricPlan) -> Option<Value> {
        let number = |place: Option<usize>| match place {
            None => Some(1.0),
            Some(place) => number(self.cells[place].as_deref()?),
        };
        let holds = metric.only.iter().all(|(place, value)| self.cells[*place].as_ref() == Some(value));
        let y = if holds { number(metric.value)? } else { 0.0 };
        // An outcome that comes days later belongs to the event that it is of.
        let counted = if metric.needs.contains(&0) { 0 } else { metric.counts };
        Some(Value { metric: at, time_ms: self.times[counted]?, y, denominator: number(metric.denominator)? })
    }

    /// From when on nothing more is expected, in ms.
    pub fn closes_ms(&self, horizon_ms: i64) -> i64 {
        let latest = self.times.iter().flatten().max().copied().unwrap_or(i64::MIN);
        self.times[0].unwrap_or(latest).saturating_add(horizon_ms)
    }

    /// The deployment under which it was served; none: it was not.
    pub fn served(&self) -> Option<i64> {
        self.times[0].map(|_| self.deployment)
    }

    /// What came true, where that is known.
    pub fn outcome(&self, place: Option<usize>) -> Option<bool> {
        number(self.cells[place?].as_deref()?).map(|number| number != 0.0)
    }

    /// What both versions said of it.
    pub fn pair(self, id: &str, outcome: Option<usize>) -> Option<Pair> {
        self.times[0]?;
        let positive = self.outcome(outcome);
        let [Some((control, before)), Some((treatment, after))] = self.scores else { return None };
        Some(Pair {
            id: hash(id),
            unit: hash(&self.unit),
            deployment: self.deployment,
            control,
            treatment,
            positive,
            decisions: [before, after],
            segments: self.segments,
        })
    }
}

fn number(text: &str) -> Option<f64> {
    match text {
        "true" => Some(1.0),
        "false" => Some(0.0),
        text => text.parse().ok().filter(|number: &f64| number.is_finite()),
    }
}

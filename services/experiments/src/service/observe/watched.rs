//! What an observer knows for one run: its units, and the rows that wait for others of their event.

use std::collections::BTreeMap;

use millrace_topics::{ExperimentDefinition, ExperimentKind, MetricKind};

use super::plan::{RowPlan, Sources};
use super::row::{Prediction, Row};
use crate::analysis::units::{Beside, Rules, Units};
use crate::service::counted::{Counted, Pair};

/// Rows of a window that both versions scored, kept of one partition: all positives up to this many, others by their hash.
const MOST_PAIRS: usize = 20_000;
/// The suffix of the control's arm in the deployments of a canary, whose other units belong to no experiment.
pub const BASELINE: &str = "baseline";

/// One run.
pub struct Watched {
    /// What it is.
    pub definition: ExperimentDefinition,
    /// What is kept of rows.
    pub plan: RowPlan,
    /// Deployments of the run, with their phases.
    deployments: BTreeMap<i64, i32>,
    phase: i32,
    units: Vec<Units>,
    /// Counts of the phase, without those of units.
    counts: Counted,
    open: BTreeMap<String, Row>,
    topics: usize,
}

impl Watched {
    /// Nothing yet.
    pub fn new(definition: ExperimentDefinition, sources: &Sources) -> Self {
        let plan = RowPlan::of(&definition, sources);
        let units = fresh(&definition);
        Self {
            definition,
            plan,
            deployments: BTreeMap::new(),
            phase: 0,
            units,
            counts: Counted::default(),
            open: BTreeMap::new(),
            topics: sources.others.len() + 1,
        }
    }

    /// A deployment of this run.
    pub fn deployed(&mut self, offset: i64, phase: i32) {
        self.deployments.insert(offset, phase);
    }

    /// The phase that is counted.
    pub fn phase(&self) -> i32 {
        self.phase
    }

    /// Takes a prediction made under a deployment that is known.
    pub fn predicted(&mut self, prediction: &Prediction) {
        let Some(phase) = self.deployments.get(&prediction.deployment).copied() else { return };
        self.turn_to(phase);
        let side = |at: usize| {
            self.definition.arms.get(at).is_some_and(|arm| prediction.version == arm.model_ref().to_string())
        };
        let side = (0..2).find(|at| side(*at));
        if prediction.serving && phase == self.phase {
            self.expose(prediction);
        }
        let (plan, topics) = (&self.plan, self.topics);
        let row = self.open.entry(prediction.id.clone()).or_insert_with(|| Row::new(plan, topics));
        row.predicted(prediction, side);
        self.value(&prediction.id);
    }

    /// Takes a row of another topic.
    pub fn seen(
        &mut self,
        topic: usize,
        id: &str,
        unit: &str,
        time_ms: i64,
        cells: &[(usize, Option<String>)],
    ) {
        let (plan, topics) = (&self.plan, self.topics);
        let row = self.open.entry(id.to_owned()).or_insert_with(|| Row::new(plan, topics));
        row.seen(topic, unit, time_ms, cells);
        self.value(id);
    }

    /// Analyses do not mix phases, but for bandits, whose shares change all the time.
    fn turn_to(&mut self, phase: i32) {
        if phase <= self.phase {
            return;
        }
        self.phase = phase;
        if self.definition.kind != ExperimentKind::Bandit {
            (self.units, self.counts) = (fresh(&self.definition), Counted::default());
        }
    }

    fn expose(&mut self, prediction: &Prediction) {
        // Units of no arm have the champion's name, and may come to an arm in a later step of a canary.
        let (declared, by_units) = match self.definition.kind {
            ExperimentKind::Canary => {
                let second = self.definition.arms.get(1);
                (prediction.arm == BASELINE || second.is_some_and(|arm| arm.name == prediction.arm), true)
            }
            // Every row and every list is of both versions: there are no units of either.
            ExperimentKind::Shadow | ExperimentKind::Interleave => (true, false),
            ExperimentKind::Ab | ExperimentKind::Bandit => {
                (self.definition.arm(&prediction.arm).is_some(), true)
            }
        };
        if !declared {
            return;
        }
        self.counts.rows += 1;
        let first_ms = self.counts.first_ms.get_or_insert(prediction.time_ms);
        *first_ms = prediction.time_ms.min(*first_ms);
        if !by_units {
            return;
        }
        let unit = if self.per_event() { &prediction.id } else { &prediction.unit };
        self.units.iter_mut().for_each(|units| units.expose(unit, &prediction.arm, prediction.time_ms));
    }

    fn per_event(&self) -> bool {
        self.definition.bandit.is_some_and(|bandit| bandit.per_event)
    }

    fn value(&mut self, id: &str) {
        let per_event = self.per_event();
        let Some(row) = self.open.get_mut(id) else { return };
        let values = row.values(&self.plan);
        let unit = if per_event { id } else { row.unit() };
        for value in values {
            self.units[value.metric].value(unit, value.time_ms, value.y, value.denominator);
        }
    }

    /// What the units come to at a window's end.
    pub fn counted(&self, end_ms: i64) -> Counted {
        let covariate = self.definition.covariate_ms > 0;
        let sums = |(units, metric): (&Units, &millrace_topics::ExperimentMetric)| match metric.kind {
            MetricKind::Conversion => units.conversions(end_ms),
            MetricKind::Ratio => units.summary(end_ms, Beside::Denominator),
            MetricKind::Mean if covariate => units.summary(end_ms, Beside::Covariate),
            MetricKind::Mean => units.summary(end_ms, Beside::Nothing),
        };
        let metrics = self.units.iter().zip(&self.definition.metrics).map(sums).collect();
        Counted { metrics, ..self.counts.clone() }
    }

    /// Lets go of what can change no more by a window's end; of rows that both versions scored, a sample.
    pub fn close(&mut self, end_ms: i64) -> Vec<Pair> {
        self.units.iter_mut().for_each(|units| units.compact(end_ms));
        let horizon_ms = self.definition.label_horizon_ms;
        let closed = self.open.extract_if(.., |_, row| row.closes_ms(horizon_ms) < end_ms);
        let closed: Vec<(String, Row)> = closed.collect();
        closed.iter().for_each(|(_, row)| self.count(row));
        let outcome = self.plan.outcome;
        let pairs: Vec<Pair> = closed.into_iter().filter_map(|(id, row)| row.pair(&id, outcome)).collect();
        let (mut positives, mut others): (Vec<_>, Vec<_>) =
            pairs.into_iter().partition(|pair| pair.positive == Some(true));
        for sample in [&mut positives, &mut others] {
            sample.sort_by_key(|pair| pair.id);
            sample.truncate(MOST_PAIRS);
        }
        positives.append(&mut others);
        positives
    }

    /// Counts a row of the phase that can change no more, and whether its outcome came.
    fn count(&mut self, row: &Row) {
        let of_phase = row.served().is_some_and(|at| self.deployments.get(&at) == Some(&self.phase));
        if of_phase && self.plan.outcome.is_some() {
            self.counts.closed += 1;
            self.counts.outcomes += u64::from(row.outcome(self.plan.outcome).is_some());
        }
    }

    /// Rows that wait.
    pub fn open_rows(&self) -> usize {
        self.open.len()
    }
}

fn fresh(definition: &ExperimentDefinition) -> Vec<Units> {
    let rules = Rules {
        window_ms: definition.window_ms,
        label_horizon_ms: definition.label_horizon_ms,
        covariate_ms: definition.covariate_ms,
    };
    // Without a metric exposures are counted all the same: the sample ratio needs them.
    vec![Units::new(rules); definition.metrics.len().max(1)]
}

//! What an experiment is: read from `experiments/<name>.toml` or `[experiment]` of a prediction topic's file, and sent with
//! the command that starts it, so that a replay reads no files.

mod checks;
mod file;
mod named;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ModelRef, UnsoundDraft};

pub(crate) use checks::check;
pub use file::DraftFile;
pub(crate) use file::{Draft, read_all};
pub use named::{Column, columns_of};

/// Where drafts that may be started are, by their names.
pub(crate) fn files_of(drafts: &[Draft]) -> BTreeMap<String, DraftFile> {
    let sound = drafts.iter().filter(|draft| draft.problems.is_empty());
    sound.map(|draft| (draft.name.clone(), draft.file.clone())).collect()
}

/// Drafts that may be started, and the others with their problems.
pub(crate) fn sorted_out(drafts: Vec<Draft>) -> (Vec<ExperimentDefinition>, Vec<UnsoundDraft>) {
    let (mut sound, mut unsound) = (Vec::new(), Vec::new());
    for Draft { name, definition, problems, .. } in drafts {
        match definition {
            Some(definition) if problems.is_empty() => sound.push(definition),
            _ => unsound.push(UnsoundDraft { name, problems }),
        }
    }
    (sound, unsound)
}

/// An experiment on the versions that serve one prediction topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentDefinition {
    /// Its name, unique in the application.
    pub name: String,
    /// The stem of the topic of predictions or rankings.
    pub topic: String,
    /// What it does.
    pub kind: ExperimentKind,
    /// The arms, the control first: the champion's.
    pub arms: Vec<ExperimentArm>,
    /// Hashed with the unit into its bucket; each experiment's own.
    pub salt: String,
    /// What it shares with experiments that exclude one another.
    pub namespace: Option<NamespacePart>,
    /// What arms are compared by.
    pub metrics: Vec<ExperimentMetric>,
    /// Where outcomes come from, for metrics of scores.
    pub labels: Option<OutcomeColumns>,
    /// How long after its first exposure a unit's values count, in ms.
    pub window_ms: i64,
    /// How long after that values may become known, in ms.
    pub label_horizon_ms: i64,
    /// How long before the first exposure values are a covariate, in ms; 0: none.
    pub covariate_ms: i64,
    /// The level of the tests.
    pub alpha: f64,
    /// Units of both arms below which a look says nothing.
    pub burn_in_units: u64,
    /// How long it runs before anything is concluded, in ms of record time.
    pub min_ms: i64,
    /// How long it runs at most, in ms of record time.
    pub max_ms: i64,
    /// The share of units seen in two arms above which nothing is concluded.
    pub max_mixed_share: f64,
    /// The p-value of the sample ratio below which nothing is concluded.
    pub sample_ratio_alpha: f64,
    /// Whether what is concluded is deployed without a person's word.
    pub automatic: bool,
    /// Columns of the predictions' context each of whose values is compared on its own, too.
    pub segments: Vec<String>,
    /// Of a canary, and of a shadow's gate.
    pub canary: Option<CanaryDefinition>,
    /// Of a bandit.
    pub bandit: Option<BanditDefinition>,
    /// Of interleaving: how lists are made.
    pub method: Option<String>,
}

/// What an experiment does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExperimentKind {
    /// Arms share the units by weights.
    Ab,
    /// A new version has a share that grows in steps.
    Canary,
    /// A new version predicts and answers nobody.
    Shadow,
    /// Shares follow what arms earn.
    Bandit,
    /// Every list is made of all arms' rankings.
    Interleave,
}

impl ExperimentKind {
    /// Its name on the wire and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ab => "ab",
            Self::Canary => "canary",
            Self::Shadow => "shadow",
            Self::Bandit => "bandit",
            Self::Interleave => "interleave",
        }
    }
}

/// An arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentArm {
    /// Its name.
    pub name: String,
    /// The model.
    pub model: String,
    /// Its version.
    pub version: String,
    /// Its share of all units, in [0, 1]. Of canaries, shadows and interleaving: 0, since it follows from elsewhere.
    pub share: f64,
}

impl ExperimentArm {
    /// The model version.
    pub fn model_ref(&self) -> ModelRef {
        ModelRef { model: self.model.clone(), version: self.version.clone() }
    }
}

/// A part of a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamespacePart {
    /// The namespace's name.
    pub name: String,
    /// The first bucket that is this experiment's.
    pub from: u16,
    /// The bucket after the last one.
    pub to: u16,
}

/// Where outcomes come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeColumns {
    /// The stem of the topic; its `id` is the prediction's id.
    pub topic: String,
    /// The column that says whether the row is positive: true, or a number that is not 0.
    pub outcome: String,
}

/// What arms are compared by: a number per unit, made of the rows of a topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentMetric {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: MetricKind,
    /// The stem of the topic whose rows are counted.
    pub topic: String,
    /// The column whose values are added up; none: rows are counted. Another topic's column is written `<stem>.<column>`
    /// and found by the row's id.
    pub value: Option<String>,
    /// The values that columns of a row must have, as text, for its value to count.
    pub only: BTreeMap<String, String>,
    /// Of a ratio: the column whose values are the denominator; none: rows are.
    pub denominator: Option<String>,
    /// Whether more is better.
    pub higher_is_better: bool,
    /// What it is for.
    pub role: MetricRole,
    /// Of a guardrail: how much worse is accepted, in the metric's unit.
    pub bound: f64,
    /// Of mSPRT: the effect that is expected; none: the confidence sequence is used.
    pub expected_effect: Option<f64>,
}

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// The mean over units of each unit's sum.
    Mean,
    /// The share of units with a value above 0.
    Conversion,
    /// The sum of values over the sum of denominators.
    Ratio,
}

/// What a metric is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricRole {
    /// What is decided by.
    Primary,
    /// What must not be worse.
    Guardrail,
    /// What is told beside.
    Secondary,
}

/// The steps of a canary and what it is judged by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CanaryDefinition {
    /// The canary's shares, one step after the other, each in (0, 1].
    pub steps: Vec<f64>,
    /// How long a step may take, in ms of record time, pauses not counted.
    pub step_max_ms: i64,
    /// How often each criterion is looked at in a step, at most: intervals have level 1 - alpha over looks and criteria.
    pub looks: u32,
    /// The probability with which a look sees the bound.
    pub power: f64,
    /// What it must not be worse in.
    pub criteria: Vec<CanaryCriterion>,
    /// What is expected to come, so that it can be told before the start whether steps are long enough.
    #[serde(default)]
    pub traffic: Option<CanaryTraffic>,
}

/// What comes to all versions together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CanaryTraffic {
    /// Predictions a day.
    pub rows_per_day: Option<f64>,
    /// New units a day.
    pub units_per_day: Option<f64>,
    /// The share of rows that get a label within the label horizon.
    pub labelled: f64,
    /// The share of labelled rows that are positive.
    pub positive_rate: Option<f64>,
}

/// What a canary must not be worse in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CanaryCriterion {
    /// `auc`, `log_loss`, `brier`, `agreement`, `latency`, `errors`, `missing`, or a metric of the arms.
    pub metric: String,
    /// How much worse is accepted, in the metric's unit.
    pub margin: f64,
    /// Labelled positives (auc), labelled rows, requests or units that a look needs.
    pub required: u64,
    /// What is known of it beforehand.
    #[serde(default)]
    pub usual: CanaryUsual,
}

/// What is known of a criterion before a canary starts.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CanaryUsual {
    /// The champion's own: its AUC, its share of errors or of missing inputs, its conversion rate.
    pub value: Option<f64>,
    /// The standard deviation: of one row's difference in loss, or of one unit.
    pub deviation: Option<f64>,
    /// How the AUCs of both versions are correlated.
    pub correlation: Option<f64>,
}

/// How a bandit finds its shares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BanditDefinition {
    /// How often shares are drawn anew, in ms of record time.
    pub every_ms: i64,
    /// The least share of an arm.
    pub least_share: f64,
    /// Whether each event is drawn anew; else a unit keeps its arm as far as shares allow.
    pub per_event: bool,
}

impl ExperimentDefinition {
    /// The control, if there is an arm at all.
    pub fn control(&self) -> Option<&ExperimentArm> {
        self.arms.first()
    }

    /// An arm by name.
    pub fn arm(&self, name: &str) -> Option<&ExperimentArm> {
        self.arms.iter().find(|arm| arm.name == name)
    }

    /// The metric that is decided by.
    pub fn primary(&self) -> Option<&ExperimentMetric> {
        self.metrics.iter().find(|metric| metric.role == MetricRole::Primary)
    }

    /// How long it may take from its start until the last value is known, in ms of record time, pauses not counted: a
    /// covariate's time, the time its arms serve, the window and the labels of the last unit.
    pub fn longest_ms(&self) -> i64 {
        let steps = self.canary.as_ref().filter(|_| self.kind == ExperimentKind::Canary);
        let serves = steps.map_or(self.max_ms, |canary| {
            canary.step_max_ms.saturating_mul(i64::try_from(canary.steps.len()).unwrap_or(i64::MAX))
        });
        let window = if self.metrics.is_empty() { 0 } else { self.window_ms };
        [self.covariate_ms, serves, window, self.label_horizon_ms].into_iter().fold(0, i64::saturating_add)
    }

    /// The stems of the topics besides the predictions whose rows it needs.
    pub fn topics(&self) -> Vec<String> {
        let mut stems: Vec<String> = self.metrics.iter().flat_map(named::stems).collect();
        stems.extend(self.labels.iter().map(|labels| labels.topic.clone()));
        stems.retain(|stem| *stem != self.topic);
        stems.sort();
        stems.dedup();
        stems
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

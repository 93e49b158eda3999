//! What drifted in a window, and what the window is like as a whole.

mod rows;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One row of a drift topic: a subject that drifted in a window, or the summary of the window.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DriftEvent {
    /// A hash of what the event is about: [`DriftEvent::seal`].
    pub id: String,
    /// One subject, or the window as a whole.
    pub kind: DriftKind,
    /// Whether it may still change.
    pub status: DriftStatus,
    /// How often the window was issued again after it was final.
    pub revision: i32,
    /// The record time in ms: the window's end.
    pub time_ms: i64,
    /// The window's first instant, in ms.
    pub window_start_ms: i64,
    /// The first instant after the window, in ms.
    pub window_end_ms: i64,
    /// The window as it is declared: `1 day`.
    pub window: String,
    /// The application.
    pub app: String,
    /// The stem of the watched topic.
    pub topic: String,
    /// What kind of thing it is about.
    pub subject: Subject,
    /// The column or metric; none for the whole.
    pub column: Option<String>,
    /// `country=NE`; none for all rows.
    pub segment: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// The arm of the deployment.
    pub arm: Option<String>,
    /// How it was measured: `psi`.
    pub method: String,
    /// The test's statistic.
    pub statistic: Option<f64>,
    /// The bound of the effect.
    pub threshold: Option<f64>,
    /// The p-value under independent rows; it decides nothing.
    pub p_value: Option<f64>,
    /// The p-value after correction over the window's columns.
    pub p_adjusted: Option<f64>,
    /// The effect size, which the threshold bounds.
    pub effect: Option<f64>,
    /// The lower end of the interval.
    pub low: Option<f64>,
    /// The upper end of the interval.
    pub high: Option<f64>,
    /// By how much the effect can be off since it was computed from bins; none where it is exact.
    pub error: Option<f64>,
    /// The window's rows that were compared.
    pub rows: i64,
    /// The reference's rows that were compared.
    pub reference_rows: i64,
    /// The rows of the sample that the p-value is of, where that is not every row.
    pub p_rows: Option<i64>,
    /// What the window was compared with.
    pub reference: String,
    /// Whether the effect exceeds the threshold.
    pub drifted: bool,
    /// The effect in units of its threshold.
    pub severity: f64,
    /// The subject's alarm after this window.
    pub alarm: AlarmState,
    /// Findings of one window that share a root cause share a number.
    pub cause_group: Option<i32>,
    /// 1 for the window's most severe cause; the findings of a group share its rank.
    pub rank: Option<i32>,
    /// What this finding only moves along with: `amount in country=NE`; none at the root itself, and without a cause.
    pub root: Option<String>,
    /// One sentence for a person.
    pub detail: String,
    /// Further figures by name.
    pub values: BTreeMap<String, f64>,
    /// What a person sees of the distributions of columns, over few bins: by column, with its segment where it has one,
    /// a JSON object of `bins`, `reference` and `current` (rows per bin).
    #[serde(default)]
    pub distributions: BTreeMap<String, String>,
}

/// What an event is: [`DriftEvent::kind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DriftKind {
    /// One subject that drifted.
    #[default]
    Finding,
    /// The window as a whole.
    Summary,
}

/// Whether an event may still change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DriftStatus {
    /// Rows of the window may still come.
    Provisional,
    /// The lateness bound has passed.
    #[default]
    Final,
    /// The window was final; what counts was corrected since.
    Revision,
}

/// What kind of thing an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// The distribution of a column of a feature topic.
    #[default]
    Data,
    /// The distribution of a model's scores.
    Prediction,
    /// A metric on labels.
    Performance,
    /// A metric estimated before labels come.
    Estimate,
    /// A constraint on the data.
    Quality,
    /// Rows outside of the training support.
    Domain,
    /// Served features that differ from recomputed ones.
    Skew,
    /// The stream of labels itself.
    Labels,
    /// Differences between groups.
    Fairness,
    /// All columns together.
    Dataset,
    /// A detector that watches single rows or the sequence of windows.
    Detector,
}

/// The state of a subject's alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlarmState {
    /// There is none.
    #[default]
    None,
    /// It has been raised.
    Open,
    /// A person has seen it.
    Acknowledged,
    /// A person has silenced it for a time.
    Muted,
    /// It was raised, and what raised it has gone.
    Closed,
}

impl DriftEvent {
    /// Sets the id: a hash of what the event is about (application, topic, subject, column, segment, model, version,
    /// arm, method), of its window, and of kind, status and revision; of nothing that was measured.
    pub fn seal(&mut self) {
        let maybe = |text: &Option<String>| text.as_ref().map_or(String::from("-"), |t| format!("+{t}"));
        self.id = super::id_of(&[
            &self.app,
            &self.topic,
            &super::text_of(&self.subject),
            &maybe(&self.column),
            &maybe(&self.segment),
            &maybe(&self.model),
            &maybe(&self.version),
            &maybe(&self.arm),
            &self.method,
            &self.window,
            &self.window_start_ms.to_string(),
            &self.window_end_ms.to_string(),
            &super::text_of(&self.kind),
            &super::text_of(&self.status),
            &self.revision.to_string(),
        ]);
    }
}

#[cfg(test)]
mod tests;

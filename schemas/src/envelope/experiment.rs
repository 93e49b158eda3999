//! What experiments say, and what is said to them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::id_of;
use super::record::Record;

/// What is known of an experiment at the end of a window.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ExperimentResult {
    /// [`ExperimentResult::id_of`] what it is about.
    pub id: String,
    /// The end of the window, or a command's own time, in ms.
    #[serde(rename = "time")]
    pub time_ms: i64,
    /// What kind of event it is.
    pub kind: ResultKind,
    /// The experiment's name.
    pub experiment: String,
    /// The stem of the prediction topic.
    pub topic: String,
    /// `shadow`, `ab`, `canary`, `bandit` or `interleave`.
    pub mode: String,
    /// The state after it.
    pub state: ExperimentState,
    /// The phase, from 0.
    pub phase: i32,
    /// Of a canary: the step, from 0.
    pub step: i32,
    /// The first instant of what is counted, in ms.
    #[serde(rename = "window_start")]
    pub window_start_ms: i64,
    /// The first instant after it, in ms.
    #[serde(rename = "window_end")]
    pub window_end_ms: i64,
    /// The offset of the deployment that it is about.
    pub deployment: i64,
    /// Of a comparison: the metric.
    pub metric: Option<String>,
    /// Of a comparison: the arm.
    pub arm: Option<String>,
    /// Of a comparison: what it is compared with.
    pub control: Option<String>,
    /// Of a comparison: the segment, as `column=value`.
    pub segment: Option<String>,
    /// Of a comparison: what the metric is for: `primary`, `secondary`, `guardrail` or `criterion`.
    pub role: Option<String>,
    /// Of a comparison: where the arm stands by it: `good`, `worse`, `undecided`, `too few` or `no evidence`.
    pub standing: Option<String>,
    /// Of a comparison: the test.
    pub method: Option<String>,
    /// Arm less control, in the metric's unit.
    pub estimate: Option<f64>,
    /// Lower end of the interval.
    pub low: Option<f64>,
    /// Upper end of the interval.
    pub high: Option<f64>,
    /// Of a comparison: its p-value.
    pub p_value: Option<f64>,
    /// Units of the arm that conclusions are about.
    pub units: i64,
    /// Those of the control.
    pub control_units: i64,
    /// Of a decision: what was decided.
    pub decision: Option<Decided>,
    /// Who decided: the service, or the person whose command it was.
    pub by: String,
    /// Of a decision: the deployment that it asks for, as JSON of a [`Deployment`](super::Deployment).
    pub deploys: Option<String>,
    /// One sentence that quotes the evidence.
    pub detail: String,
    /// Of a decision: the ids of the comparisons that it rests on.
    pub evidence: Vec<String>,
    /// Further figures by name.
    pub values: BTreeMap<String, Option<f64>>,
}

/// What kind of event a result is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResultKind {
    /// One metric of one arm.
    Comparison,
    /// The experiment as a whole.
    #[default]
    Status,
    /// Something is to change.
    Decision,
}

/// The life of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExperimentState {
    /// Declared and not started.
    #[default]
    Draft,
    /// Its arms serve.
    Running,
    /// Its arms serve, and nothing is concluded.
    Paused,
    /// Ended without a decision.
    Stopped,
    /// Ended with one.
    Decided,
}

impl ExperimentState {
    /// Whether anything may still become of the experiment.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }
}

/// What is decided of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decided {
    /// It begins.
    Start,
    /// A canary's next step.
    Advance,
    /// An arm becomes the champion.
    Promote,
    /// The champion serves alone again, since the arm is worse.
    Rollback,
    /// The champion serves alone again, since nothing was shown in time.
    Keep,
    /// Nothing is concluded for now.
    Pause,
    /// Conclusions are drawn again.
    Resume,
    /// It ends by command.
    Stop,
    /// It ends by command, and the champion serves alone again.
    Abort,
    /// A bandit's shares change.
    Reweigh,
}

impl fmt::Display for ExperimentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Draft => "draft",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Decided => "decided",
        })
    }
}

impl fmt::Display for Decided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Start => "start",
            Self::Advance => "advance",
            Self::Promote => "promote",
            Self::Rollback => "rollback",
            Self::Keep => "keep",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Stop => "stop",
            Self::Abort => "abort",
            Self::Reweigh => "reweigh",
        })
    }
}

impl fmt::Display for CommandKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Abort => "abort",
            Self::Decide => "decide",
        })
    }
}

impl ExperimentResult {
    /// The id of what is said about these parts: a hash, so that a replay says it under the same one.
    pub fn id_of(parts: &[&str]) -> String {
        id_of(parts)
    }
}

impl Record for ExperimentResult {
    const AVRO: &'static str = include_str!("../../experiment-results.avsc");
}

/// What a person says to an experiment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExperimentCommand {
    /// A random id.
    pub id: String,
    /// When it was said, in ms.
    #[serde(rename = "time")]
    pub time_ms: i64,
    /// The experiment's name.
    pub experiment: String,
    /// What is to be done.
    pub command: CommandKind,
    /// Of start: the definition as JSON. Of decide: the arm that becomes champion.
    pub argument: String,
    /// Who said it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// What can be said to an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CommandKind {
    /// Deploy its arms and begin to count.
    Start,
    /// End it; what serves goes on serving.
    Stop,
    /// Conclude nothing for now.
    Pause,
    /// Conclude again.
    Resume,
    /// End it; the champion serves alone again.
    Abort,
    /// End it; an arm becomes the champion.
    Decide,
}

impl Record for ExperimentCommand {
    const AVRO: &'static str = include_str!("../../experiment-commands.avsc");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::record::testing::round_trip;

    #[test]
    fn words_for_people_are_those_of_the_wire() {
        let wire = |word: serde_json::Result<String>| word.unwrap().trim_matches('"').to_owned();
        for decided in [Decided::Start, Decided::Rollback, Decided::Reweigh] {
            assert_eq!(decided.to_string(), wire(serde_json::to_string(&decided)));
        }
        for state in [ExperimentState::Draft, ExperimentState::Decided] {
            assert_eq!(state.to_string(), wire(serde_json::to_string(&state)));
        }
        assert_eq!(format!("{:8}|", CommandKind::Stop), "stop    |");
    }

    #[test]
    fn results_and_commands_survive_the_wire() {
        let status = ExperimentResult {
            id: ExperimentResult::id_of(&["a", "b"]),
            time_ms: 5,
            kind: ResultKind::Status,
            experiment: "x".into(),
            topic: "predictions".into(),
            mode: "ab".into(),
            state: ExperimentState::Running,
            phase: 1,
            window_start_ms: 1,
            window_end_ms: 5,
            deployment: 3,
            by: "experiments".into(),
            detail: "running".into(),
            values: BTreeMap::from([("power".into(), Some(0.5)), ("low".into(), None)]),
            ..Default::default()
        };
        let decision = ExperimentResult {
            kind: ResultKind::Decision,
            decision: Some(Decided::Promote),
            estimate: Some(0.25),
            role: Some("guardrail".into()),
            standing: Some("good".into()),
            evidence: vec!["e".into()],
            ..status.clone()
        };
        round_trip(&[status, decision]);
        round_trip(&[ExperimentCommand {
            id: "1".into(),
            time_ms: 2,
            experiment: "x".into(),
            command: CommandKind::Decide,
            argument: "b".into(),
            by: "somebody".into(),
            reason: String::new(),
        }]);
    }
}

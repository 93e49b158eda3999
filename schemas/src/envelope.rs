//! Schemas that Millrace itself defines: predictions and rankings, dead letters and alerts, deployments and experiments,
//! drift, retrain requests.

mod alert;
mod click_feedback;
mod dead_letter;
mod deployment;
mod drift;
mod drift_command;
mod experiment;
pub mod prediction;
pub mod ranking;
mod record;
mod retrain;

pub use alert::{Alert, ScorerStats};
pub use click_feedback::{ClickFeedback, FeedbackKind};
pub use dead_letter::DeadLetter;
pub use deployment::{Arm, ArmRole, Deployment, Draw};
pub use drift::{AlarmState, DriftEvent, DriftKind, DriftStatus, Subject};
pub use drift_command::DriftCommand;
pub use experiment::{
    CommandKind, Decided, ExperimentCommand, ExperimentResult, ExperimentState, ResultKind,
};
pub use record::Record;
pub use retrain::{RetrainRequest, TrainMode, TriggerKind};

use arrow::array::Array;
use arrow::record_batch::RecordBatch;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::Error;

fn column<'a, A: Array + 'static>(rows: &'a RecordBatch, name: &str) -> Result<&'a A, Error> {
    let column =
        rows.column_by_name(name).ok_or_else(|| Error::Envelope(format!("column `{name}` is missing")))?;
    column
        .as_any()
        .downcast_ref()
        .ok_or_else(|| Error::Envelope(format!("column `{name}` has the wrong type, {}", column.data_type())))
}

/// The word that stands for a unit variant on the wire.
fn text_of(variant: &impl Serialize) -> String {
    match serde_json::to_value(variant) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The variant that a word of the wire stands for.
fn of_text<T: DeserializeOwned>(name: &str, word: &str) -> Result<T, Error> {
    serde_json::from_value(serde_json::Value::String(word.to_owned()))
        .map_err(|e| Error::Envelope(format!("column `{name}`: {e}")))
}

/// 128 bits of SHA-256 over the parts, each after its length, in hex.
fn id_of(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

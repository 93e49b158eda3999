//! What an alarm is about.

use std::fmt;

use millrace_schemas::envelope::{DriftEvent, Subject};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What an alarm is about: a subject of one topic and model version, by one method.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AlarmKey {
    /// The stem of the watched topic.
    pub topic: String,
    /// What kind of thing it is.
    pub subject: Subject,
    /// The column or metric.
    pub column: Option<String>,
    /// The segment; none for all rows.
    pub segment: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// Its version: a new one starts without alarms.
    pub version: Option<String>,
    /// The arm of the deployment.
    pub arm: Option<String>,
    /// How it is measured.
    pub method: String,
    /// The declared window.
    pub window: String,
}

impl AlarmKey {
    /// What an event is about.
    pub fn of(event: &DriftEvent) -> Self {
        Self {
            topic: event.topic.clone(),
            subject: event.subject,
            column: event.column.clone(),
            segment: event.segment.clone(),
            model: event.model.clone(),
            version: event.version.clone(),
            arm: event.arm.clone(),
            method: event.method.clone(),
            window: event.window.clone(),
        }
    }

    /// Ten hex digits that stand for it on the command line.
    pub fn id(&self) -> String {
        let mut hash = Sha256::new();
        // A debug text tells a missing part from an empty one, and quotes what would run together.
        hash.update(format!("{self:?}"));
        hash.finalize().iter().take(5).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// `features amount (country=NE), psi`.
impl fmt::Display for AlarmKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.topic)?;
        if let Some(column) = &self.column {
            write!(f, " {column}")?;
        }
        if let Some(segment) = &self.segment {
            write!(f, " ({segment})")?;
        }
        write!(f, ", {}", self.method)
    }
}

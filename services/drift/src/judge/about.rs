//! What all events of a window have in common.

use millrace_schemas::envelope::{DriftEvent, DriftKind, DriftStatus, Subject};

use crate::window::WHOLE;

/// Which window of what is judged.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct About {
    /// The application.
    pub app: String,
    /// The stem of the watched topic.
    pub topic: String,
    /// What its columns are: [`Subject::Data`], or [`Subject::Prediction`] of a topic of scores.
    pub subject: Subject,
    /// The model.
    pub model: Option<String>,
    /// Its version.
    pub version: Option<String>,
    /// The arm of the deployment.
    pub arm: Option<String>,
    /// The declared window: `1 day`.
    pub window: String,
    /// The window's first instant, in ms.
    pub start_ms: i64,
    /// The first instant after it, in ms.
    pub end_ms: i64,
    /// Whether it may still change.
    pub status: DriftStatus,
    /// How often it was issued again.
    pub revision: i32,
    /// What it is compared with, for people.
    pub reference: String,
}

impl About {
    /// An event about the window; the whole's segment is none.
    pub fn event(&self, kind: DriftKind, subject: Subject, segment: &str, method: &str) -> DriftEvent {
        DriftEvent {
            kind,
            status: self.status,
            revision: self.revision,
            time_ms: self.end_ms,
            window_start_ms: self.start_ms,
            window_end_ms: self.end_ms,
            window: self.window.clone(),
            app: self.app.clone(),
            topic: self.topic.clone(),
            subject,
            segment: (segment != WHOLE).then(|| segment.to_owned()),
            model: self.model.clone(),
            version: self.version.clone(),
            arm: self.arm.clone(),
            method: method.to_owned(),
            reference: self.reference.clone(),
            ..DriftEvent::default()
        }
    }
}

//! What a closed window says: its profiles against the reference of the model that served, its outcomes against what
//! that model was deployed with.

mod detected;
mod estimate;
mod fairness;
mod models;
mod outcomes;
mod rows;
mod skew;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};

use millrace_schemas::envelope::DriftStatus;
use millrace_topics::DriftTable;

pub use models::{Loaded, ModelFacts, Models, QUALITY, REFERENCE, THRESHOLDS};
#[cfg(test)]
pub use rows::of_window_before;

use estimate::AllLearnt;

use super::detect::Declared;
use super::notes::Span;
use super::stream::Stream;
use crate::judge::{About, Options};
use crate::reference::Season;
use crate::window::WindowSpec;

/// What judging needs to know of the application.
pub struct Judging {
    /// The application.
    pub app: String,
    /// What the topic file says.
    pub table: DriftTable,
    /// The windows.
    pub windows: WindowSpec,
    /// What repeats.
    pub season: Option<Season>,
    /// The watched topics.
    pub streams: Vec<Arc<Stream>>,
    /// The model versions, with their references.
    pub models: Models,
    /// The model that is declared first, by name and version.
    pub first: Option<(String, String)>,
    /// How windows are judged.
    pub options: Options,
    /// The detectors.
    pub detectors: Arc<Vec<Declared>>,
    /// What references teach about scores, once it was asked for.
    pub learnt: Mutex<AllLearnt>,
}

impl Judging {
    /// Whether a window lies before those that are judged.
    fn too_early(&self, start_ms: i64) -> bool {
        self.table.judge_from_ms.is_some_and(|from_ms| start_ms < from_ms)
    }

    fn about(&self, topic: &str, window: Span, status: DriftStatus) -> About {
        About {
            app: self.app.clone(),
            topic: topic.to_owned(),
            window: self.windows.text(),
            start_ms: window.start_ms,
            end_ms: window.end_ms,
            status,
            ..About::default()
        }
    }
}

fn status(provisional: bool, revision: i32) -> DriftStatus {
    match (provisional, revision) {
        (true, _) => DriftStatus::Provisional,
        (false, 0) => DriftStatus::Final,
        (false, _) => DriftStatus::Revision,
    }
}

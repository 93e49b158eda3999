//! The model version that serves now, shared between the tasks and what watches deployments.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use arrow::datatypes::SchemaRef;
use metrics::{Histogram, histogram};
use millrace_topics::ModelRef;

use crate::matrix::InputColumns;
use crate::onnx::Model;
use crate::repository::{self, StoredModel};
use crate::{Error, ModelFile};

/// A deployed version, loaded and checked.
pub struct Champion {
    /// The offset of the deployment event.
    pub deployment: i64,
    /// Its inputs among the feature columns.
    pub columns: InputColumns,
    stored: StoredModel,
    /// Sessions that no batch uses right now: as many as workers ever scored at once.
    idle: Mutex<Vec<Model>>,
    seconds: Histogram,
}

impl Champion {
    /// Loads a version from the repository at `root` and checks it against the columns of the feature topic.
    pub fn load(
        root: &std::path::Path,
        reference: &ModelRef,
        deployment: i64,
        features: &FeatureColumns,
    ) -> Result<Self, Error> {
        let stored = repository::read(root, reference)?;
        let columns = InputColumns::find(&stored.file, &features.schema).map_err(|problems| {
            Error::Misfit { model: reference.to_string(), features: features.topic.clone(), problems }
        })?;
        let idle = Mutex::new(vec![Model::load(&stored)?]);
        let labels = [("model", reference.model.clone()), ("version", reference.version.clone())];
        Ok(Self { deployment, columns, stored, idle, seconds: histogram!("millrace_model_seconds", &labels) })
    }

    /// The version.
    pub fn reference(&self) -> &ModelRef {
        &self.stored.reference
    }

    /// What its `model.toml` says.
    pub fn file(&self) -> &ModelFile {
        &self.stored.file
    }

    /// The scores of a matrix, see [`Model::score`]. Measured as `millrace_model_seconds`.
    pub fn score(&self, matrix: &[f32]) -> Result<Vec<f64>, Error> {
        let start = Instant::now();
        let idle = lock(&self.idle).pop();
        let mut model = match idle {
            Some(model) => model,
            None => Model::load(&self.stored)?,
        };
        let scores = model.score(matrix)?;
        lock(&self.idle).push(model);
        self.seconds.record(start.elapsed());
        Ok(scores)
    }
}

/// The columns that a feature topic has.
#[derive(Debug, Clone)]
pub struct FeatureColumns {
    /// Its Kafka name.
    pub topic: String,
    /// Its rows' schema.
    pub schema: SchemaRef,
}

/// What tasks take their model from, and what watches deployments puts it into.
#[derive(Clone)]
pub struct Serving(Arc<Mutex<State>>);

struct State {
    champion: Option<Arc<Champion>>,
    /// Why there is no champion yet.
    waiting: String,
    /// Why nothing will come any more.
    dead: Option<String>,
}

impl Serving {
    /// Nothing serves yet, because of `waiting`.
    pub fn new(waiting: impl Into<String>) -> Self {
        Self(Arc::new(Mutex::new(State { champion: None, waiting: waiting.into(), dead: None })))
    }

    /// From the next batch on, this one serves.
    pub fn set(&self, champion: Champion) {
        lock(&self.0).champion = Some(Arc::new(champion));
    }

    /// Says why nothing serves yet.
    pub fn wait_because(&self, why: impl Into<String>) {
        lock(&self.0).waiting = why.into();
    }

    /// Says that deployments are watched no longer: tasks stop instead of missing one.
    pub fn fail(&self, why: impl Into<String>) {
        lock(&self.0).dead = Some(why.into());
    }

    /// The version that serves; else why none does.
    pub fn champion(&self) -> Result<Arc<Champion>, String> {
        let state = lock(&self.0);
        match (&state.dead, &state.champion) {
            (Some(why), _) => Err(why.clone()),
            (None, Some(champion)) => Ok(champion.clone()),
            (None, None) => Err(state.waiting.clone()),
        }
    }
}

/// A panic while a lock is held ends the process; the values behind these locks are whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The model repository of an application.
pub fn repository_of(app: &millrace_topics::Application) -> PathBuf {
    app.folder.join(repository::MODELS)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;
    use crate::testing::{champion, feature_columns, models, version};

    #[test]
    fn a_model_that_does_not_fit_the_features_is_told_with_every_input_that_is_missing() {
        let mut features = feature_columns();
        features.schema = Arc::new(Schema::new(vec![
            Field::new("ammount", DataType::Float64, true),
            Field::new("night", DataType::Utf8, true),
            Field::new("customer_tx_1d", DataType::Int64, true),
        ]));
        let error = Champion::load(&models(), &version("logistic"), 0, &features).err().unwrap();
        let text = error.to_string();
        assert!(
            text.contains("`ammount`") && text.contains("input 2 `night`") && text.contains("fraud.features"),
            "{text}"
        );
    }

    #[test]
    fn workers_that_score_at_once_have_a_session_each_and_keep_it() {
        let champion = champion("trees", 0);
        let expected = champion.score(&[1.0, 0.0, 3.0]).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        assert_eq!(champion.score(&[1.0, 0.0, 3.0]).unwrap(), expected);
                    }
                });
            }
        });
        let sessions = lock(&champion.idle).len();
        assert!((1..=3).contains(&sessions), "{sessions} sessions");
    }
}

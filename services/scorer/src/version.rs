//! A model version that is loaded, warmed up and ready to score.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arrow::datatypes::SchemaRef;
use metrics::{Histogram, histogram};
use millrace_topics::ModelRef;

use crate::matrix::InputColumns;
use crate::onnx::Model;
use crate::repository::{self, StoredModel};
use crate::{Error, Missing, ModelFile};

/// The columns of the rows that models score.
#[derive(Debug, Clone)]
pub struct FeatureColumns {
    /// The Kafka name of the topic that they come from.
    pub topic: String,
    /// The rows' schema. Where one record holds several rows (a request its candidates), this is the schema of the rows.
    pub schema: SchemaRef,
}

/// A loaded version. Several threads may score with it at once.
pub struct Version {
    /// Its inputs among the feature columns.
    pub columns: InputColumns,
    stored: StoredModel,
    /// Sessions that no batch uses right now.
    idle: Mutex<Vec<Model>>,
    /// Sessions there are: as many as threads ever scored at once, or more.
    sessions: AtomicUsize,
    seconds: Histogram,
}

/// The scores of a matrix, and what they took.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// One a row; it may be infinite or NaN. The error is what the model says of that row.
    pub scores: Vec<Result<f64, String>>,
    /// In the model.
    pub took: Duration,
}

impl Version {
    /// Loads a version from the repository at `root`, checks it against the columns of the rows, and warms up `sessions`
    /// sessions, at least one.
    pub fn load(
        root: &Path,
        reference: &ModelRef,
        features: &FeatureColumns,
        sessions: usize,
    ) -> Result<Self, Error> {
        let stored = repository::read(root, reference)?;
        let columns = InputColumns::find(&stored.file, &features.schema).map_err(|problems| {
            Error::Misfit { model: reference.to_string(), features: features.topic.clone(), problems }
        })?;
        let sessions = sessions.max(1);
        let idle = (0..sessions).map(|_| warmed(&stored)).collect::<Result<Vec<_>, _>>()?;
        let labels = [("model", reference.model.clone()), ("version", reference.version.clone())];
        Ok(Self {
            columns,
            stored,
            idle: Mutex::new(idle),
            sessions: AtomicUsize::new(sessions),
            seconds: histogram!("millrace_model_seconds", &labels),
        })
    }

    /// Which version it is.
    pub fn reference(&self) -> &ModelRef {
        &self.stored.reference
    }

    /// What its `model.toml` says.
    pub fn file(&self) -> &ModelFile {
        &self.stored.file
    }

    /// How many sessions it has.
    pub fn sessions(&self) -> usize {
        self.sessions.load(Ordering::Relaxed)
    }

    /// The scores of a matrix, see [`Model::score`]. Measured as `millrace_model_seconds`.
    pub fn score(&self, matrix: &[f32]) -> Result<Vec<f64>, Error> {
        let start = Instant::now();
        let scores = self.with_session(|model| model.score(matrix))?;
        self.seconds.record(start.elapsed());
        Ok(scores)
    }

    /// The scores of a matrix, all or none.
    pub fn score_all(&self, matrix: &[f32]) -> Result<Scored, Error> {
        let start = Instant::now();
        let scores = self.score(matrix)?.into_iter().map(Ok).collect();
        Ok(Scored { scores, took: start.elapsed() })
    }

    /// As [`Self::score`], row by row where the model fails on all of them together, so that a row that it cannot take
    /// costs no other one. A model that cannot even be asked fails on every row.
    pub fn score_each(&self, matrix: &[f32]) -> Scored {
        let start = Instant::now();
        let rows = matrix.chunks(self.file().inputs.len().max(1));
        let scores = match self.score(matrix) {
            Ok(scores) => scores.into_iter().map(Ok).collect(),
            Err(_) => rows.map(|row| self.score_one(row)).collect(),
        };
        Scored { scores, took: start.elapsed() }
    }

    fn score_one(&self, row: &[f32]) -> Result<f64, String> {
        let scores = self.with_session(|model| model.score(row)).map_err(|error| error.to_string())?;
        scores.first().copied().ok_or_else(|| "the model gave no score".to_owned())
    }

    fn with_session<T>(&self, run: impl FnOnce(&mut Model) -> Result<T, Error>) -> Result<T, Error> {
        let idle = lock(&self.idle).pop();
        let mut model = match idle {
            Some(model) => model,
            None => {
                self.sessions.fetch_add(1, Ordering::Relaxed);
                Model::load(&self.stored)?
            }
        };
        let result = run(&mut model);
        lock(&self.idle).push(model);
        result
    }
}

/// A session that has run once. Warm-up rows that `model.toml` gives must get finite scores.
fn warmed(stored: &StoredModel) -> Result<Model, Error> {
    let mut model = Model::load(stored)?;
    let fail = |message: String| Error::Model { model: stored.reference.to_string(), message };
    let rows = &stored.file.warm_up;
    if rows.is_empty() {
        let defaults = stored.file.inputs.iter().map(|input| match input.missing {
            Missing::Default(value) => value,
            Missing::Reject => 0.0,
        });
        model.score(&defaults.collect::<Vec<_>>())?;
        return Ok(model);
    }
    let scores = model.score(&rows.concat())?;
    match scores.iter().position(|score| !score.is_finite()) {
        None => Ok(model),
        Some(row) => Err(fail(format!("warm_up: row {} gets the score {}", row + 1, scores[row]))),
    }
}

/// A panic while a lock is held ends the process; the values behind these locks are whole at any time.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::{DataType, Field, Schema};

    use super::*;
    use crate::testing::{feature_columns, models, version, version_named};

    #[test]
    fn a_model_that_does_not_fit_the_features_is_told_with_every_input_that_is_missing() {
        let mut features = feature_columns();
        features.schema = Arc::new(Schema::new(vec![
            Field::new("ammount", DataType::Float64, true),
            Field::new("night", DataType::Utf8, true),
            Field::new("customer_tx_1d", DataType::Int64, true),
        ]));
        let error = Version::load(&models(), &version_named("logistic"), &features, 1).err().unwrap();
        let text = error.to_string();
        assert!(
            text.contains("`ammount`") && text.contains("input 2 `night`") && text.contains("fraud.features"),
            "{text}"
        );
    }

    #[test]
    fn workers_that_score_at_once_have_a_session_each_and_keep_it() {
        let version = version("trees");
        let expected = version.score(&[1.0, 0.0, 3.0]).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        assert_eq!(version.score(&[1.0, 0.0, 3.0]).unwrap(), expected);
                    }
                });
            }
        });
        let sessions = lock(&version.idle).len();
        assert!((1..=3).contains(&sessions), "{sessions} sessions");
        assert_eq!(sessions, version.sessions());
    }

    #[test]
    fn warm_up_rows_must_get_finite_scores() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("overflow/1");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::copy(models().join("overflow/1/model.onnx"), folder.join("model.onnx")).unwrap();
        let text = std::fs::read_to_string(models().join("overflow/1/model.toml")).unwrap();
        let load = |rows: &str| {
            std::fs::write(folder.join("model.toml"), format!("warm_up = {rows}\n{text}")).unwrap();
            Version::load(root.path(), &version_named("overflow"), &feature_columns(), 2)
        };
        assert_eq!(load("[[1, 0, 2]]").ok().unwrap().sessions(), 2);
        // amount x 5 overflows in this model.
        let error = load("[[1, 0, 2], [3.4e38, 0, 2]]").err().unwrap().to_string();
        assert!(error.contains("overflow/1: warm_up: row 2 gets the score inf"), "{error}");
    }
}

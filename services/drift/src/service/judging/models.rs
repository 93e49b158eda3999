//! Model versions as the repository has them: references, thresholds, and what they were deployed with.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::Deserialize;

use crate::judge::{Against, Thresholds, against};
use crate::reference::{Quality, Reference, Season, Support};
use crate::service::Error;
use crate::window::{WHOLE, Window};

/// What windows are compared with, and how.
pub struct Loaded {
    /// The reference.
    pub reference: Reference,
    /// From which effect on a subject has drifted.
    pub thresholds: Thresholds,
    /// What must hold of every window.
    pub quality: Quality,
    /// Which rows look like none of the reference.
    pub support: Option<Support>,
    /// All of the reference's blocks, merged once.
    total: OnceLock<Against>,
    /// The scores that the reference keeps, as profiles of prediction topics, by their stem.
    scores: Mutex<BTreeMap<String, Option<Arc<Self>>>>,
}

impl Loaded {
    /// Of a reference and what belongs to it.
    pub fn new(
        reference: Reference,
        thresholds: Thresholds,
        quality: Quality,
        support: Option<Support>,
    ) -> Self {
        let (total, scores) = (OnceLock::new(), Mutex::default());
        Self { reference, thresholds, quality, support, total, scores }
    }

    /// What the segments of a window are compared with.
    pub fn against(&self, season: Option<Season>, window: Window) -> Cow<'_, Against> {
        match season.filter(|season| window.end_ms - window.start_ms < season.period_ms()) {
            Some(season) => Cow::Owned(against(&self.reference, Some(season), window)),
            None => Cow::Borrowed(self.total.get_or_init(|| against(&self.reference, None, window))),
        }
    }

    /// The scores of a prediction topic, made by `make` the first time.
    pub fn scores(
        &self,
        stem: &str,
        make: impl FnOnce(&Reference, &Thresholds) -> Result<Option<Self>, Error>,
    ) -> Result<Option<Arc<Self>>, Error> {
        let mut known = self.scores.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(stem) {
            return Ok(found.clone());
        }
        let made = make(&self.reference, &self.thresholds)?.map(Arc::new);
        known.insert(stem.to_owned(), made.clone());
        Ok(made)
    }
}

/// What a model file says, as far as it matters here.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelFacts {
    /// Scores from here on are decided as positive.
    pub threshold: Option<f64>,
    /// Offline metrics, by name.
    pub metrics: BTreeMap<String, f64>,
    /// How many rows it was trained on.
    pub trained: Option<u64>,
}

/// The files of an application, read once each.
pub struct Models {
    app: PathBuf,
    references: Mutex<BTreeMap<PathBuf, Option<Arc<Loaded>>>>,
    facts: Mutex<BTreeMap<PathBuf, ModelFacts>>,
}

/// The reference file, in a model version's folder or in the application's.
pub const REFERENCE: &str = "reference.parquet";
/// The calibrated thresholds, beside the reference.
pub const THRESHOLDS: &str = "thresholds.toml";
/// The constraints on data quality, beside the reference.
pub const QUALITY: &str = "quality.toml";

impl Models {
    /// Of the application in a folder.
    pub fn new(app: &Path) -> Self {
        Self { app: app.to_owned(), references: Mutex::default(), facts: Mutex::default() }
    }

    /// The folder of a model version.
    pub fn folder(&self, model: &str, version: &str) -> PathBuf {
        self.app.join("models").join(model).join(version)
    }

    /// The reference of a model version; none: it has none.
    pub fn reference(&self, model: &str, version: &str) -> Result<Option<Arc<Loaded>>, Error> {
        self.load(&self.folder(model, version))
    }

    /// The application's own reference: a range of its topic.
    pub fn own_reference(&self) -> Result<Option<Arc<Loaded>>, Error> {
        self.load(&self.app)
    }

    fn load(&self, folder: &Path) -> Result<Option<Arc<Loaded>>, Error> {
        let mut known = self.references.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(folder) {
            return Ok(found.clone());
        }
        let path = folder.join(REFERENCE);
        let loaded = if path.exists() { Some(Arc::new(load(&path)?)) } else { None };
        known.insert(folder.to_owned(), loaded.clone());
        Ok(loaded)
    }

    /// What the model file of a version says; nothing where there is none that can be read.
    pub fn facts(&self, model: &str, version: &str) -> ModelFacts {
        let folder = self.folder(model, version);
        let mut known = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(folder).or_insert_with_key(|folder| facts(&folder.join("model.toml"))).clone()
    }
}

fn load(path: &Path) -> Result<Loaded, Error> {
    let (reference, _) = Reference::read(path)?;
    let beside = |name: &str| {
        let file = path.with_file_name(name);
        std::fs::read_to_string(&file).ok().map(|text| (file.display().to_string(), text))
    };
    let wrong = |file: &str, error: &dyn std::fmt::Display| Error::ModelFile {
        file: file.to_owned(),
        message: error.to_string(),
    };
    let thresholds = match beside(THRESHOLDS) {
        Some((file, text)) => Thresholds::from_toml(&file, &text).map_err(|e| wrong(&file, &e))?,
        None => conventional(&reference),
    };
    let quality = match beside(QUALITY) {
        Some((file, text)) => Quality::from_toml(&file, &text).map_err(|e| wrong(&file, &e))?,
        None => Quality::learn(&reference),
    };
    let support = reference.total(WHOLE).as_ref().and_then(Support::of);
    Ok(Loaded::new(reference, thresholds, quality, support))
}

/// Thresholds where nothing was calibrated.
pub fn conventional(reference: &Reference) -> Thresholds {
    let rows = reference.blocks.iter().filter_map(|block| block.segments.get(WHOLE)).map(|p| p.rows()).max();
    Thresholds::conventional(&reference.plan, &reference.segments(), rows.unwrap_or(0), &[])
}

fn facts(file: &Path) -> ModelFacts {
    #[derive(Deserialize, Default)]
    struct File {
        decision: Option<Decision>,
        training: Option<Training>,
        #[serde(default)]
        metrics: BTreeMap<String, f64>,
    }
    #[derive(Deserialize)]
    struct Decision {
        threshold: f64,
    }
    #[derive(Deserialize)]
    struct Training {
        rows: Option<u64>,
    }
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let file: File = toml::from_str(&text).unwrap_or_default();
    ModelFacts {
        threshold: file.decision.map(|decision| decision.threshold),
        metrics: file.metrics,
        trained: file.training.and_then(|training| training.rows),
    }
}

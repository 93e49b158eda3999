//! Where a topic file's `schema` is found, and whether it still reads what was written before.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use millrace_schemas::envelope::{
    Alert, ClickFeedback, DeadLetter, Deployment, DriftCommand, DriftEvent, ExperimentCommand,
    ExperimentResult, Record as _, RetrainRequest, ScorerStats, prediction, ranking,
};
use millrace_schemas::{TopicSchema, compatibility};

/// The schemas of topics that Millrace itself writes.
const BUILT_IN: [(&str, &str); 12] = [
    ("alerts.avsc", Alert::AVRO),
    ("click-feedback.avsc", ClickFeedback::AVRO),
    ("dead-letters.avsc", DeadLetter::AVRO),
    ("deployments.avsc", Deployment::AVRO),
    ("drift-commands.avsc", DriftCommand::AVRO),
    ("drift.avsc", DriftEvent::AVRO),
    ("experiment-commands.avsc", ExperimentCommand::AVRO),
    ("experiment-results.avsc", ExperimentResult::AVRO),
    ("predictions.avsc", prediction::AVRO),
    ("rankings.avsc", ranking::AVRO),
    ("retrain-requests.avsc", RetrainRequest::AVRO),
    ("scorer-stats.avsc", ScorerStats::AVRO),
];

/// The folders of an application, in which schema files are looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Folders<'a> {
    /// The folder of applications.
    pub applications: &'a Path,
    /// The application's own.
    pub application: &'a Path,
}

/// Finds and reads the schema that a topic file names. The errors are messages about the key `schema`.
pub(crate) fn read_schema(folders: Folders<'_>, name: &str) -> Result<Arc<TopicSchema>, Vec<String>> {
    let places = folders.places(name);
    let Some(path) = places.iter().find(|place| place.is_file()) else {
        let built_in = BUILT_IN.iter().find(|(known, _)| *known == name);
        return built_in.map_or_else(|| Err(vec![not_found(name, &places)]), |(_, avro)| parse(avro));
    };
    let avro = std::fs::read_to_string(path)
        .map_err(|error| vec![format!("{} cannot be read: {error}", path.display())])?;
    let schema = parse(&avro)?;
    let broken = compatibility::check_history(path).into_iter().map(|problem| {
        let field = problem.field.map(|field| format!("field `{field}` ")).unwrap_or_default();
        format!("{}: {field}{}", problem.file.display(), problem.message)
    });
    let broken: Vec<String> = broken.collect();
    if broken.is_empty() { Ok(schema) } else { Err(broken) }
}

impl Folders<'_> {
    /// The application's name.
    pub(crate) fn name(&self) -> String {
        self.application.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn places(&self, name: &str) -> Vec<PathBuf> {
        let beside = match self.applications.file_name() {
            Some(_) => self.applications.with_file_name("schemas"),
            None => self.applications.join("../schemas"),
        };
        vec![self.application.join(name), beside.join(name), self.applications.join("schemas").join(name)]
    }
}

fn not_found(name: &str, places: &[PathBuf]) -> String {
    let places: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
    format!(
        "there is no schema `{name}`; looked for {}, and among the schemas that Millrace brings ({})",
        places.join(", "),
        BUILT_IN.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    )
}

fn parse(avro: impl AsRef<str>) -> Result<Arc<TopicSchema>, Vec<String>> {
    TopicSchema::parse(avro.as_ref()).map(Arc::new).map_err(|error| vec![error.to_string()])
}

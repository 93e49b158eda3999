//! What topic files say, after reading and checking.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use millrace_schemas::{Format, TopicSchema};

use crate::{
    ClickFeedbackTable, DraftFile, DriftTable, ExperimentDefinition, ExperimentsTable, Partitioner,
    RankingsTable, RetrainTable,
};

/// One application: a folder `topics/<name>/`.
#[derive(Debug, Clone)]
pub struct Application {
    /// The folder's name; Kafka names are `<name>.<stem>`.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
    /// Its topics, by ascending stem.
    pub topics: Vec<Topic>,
    /// The experiments that its files define: drafts until a command starts them.
    pub definitions: Vec<ExperimentDefinition>,
    /// Files of experiments that cannot be started as they are. Nothing else of the application hangs on them.
    pub unsound: Vec<UnsoundDraft>,
    /// Where the definitions are, by their names.
    pub draft_files: BTreeMap<String, DraftFile>,
}

/// An experiment whose file has problems.
#[derive(Debug, Clone)]
pub struct UnsoundDraft {
    /// Its name, or the file's stem where that cannot be read.
    pub name: String,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// One topic file.
#[derive(Debug, Clone)]
pub struct Topic {
    /// The file's stem: `transactions`.
    pub stem: String,
    /// The file.
    pub file: PathBuf,
    /// One line for people.
    pub title: String,
    /// How it exists in Kafka. For a derived topic without a `schema` key, `kafka.schema` is `None` until its service
    /// derives it.
    pub kafka: KafkaTopic,
    /// The column that is the record time, for sources.
    pub time: Option<String>,
    /// The column that is the event's own id.
    pub id: Option<String>,
    /// How far a record time may lie past Kafka's own timestamp of the record, in ms.
    pub max_ahead_ms: i64,
    /// Who writes it.
    pub role: Role,
    /// The line of each key in the file (`features.max_skew`), from 1, for problems that are found later.
    pub lines: BTreeMap<String, usize>,
}

/// A topic as Kafka and the schema registry know it.
#[derive(Debug, Clone)]
pub struct KafkaTopic {
    /// The Kafka name: `fraud.transactions`. The registry's subject is `<name>-value`.
    pub name: String,
    /// How records are written.
    pub format: Format,
    /// The rows' schema.
    pub schema: Option<Arc<TopicSchema>>,
    /// The column whose UTF-8 text is the record's key; `None`: records have no key.
    pub key: Option<String>,
    /// How keys map to partitions.
    pub partitioner: Partitioner,
    /// How many partitions it has.
    pub partitions: u32,
    /// How long records are kept, in ms; `None`: forever.
    pub retention_ms: Option<i64>,
    /// Other topic settings that Millrace needs, such as `cleanup.policy`.
    pub settings: BTreeMap<String, String>,
}

/// Who writes a topic, and what its own table says.
#[derive(Debug, Clone)]
pub enum Role {
    /// Something outside.
    Source,
    /// `[features]`: the service features.
    Features(FeaturesTable),
    /// `[predictions]`: the service scorer.
    Predictions(PredictionsTable),
    /// `[deployments]`: `topics apply` and `deploy`.
    Deployments(DeploymentsTable),
    /// `[drift]`: the service drift.
    Drift(Box<DriftTable>),
    /// `[retrain]`: the service drift.
    Retrain(RetrainTable),
    /// `drift-commands.toml`: `millrace drift alarms`.
    DriftCommands,
    /// `[rankings]`: the service scorer.
    Rankings(RankingsTable),
    /// `[click_feedback]`: the service experiments.
    ClickFeedback(ClickFeedbackTable),
    /// `[experiments]`: the service experiments; results and decisions.
    Experiments(ExperimentsTable),
    /// `experiment-commands.toml`: `millrace experiment`.
    ExperimentCommands,
    /// `alerts.toml`: services, of what a person should know.
    Alerts,
    /// `scorer-stats.toml`: the service scorer.
    ScorerStats,
    /// `dead-letters.toml`: every service.
    DeadLetters,
}

/// `[features]` of a topic file, and the `.sql` file beside it.
#[derive(Debug, Clone)]
pub struct FeaturesTable {
    /// The view's SQL.
    pub sql: String,
    /// The file that holds it.
    pub sql_file: PathBuf,
    /// Where the first run begins.
    pub start: Start,
    /// How far one partition may run ahead of another, in ms of record time.
    pub max_skew_ms: i64,
    /// How long a partition waits for another at most, in ms of wall time.
    pub max_wait_ms: i64,
    /// How late a row may be and still count, in ms.
    pub lateness_ms: i64,
    /// The longest time that ROWS frames look back, in ms.
    pub horizon_ms: Option<i64>,
}

/// Where a view begins when nothing is committed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the first record of the log.
    Earliest,
    /// At the log ends of the first start: earlier rows warm the state and are not emitted.
    Now,
    /// At a record time in ms: earlier rows warm the state and are not emitted.
    Time(i64),
}

/// `[predictions]` of a topic file.
#[derive(Debug, Clone)]
pub struct PredictionsTable {
    /// The stem of the feature topic that is scored.
    pub features: String,
    /// The column that names the unit of assignment (its text is the prediction's key, too).
    pub unit: String,
    /// Columns that each prediction passes on in `context`.
    pub context: Vec<String>,
    /// A random slice of the events whose decision does not hang on the score.
    pub explore: Option<ExploreTable>,
}

/// `explore` of `[predictions]`: a random slice of the events that gets one decision whatever the score. Where outcomes
/// are known of some decisions alone (a payment that was stopped is never seen to be honest), its labels are not biased by
/// what models decided before.
#[derive(Debug, Clone, PartialEq)]
pub struct ExploreTable {
    /// The share of the events, a whole number of ten-thousandths.
    pub share: f64,
    /// Their decision.
    pub decision: String,
}

/// `[deployments]` of a topic file.
#[derive(Debug, Clone, Default)]
pub struct DeploymentsTable {
    /// The first champion of each prediction topic, by stem.
    pub first: BTreeMap<String, ModelRef>,
}

/// A model version: `<model>/<version>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelRef {
    /// The model's name.
    pub model: String,
    /// Its version.
    pub version: String,
}

impl ModelRef {
    /// Reads `<model>/<version>`, as `Display` writes it; `None` where the text has another form.
    pub fn parse(text: &str) -> Option<Self> {
        let (model, version) = text.split_once('/')?;
        let usable = |part: &str| {
            !part.starts_with('.') && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        let named = !model.is_empty() && !version.is_empty() && usable(model) && usable(version);
        named.then(|| Self { model: model.to_owned(), version: version.to_owned() })
    }
}

impl fmt::Display for ModelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.model, self.version)
    }
}

/// Something wrong in an application, for a person to mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, relative to the folder of applications.
    pub file: PathBuf,
    /// The line in the file, from 1, where it is known.
    pub line: Option<usize>,
    /// The key (`features.max_skew`), or the place in SQL, where it is known.
    pub key: Option<String>,
    /// What is wrong, and what to write instead.
    pub message: String,
}

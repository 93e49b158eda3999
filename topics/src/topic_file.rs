//! One topic file: `<application>/<stem>.toml`, and the `.sql` beside a `[features]` table.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use millrace_schemas::envelope::{
    Alert, ClickFeedback, DeadLetter, Deployment, DriftCommand, DriftEvent, ExperimentCommand,
    ExperimentResult, Record as _, RetrainRequest, ScorerStats, prediction, ranking,
};
use millrace_schemas::{Format, TopicSchema};

use crate::instant::instant_ms;
use crate::near::near;
use crate::schema_file::{Folders, read_schema};
use crate::table::{Document, Table};
use crate::{
    DeploymentsTable, ExploreTable, FeaturesTable, KafkaTopic, ModelRef, Partitioner, PredictionsTable,
    Problem, Role, Start, Topic, check_columns,
};
use crate::{drift_file, experiments_file, retrain_file};

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;
/// More partitions than this on one topic are a slip of the pen.
const MAX_PARTITIONS: i64 = 100_000;

/// The stem of the topic of deployments.
pub(crate) const DEPLOYMENTS: &str = "deployments";
/// The stem of the topic of dead letters.
pub(crate) const DEAD_LETTERS: &str = "dead-letters";
/// The stem of the topic of what people say to alarms.
pub(crate) const DRIFT_COMMANDS: &str = "drift-commands";
/// The stem of the topic of what people say to experiments.
pub(crate) const EXPERIMENT_COMMANDS: &str = "experiment-commands";
/// The stem of the topic of what a person should know of how services do.
pub(crate) const ALERTS: &str = "alerts";
/// The stem of the topic of how long models take and what they miss.
pub(crate) const SCORER_STATS: &str = "scorer-stats";

/// Reads a topic file; `None` where it is no TOML at all. Whatever is wrong is a problem, and a default stands in.
pub(crate) fn read_topic(folders: Folders<'_>, stem: &str) -> (Option<Topic>, Vec<Problem>) {
    let file = folders.application.join(format!("{stem}.toml"));
    match std::fs::read_to_string(&file) {
        Ok(text) => parse_topic(folders, stem, &file, &text),
        Err(error) => (None, vec![Problem::new(&file, None, None, format!("cannot be read: {error}"))]),
    }
}

/// The topic that stands where an application has no file of this stem.
pub(crate) fn built_in_topic(folders: Folders<'_>, stem: &str) -> Option<Topic> {
    parse_topic(folders, stem, &folders.application.join(format!("{stem}.toml")), "").0
}

fn parse_topic(folders: Folders<'_>, stem: &str, file: &Path, text: &str) -> (Option<Topic>, Vec<Problem>) {
    let document = Document::new(file, text);
    let topic = document.parse().map(|root| {
        let root = Table::root(&document, &root);
        let topic = TopicReader { folders, stem, file, root: &root }.read();
        root.refuse_unknown();
        topic
    });
    let (mut problems, lines) = document.finish();
    let topic = topic.map(|topic| Topic { lines, ..topic });
    if let Some(topic) = &topic
        && let Some(schema) = &topic.kafka.schema
    {
        problems.extend(check_columns(topic, schema.arrow()));
    }
    (topic, problems)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Source,
    Features,
    Predictions,
    Deployments,
    Drift,
    Retrain,
    DriftCommands,
    Rankings,
    ClickFeedback,
    Experiments,
    ExperimentCommands,
    Alerts,
    ScorerStats,
    DeadLetters,
}

struct TopicReader<'r, 'd, 'a> {
    folders: Folders<'r>,
    stem: &'r str,
    file: &'r Path,
    root: &'r Table<'d, 'a>,
}

impl TopicReader<'_, '_, '_> {
    fn read(&self) -> Topic {
        let root = self.root;
        let kind = self.kind();
        let partitioners = [("murmur2", Partitioner::Murmur2), ("crc32", Partitioner::Crc32)];
        let title = root.string("title", "Card payments").unwrap_or(self.stem);
        let schema = self.schema(kind);
        let format = root.choice("format", &[("avro", Format::Avro), ("json", Format::Json)]);
        let key = self.column("key", "customer_id").or_else(|| default_column(kind, "key"));
        let partitioner = root.choice("partitioner", &partitioners);
        let time = self.column("time", "tx_time").or_else(|| default_column(kind, "time"));
        if kind == Kind::Source && !root.has("time") {
            let message =
                "is missing; name the column that is the record time, for example time = \"created_at\"";
            root.problem("time", message);
        }
        let id = self.column("id", "tx_id").or_else(|| default_column(kind, "id"));
        let partitions = self.partitions(kind);
        let retention_ms = self.retention(kind);
        let max_ahead_ms = self.max_ahead(kind);
        let kafka = KafkaTopic {
            name: format!("{}.{}", self.folders.name(), self.stem),
            format: format.unwrap_or_default(),
            schema,
            key,
            partitioner: partitioner.unwrap_or_default(),
            partitions,
            retention_ms,
            settings: settings(kind),
        };
        Topic {
            stem: self.stem.to_owned(),
            file: self.file.to_owned(),
            title: title.to_owned(),
            kafka,
            time,
            id,
            max_ahead_ms,
            role: self.role(kind),
            lines: BTreeMap::new(),
        }
    }

    /// What the topic is: its table says, or the name of the file. Tables that do not belong here are noted.
    fn kind(&self) -> Kind {
        let tables = [
            ("features", Kind::Features),
            ("predictions", Kind::Predictions),
            (DEPLOYMENTS, Kind::Deployments),
            ("drift", Kind::Drift),
            ("retrain", Kind::Retrain),
            (DRIFT_COMMANDS, Kind::DriftCommands),
            ("rankings", Kind::Rankings),
            ("click_feedback", Kind::ClickFeedback),
            ("experiments", Kind::Experiments),
            (EXPERIMENT_COMMANDS, Kind::ExperimentCommands),
            (ALERTS, Kind::Alerts),
            (SCORER_STATS, Kind::ScorerStats),
            (DEAD_LETTERS, Kind::DeadLetters),
        ];
        let present: Vec<_> = tables.into_iter().filter(|(table, _)| self.root.has(table)).collect();
        let kind = match self.stem {
            DEPLOYMENTS => Kind::Deployments,
            DEAD_LETTERS => Kind::DeadLetters,
            DRIFT_COMMANDS => Kind::DriftCommands,
            EXPERIMENT_COMMANDS => Kind::ExperimentCommands,
            ALERTS => Kind::Alerts,
            SCORER_STATS => Kind::ScorerStats,
            _ => present.first().map_or(Kind::Source, |(_, kind)| *kind),
        };
        for (table, other) in present {
            if self.stem != table
                && matches!(
                    other,
                    Kind::Deployments
                        | Kind::DriftCommands
                        | Kind::ExperimentCommands
                        | Kind::Alerts
                        | Kind::ScorerStats
                        | Kind::DeadLetters
                )
            {
                let message = format!("belongs in {table}.toml: services look for it there; move it");
                self.root.problem(table, message);
            } else if other != kind {
                let message = "is a second role, and a topic has one writer; move this table to a topic file of its own";
                self.root.problem(table, message);
            }
        }
        kind
    }

    fn role(&self, kind: Kind) -> Role {
        let table = |key| self.root.table(key);
        match kind {
            Kind::Source => Role::Source,
            Kind::Features => Role::Features(self.features(table("features").as_ref())),
            Kind::Predictions => {
                // Read with the other experiments.
                self.root.has("experiment");
                Role::Predictions(self.predictions(table("predictions").as_ref()))
            }
            Kind::Deployments => Role::Deployments(self.deployments(table(DEPLOYMENTS).as_ref())),
            Kind::Drift => {
                Role::Drift(Box::new(table("drift").map_or_else(drift_file::none, |t| drift_file::read(&t))))
            }
            Kind::Retrain => {
                Role::Retrain(table("retrain").map(|t| retrain_file::read(&t)).unwrap_or_default())
            }
            Kind::DriftCommands => {
                self.nothing_in(DRIFT_COMMANDS);
                Role::DriftCommands
            }
            Kind::Rankings => {
                self.root.has("experiment");
                Role::Rankings(table("rankings").map(|t| experiments_file::rankings(&t)).unwrap_or_default())
            }
            Kind::ClickFeedback => Role::ClickFeedback(
                table("click_feedback").map(|t| experiments_file::click_feedback(&t)).unwrap_or_default(),
            ),
            Kind::Experiments => Role::Experiments(
                table("experiments").map(|t| experiments_file::experiments(&t)).unwrap_or_default(),
            ),
            Kind::ExperimentCommands => {
                self.nothing_in(EXPERIMENT_COMMANDS);
                Role::ExperimentCommands
            }
            Kind::Alerts => {
                self.nothing_in(ALERTS);
                Role::Alerts
            }
            Kind::ScorerStats => {
                self.nothing_in(SCORER_STATS);
                Role::ScorerStats
            }
            Kind::DeadLetters => {
                self.nothing_in(DEAD_LETTERS);
                Role::DeadLetters
            }
        }
    }

    /// A table that has no keys, if it is there.
    fn nothing_in(&self, table: &'static str) {
        if let Some(table) = self.root.table(table) {
            table.refuse_unknown();
        }
    }

    fn features(&self, table: Option<&Table<'_, '_>>) -> FeaturesTable {
        let duration = |key, least_ms| table.and_then(|table| table.duration(key, least_ms));
        let sql_file = self.file.with_extension("sql");
        let features = FeaturesTable {
            start: table.and_then(start).unwrap_or(Start::Now),
            max_skew_ms: duration("max_skew", 1).unwrap_or(HOUR_MS),
            max_wait_ms: duration("max_wait", 1).unwrap_or(10 * MINUTE_MS),
            lateness_ms: duration("lateness", 0).unwrap_or(2 * DAY_MS),
            horizon_ms: duration("horizon", 1),
            sql: self.sql(&sql_file),
            sql_file,
        };
        if let Some(table) = table {
            table.refuse_unknown();
        }
        features
    }

    fn sql(&self, file: &Path) -> String {
        let text = match std::fs::read_to_string(file) {
            Ok(text) if text.trim().is_empty() => Err(format!("needs a view, and {} is empty", show(file))),
            Ok(text) => Ok(text),
            Err(error) => Err(self.sql_missing(file, &error)),
        };
        text.unwrap_or_else(|message| {
            self.root.problem("features", format!("{message}; write its SELECT there"));
            String::new()
        })
    }

    fn sql_missing(&self, file: &Path, error: &std::io::Error) -> String {
        let others = names(self.folders.application, "sql");
        match near(self.stem, others.iter().map(String::as_str)) {
            Some(other) if other != self.stem => {
                format!("needs a view in {}, and there is only {other}.sql beside it", show(file))
            }
            _ => format!("needs a view in {}, which cannot be read ({error})", show(file)),
        }
    }

    fn predictions(&self, table: Option<&Table<'_, '_>>) -> PredictionsTable {
        let required = |key, example: &str| {
            let table = table?;
            if !table.has(key) {
                table.problem(key, format!("is missing; write for example {key} = \"{example}\""));
            }
            table.string(key, example)
        };
        let features = required("features", "features").unwrap_or_default().to_owned();
        let unit = required("unit", "customer_id").unwrap_or_default().to_owned();
        let context = table.and_then(|table| table.strings("context", "country")).unwrap_or_default();
        let explore = table.and_then(|table| table.table("explore")).map(|table| explore(&table));
        if let Some(table) = table {
            let mut seen = BTreeSet::new();
            for column in context.iter().filter(|column| !seen.insert(**column)) {
                table.problem("context", format!("names `{column}` twice; name it once"));
            }
            table.refuse_unknown();
        }
        PredictionsTable {
            features,
            unit,
            context: context.into_iter().map(str::to_owned).collect(),
            explore,
        }
    }

    fn deployments(&self, table: Option<&Table<'_, '_>>) -> DeploymentsTable {
        let Some(table) = table else { return DeploymentsTable::default() };
        let mut deployments = DeploymentsTable::default();
        if let Some(first) = table.table("first") {
            for (topic, text) in first.named_strings("fraud-gbdt/1") {
                match ModelRef::parse(text) {
                    Some(model) => drop(deployments.first.insert(topic.to_owned(), model)),
                    None => first.problem(
                        topic,
                        format!("\"{text}\" names no model version; write <model>/<version>, for example \"fraud-gbdt/1\""),
                    ),
                }
            }
        }
        table.refuse_unknown();
        deployments
    }

    fn column(&self, key: &'static str, example: &str) -> Option<String> {
        let column = self.root.string(key, example)?;
        if column.trim().is_empty() {
            self.root.problem(
                key,
                format!("is empty; name a column, for example {key} = \"{example}\", or leave it out"),
            );
            return None;
        }
        Some(column.to_owned())
    }

    fn schema(&self, kind: Kind) -> Option<Arc<TopicSchema>> {
        let own = match kind {
            Kind::Source | Kind::Features => None,
            Kind::Predictions => Some(prediction::AVRO),
            Kind::Deployments => Some(Deployment::AVRO),
            Kind::Drift => Some(DriftEvent::AVRO),
            Kind::Retrain => Some(RetrainRequest::AVRO),
            Kind::DriftCommands => Some(DriftCommand::AVRO),
            Kind::Rankings => Some(ranking::AVRO),
            Kind::ClickFeedback => Some(ClickFeedback::AVRO),
            Kind::Experiments => Some(ExperimentResult::AVRO),
            Kind::ExperimentCommands => Some(ExperimentCommand::AVRO),
            Kind::Alerts => Some(Alert::AVRO),
            Kind::ScorerStats => Some(ScorerStats::AVRO),
            Kind::DeadLetters => Some(DeadLetter::AVRO),
        };
        let own = own.and_then(|avro| TopicSchema::parse(avro).ok().map(Arc::new));
        let name = self.root.string("schema", "transactions.avsc");
        let missing = kind == Kind::Source && !self.root.has("schema");
        if missing {
            let message =
                "is missing; name the Avro schema of the rows, for example schema = \"transactions.avsc\"";
            self.root.problem("schema", message);
        }
        let Some(name) = name else { return own };
        match read_schema(self.folders, name) {
            Ok(schema) if own.as_ref().is_none_or(|own| own.arrow() == schema.arrow()) => Some(schema),
            Ok(_) => {
                let message = format!(
                    "`{name}` has other fields than Millrace writes to this topic; leave `schema` out"
                );
                self.root.problem("schema", message);
                own
            }
            Err(messages) => {
                messages.into_iter().for_each(|message| self.root.problem("schema", message));
                own
            }
        }
    }

    fn partitions(&self, kind: Kind) -> u32 {
        let most = if kept_for_good(kind) { 1 } else { MAX_PARTITIONS };
        let partitions = self.root.integer("partitions", 1..=most).unwrap_or(1);
        u32::try_from(partitions).unwrap_or(1)
    }

    /// How long records are kept, in ms; `None`: forever.
    fn retention(&self, kind: Kind) -> Option<i64> {
        let default = match kind {
            Kind::Deployments | Kind::DriftCommands | Kind::ExperimentCommands => None,
            Kind::DeadLetters | Kind::Alerts => Some(30 * DAY_MS),
            Kind::Drift | Kind::Retrain | Kind::Experiments => Some(365 * DAY_MS),
            Kind::Source
            | Kind::Features
            | Kind::Predictions
            | Kind::Rankings
            | Kind::ClickFeedback
            | Kind::ScorerStats => Some(7 * DAY_MS),
        };
        match self.root.string("retention", "7d") {
            None => default,
            Some("forever") => None,
            Some(_) if kept_for_good(kind) => {
                let what = match kind {
                    Kind::Deployments => "the last deployment of a topic is in force, however old it is",
                    Kind::DriftCommands => "what was said to an alarm holds, however old it is",
                    _ => "what was said to an experiment holds, however old it is",
                };
                self.root.problem("retention", format!("must be \"forever\": {what}"));
                None
            }
            Some(_) => self.root.duration("retention", 1).or(default),
        }
    }

    fn max_ahead(&self, kind: Kind) -> i64 {
        if kind != Kind::Source && self.root.has("max_ahead") {
            let message = "is for source topics, whose record times come from outside; leave it out";
            self.root.problem("max_ahead", message);
        }
        self.root.duration("max_ahead", 0).unwrap_or(DAY_MS)
    }
}

/// Reads `explore`. A share is whole buckets of events, as arms are whole buckets of units.
fn explore(table: &Table<'_, '_>) -> ExploreTable {
    for key in ["share", "decision"].into_iter().filter(|key| !table.has(key)) {
        table.problem(
            key,
            "is missing; write for example explore = { share = 0.005, decision = \"approve\" }",
        );
    }
    let share = table.number("share", 0.0001..=0.5).unwrap_or(0.0001);
    let buckets = (share * 10_000.0).round();
    if (share * 10_000.0 - buckets).abs() > 1e-6 {
        table.problem(
            "share",
            format!("{share} is no whole number of ten-thousandths; write {}", buckets / 10_000.0),
        );
    }
    let decision = table.string("decision", "approve").unwrap_or_default().to_owned();
    table.refuse_unknown();
    ExploreTable { share: buckets / 10_000.0, decision }
}

fn start(table: &Table<'_, '_>) -> Option<Start> {
    let wanted = "\"earliest\", \"now\" or a time such as 2018-04-01T00:00:00Z";
    let time = match table.time_or_string("start", wanted)? {
        Err("earliest") => return Some(Start::Earliest),
        Err("now") => return Some(Start::Now),
        Err(text) => text.parse().ok(),
        Ok(time) => Some(*time),
    };
    let start = time.as_ref().and_then(instant_ms).map(Start::Time);
    if start.is_none() {
        table.problem("start", format!("is no place to start; write {wanted}"));
    }
    start
}

/// The columns of Millrace's own envelopes.
fn default_column(kind: Kind, key: &str) -> Option<String> {
    let column = match (kind, key) {
        (Kind::Predictions | Kind::Rankings | Kind::ClickFeedback, "key") => prediction::UNIT,
        (Kind::Experiments | Kind::ExperimentCommands, "key") => "experiment",
        (Kind::Source | Kind::Features, _) => return None,
        (_, "time") => "time",
        (Kind::Predictions | Kind::Rankings, "id") => prediction::ID,
        (Kind::Deployments | Kind::ScorerStats | Kind::DeadLetters, "id") => return None,
        (_, "id") => "id",
        (Kind::Deployments, "key") => "topic",
        _ => return None,
    };
    Some(column.to_owned())
}

/// Topics of one partition of which every record counts for ever.
fn kept_for_good(kind: Kind) -> bool {
    matches!(kind, Kind::Deployments | Kind::DriftCommands | Kind::ExperimentCommands)
}

/// What a topic needs of Kafka besides its retention.
fn settings(kind: Kind) -> BTreeMap<String, String> {
    let needed: &[(&str, &str)] = match kept_for_good(kind) {
        true => &[("cleanup.policy", "delete"), ("retention.bytes", "-1")],
        false => &[],
    };
    needed.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// The stems of the files in a folder that end so, ascending.
pub(crate) fn names(folder: &Path, extension: &str) -> Vec<String> {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let files = files.filter(|file| file.extension().is_some_and(|e| e == extension) && file.is_file());
    let mut stems: Vec<String> =
        files.filter_map(|file| file.file_stem().map(|stem| stem.to_string_lossy().into_owned())).collect();
    stems.sort();
    stems
}

fn show(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

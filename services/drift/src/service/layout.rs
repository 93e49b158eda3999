//! What the service of an application consists of: the topics that it watches, those between its tasks, its steps.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use millrace_runtime::service::InputTopic;
use millrace_schemas::Format;
use millrace_topics::graph::Step;
use millrace_topics::{
    Application, DriftTable, KafkaTopic, Partitioner, ReferenceTable, Role, TaskKind, Topic, WindowTable,
    watched_columns,
};
use sha2::{Digest, Sha256};

use super::by_id::LabelColumns;
use super::detect::{Declared, declared, of_errors};
use super::grid::Grid;
use super::join::{JoinPlan, Threshold};
use super::judging::Models;
use super::message::topic_schema;
use super::notes::Place;
use super::skew::SkewPlan;
use super::stream::Stream;
use super::{Error, missing};
use crate::profile::{Bounds, ColumnPlan, Kind, Plan, SegmentPlan};
use crate::reference::{Reference, Season, score_plan};
use crate::window::WindowSpec;

const DAY_MS: i64 = 86_400_000;
/// Brokers count retention from when a record was written, and drop whole segments: some room beyond what is needed.
const ROOM_MS: i64 = 7 * DAY_MS;
/// Raised where what the tasks tell each other changes: what an older version wrote is left aside then.
const FORMAT: &str = "2";

/// The parts of the service.
pub struct Layout<'a> {
    /// The application.
    pub app: &'a Application,
    /// The topic of reports.
    pub drift: &'a Topic,
    /// What its file says.
    pub table: &'a DriftTable,
    /// The watched topics: features, predictions.
    pub streams: Vec<Arc<Stream>>,
    /// The topic of labels, with what is taken of it.
    pub labels: Option<(InputTopic, LabelColumns)>,
    /// The windows.
    pub windows: WindowSpec,
    /// What repeats.
    pub season: Option<Season>,
    /// What is computed again of the watched view, where that is asked for.
    pub skew: Option<Arc<SkewPlan>>,
    /// The detectors.
    pub detectors: Arc<Vec<Declared>>,
    /// The topics between the tasks.
    pub between: Between,
}

/// The topics between the tasks.
pub struct Between {
    /// Profiles, to the judge of rows.
    pub rows: KafkaTopic,
    /// Predictions and labels by id, to the join.
    pub by_id: Option<KafkaTopic>,
    /// What the join knows, to the judge of outcomes.
    pub outcomes: Option<KafkaTopic>,
    /// Served and recomputed rows, to the task that compares them.
    pub skew: Option<KafkaTopic>,
    /// What was judged, to the task that keeps alarms and triggers.
    pub journal: KafkaTopic,
    /// What their names end with: a hash of everything that they depend on.
    pub fingerprint: String,
}

impl<'a> Layout<'a> {
    /// Of an application all of whose topics have their schemas.
    pub fn of(app: &'a Application) -> Result<Self, Error> {
        let drift = app.drift().ok_or_else(|| missing(app, "drift", "a topic file with a table [drift]"))?;
        let Role::Drift(table) = &drift.role else { return Err(missing(app, "drift", "a table [drift]")) };
        let models = Models::new(&app.folder);
        let windows = windows(table.window);
        let mut streams = Vec::new();
        if let Some(topic) = table.features.as_ref().and_then(|stem| app.topic(stem)) {
            streams.push(Arc::new(features(app, table, topic, windows, &models)?));
        }
        if let Some(topic) = table.predictions.as_ref().and_then(|stem| app.topic(stem)) {
            let reference = reference_of(app, table, &models)?;
            let reference = reference.as_ref().map(|loaded| &loaded.reference);
            streams.push(Arc::new(predictions(table, topic, windows, reference)));
        }
        let labels = labels(app, table)?;
        let skew = SkewPlan::of(app, table, Grid::of(windows, table.lateness_ms))?.map(Arc::new);
        let detectors = declared(app, drift, table).map_err(Error::Problems)?;
        let labels_topic = labels.as_ref().map(|(input, _)| &input.topic);
        let between = Between::of(app, drift, table, &streams, labels_topic, skew.as_deref())?;
        let season = match table.season_ms {
            Some(DAY_MS) => Some(Season::Day),
            Some(_) => Some(Season::Week),
            None => None,
        };
        Ok(Self { app, drift, table, streams, labels, windows, season, skew, detectors, between })
    }

    /// The stream of predictions.
    pub fn predictions(&self) -> Option<&Arc<Stream>> {
        self.streams.iter().find(|stream| stream.predictions.is_some())
    }

    /// The moments at which windows end.
    pub fn grid(&self) -> Option<Grid> {
        Grid::of(self.windows, self.table.lateness_ms)
    }

    /// Every partition of the watched topics, and the comparison with what is computed again: who must be past a window.
    pub fn places(&self) -> Vec<Place> {
        let streams = self.streams.iter().flat_map(|stream| places(&stream.stem, &stream.input.topic));
        streams.chain(self.skew.iter().map(|skew| skew.joined())).collect()
    }

    /// Every partition of the topic of features.
    pub fn served(&self) -> Vec<Place> {
        let features = self.streams.iter().filter(|stream| stream.predictions.is_none());
        features.flat_map(|stream| places(&stream.stem, &stream.input.topic)).collect()
    }

    /// Partitions of which others wait for the time: of labels, and of stages that run again.
    pub fn looked_after(&self) -> Vec<Place> {
        let labels = self.labels.iter().flat_map(|(input, columns)| places(&columns.stem, &input.topic));
        let again = self.skew.iter().flat_map(|skew| skew.checks.iter().flat_map(|check| skew.places(check)));
        labels.chain(again).collect()
    }

    /// What the join does, where there is one.
    pub fn join(&self) -> Option<JoinPlan> {
        let (predictions, (labels, columns)) = (self.predictions()?, self.labels.as_ref()?);
        let grid = self.grid()?;
        let WindowTable::Time { length_ms, .. } = self.table.window else { return None };
        let settled_ms = self.table.maturity_ms.max(self.table.negative_after_ms.unwrap_or(0));
        let steps = settled_ms.saturating_add(grid.step_ms - 1).div_euclid(grid.step_ms);
        let context: Vec<(usize, String)> =
            predictions.predictions.iter().flatten().cloned().enumerate().collect();
        let is_list = |(_, name): &&(usize, String)| self.table.list.as_ref() == Some(name);
        let list = context.iter().find(is_list).map(|(place, _)| *place);
        let makes_segments = |(_, name): &&(usize, String)| {
            self.table.segments.contains(name) || self.table.groups.contains(name)
        };
        Some(JoinPlan {
            sources: places(&predictions.stem, &predictions.input.topic)
                .chain(places(&columns.stem, &labels.topic))
                .collect(),
            task: self.table.task,
            length_ms,
            step_ms: grid.step_ms,
            horizon_ms: self.table.horizon_ms.max(settled_ms.saturating_add(2 * length_ms)),
            settled_ms: steps.saturating_mul(grid.step_ms),
            negative_after_ms: self.table.negative_after_ms,
            segments: context.iter().filter(makes_segments).cloned().collect(),
            list,
            threshold: (!of_errors(&self.detectors).is_empty()).then(|| self.threshold()),
        })
    }

    /// From which score on a model version decides for positive: as its model file says.
    fn threshold(&self) -> Threshold {
        let models = Models::new(&self.app.folder);
        Arc::new(move |maker| models.facts(&maker.model, &maker.version).threshold)
    }

    /// The topics that exist for this service alone.
    pub fn internal(&self) -> Vec<KafkaTopic> {
        let Between { rows, by_id, outcomes, skew, journal, .. } = &self.between;
        [Some(rows), by_id.as_ref(), outcomes.as_ref(), skew.as_ref(), Some(journal)]
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }

    /// Its part of the dataflow.
    pub fn steps(&self) -> Vec<Step> {
        let name = |what: &str| format!("drift/{what}");
        let step = |what: &str, reads: Vec<&KafkaTopic>, writes: Vec<&KafkaTopic>| Step {
            name: name(what),
            reads: reads.into_iter().map(|topic| topic.name.clone()).collect(),
            writes: writes.into_iter().map(|topic| topic.name.clone()).collect(),
            stores: Vec::new(),
        };
        let Between { rows, by_id, outcomes, skew, journal, .. } = &self.between;
        let mut steps = Vec::new();
        for stream in &self.streams {
            let joined = by_id.as_ref().filter(|_| stream.predictions.is_some());
            let compared = skew.as_ref().filter(|_| stream.predictions.is_none());
            steps.push(step(
                &stream.stem,
                vec![&stream.input.topic],
                [Some(rows), joined, compared].into_iter().flatten().collect(),
            ));
        }
        if let (Some(plan), Some(topic)) = (&self.skew, skew) {
            for check in &plan.checks {
                let reads = check.stage.inputs.iter().map(|input| &input.topic).collect();
                steps.push(step(&format!("again/{}", check.decided.key), reads, vec![topic]));
            }
            steps.push(step("skew", vec![topic], vec![rows]));
        }
        if let (Some((labels, columns)), Some(by_id), Some(outcomes)) = (&self.labels, by_id, outcomes) {
            steps.push(step(&columns.stem, vec![&labels.topic], vec![by_id, rows]));
            steps.push(step("join", vec![by_id], vec![outcomes]));
            steps.push(step("outcomes", vec![outcomes], vec![journal]));
        }
        steps.push(step("rows", vec![rows], vec![journal]));
        if let Some(commands) = self.app.drift_commands() {
            steps.push(step("commands", vec![&commands.kafka], vec![journal]));
        }
        let reports = std::iter::once(&self.drift.kafka).chain(self.app.retrain().map(|topic| &topic.kafka));
        steps.push(step("report", vec![journal], reports.collect()));
        steps
    }
}

impl Between {
    fn of(
        app: &Application,
        drift: &Topic,
        table: &DriftTable,
        streams: &[Arc<Stream>],
        labels: Option<&KafkaTopic>,
        skew: Option<&SkewPlan>,
    ) -> Result<Self, Error> {
        let fingerprint = fingerprint(table, streams, skew);
        let schema = topic_schema(&app.name)?;
        let topic = |what: &str, partitions: u32, key: bool, retention_ms: Option<i64>| KafkaTopic {
            name: format!("{}.{what}.{fingerprint}", drift.kafka.name),
            format: Format::Avro,
            schema: Some(schema.clone()),
            key: key.then(|| "key".to_owned()),
            partitioner: Partitioner::Murmur2,
            partitions,
            retention_ms,
            settings: BTreeMap::new(),
        };
        let length_ms = match table.window {
            WindowTable::Time { length_ms, .. } => length_ms,
            WindowTable::Rows(_) => DAY_MS,
        };
        let kept = |ms: i64| Some(ms.saturating_add(ROOM_MS));
        let predictions = streams.iter().find(|stream| stream.predictions.is_some());
        let joined = predictions.filter(|_| labels.is_some());
        let horizon_ms = table.horizon_ms.saturating_add(2 * length_ms).saturating_mul(2);
        Ok(Self {
            rows: topic("rows", 1, false, kept(3 * length_ms + table.lateness_ms)),
            by_id: joined.map(|stream| topic("by-id", stream.input.topic.partitions, true, kept(horizon_ms))),
            outcomes: joined.map(|_| topic("outcomes", 1, false, kept(horizon_ms))),
            skew: skew.map(|_| topic("skew", 1, false, kept(3 * length_ms + table.lateness_ms))),
            journal: topic("journal", 1, false, None),
            fingerprint: fingerprint.clone(),
        })
    }
}

fn places<'t>(stem: &'t str, topic: &KafkaTopic) -> impl Iterator<Item = Place> + use<'t> {
    let count = i32::try_from(topic.partitions).unwrap_or(i32::MAX);
    (0..count).map(|partition| Place { topic: stem.to_owned(), partition })
}

/// The windows that a topic file declares.
pub fn windows(table: WindowTable) -> WindowSpec {
    match table {
        WindowTable::Rows(count) => WindowSpec::Rows { count: u64::from(count) },
        WindowTable::Time { length_ms, slide_ms } if length_ms == slide_ms => {
            WindowSpec::Tumbling { length_ms }
        }
        WindowTable::Time { length_ms, slide_ms } => WindowSpec::Sliding { length_ms, every_ms: slide_ms },
    }
}

/// Everything that decides what the tasks tell each other.
fn fingerprint(table: &DriftTable, streams: &[Arc<Stream>], skew: Option<&SkewPlan>) -> String {
    let plans: Vec<(String, u64)> =
        streams.iter().map(|stream| (stream.stem.clone(), stream.plan.fingerprint())).collect();
    // A debug text tells every part apart from its neighbours. How often alarms may be false changes no profile.
    let table = DriftTable { expected_time_between_alarms_ms: 0, max_wait_ms: 0, ..table.clone() };
    let skew = skew.map(SkewPlan::fingerprint);
    let hash = Sha256::digest(format!("{FORMAT} {plans:?} {table:?} {skew:?}"));
    hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

fn input(topic: &Topic) -> InputTopic {
    InputTopic { topic: topic.kafka.clone(), time: topic.time.clone().unwrap_or_default(), source: None }
}

fn features(
    app: &Application,
    table: &DriftTable,
    topic: &Topic,
    windows: WindowSpec,
    models: &Models,
) -> Result<Stream, Error> {
    let unknown = || missing(app, &topic.stem, "a schema");
    let rows = topic.kafka.schema.as_ref().ok_or_else(unknown)?.arrow();
    let columns = watched_columns(table, topic, rows);
    let own = reference_of(app, table, models)?.map(|loaded| loaded.reference.plan.clone());
    let plan = match own {
        Some(plan) if columns.iter().all(|name| plan.index(name).is_some()) => plan,
        // No reference yet, or one that lacks a column: kinds follow from the types.
        _ => {
            let plans: Vec<ColumnPlan> =
                columns.iter().filter_map(|name| Some(ColumnPlan::new(name, kind(rows, name)?))).collect();
            let bounds = Bounds::of_columns(plans.len());
            Arc::new(Plan::new(plans, bounds, segments(table, &[])))
        }
    };
    Ok(Stream {
        stem: topic.stem.clone(),
        input: input(topic),
        plan,
        windows,
        lateness_ms: table.lateness_ms,
        id: topic.id.clone().unwrap_or_default(),
        predictions: None,
    })
}

fn kind(rows: &Schema, name: &str) -> Option<Kind> {
    Some(match rows.field_with_name(name).ok()?.data_type() {
        DataType::Boolean => Kind::Boolean,
        DataType::Utf8 => Kind::Category,
        _ => Kind::Numeric,
    })
}

fn predictions(
    table: &DriftTable,
    topic: &Topic,
    windows: WindowSpec,
    reference: Option<&Reference>,
) -> Stream {
    let known = reference.map(|reference| reference.plan.segments.clone()).unwrap_or_default();
    let segments = segments(table, &known);
    let plan = match table.task {
        TaskKind::Multiclass => {
            Plan::new(vec![ColumnPlan::new("decision", Kind::Category)], Bounds::of_columns(1), segments)
        }
        _ => score_plan(reference, segments),
    };
    let mut context = table.segments.clone();
    context.extend(table.groups.iter().filter(|name| !table.segments.contains(name)).cloned());
    context.extend(table.list.iter().filter(|name| !context.contains(name)).cloned().collect::<Vec<_>>());
    Stream {
        stem: topic.stem.clone(),
        input: input(topic),
        plan: Arc::new(plan),
        windows,
        lateness_ms: table.lateness_ms,
        id: topic.id.clone().unwrap_or_default(),
        predictions: Some(context),
    }
}

/// The declared segments, with the values that the reference tells apart. A segment of which no value is known would be
/// the whole again.
fn segments(table: &DriftTable, known: &[SegmentPlan]) -> Vec<SegmentPlan> {
    known
        .iter()
        .filter(|plan| table.segments.contains(&plan.column) && !plan.values.is_empty())
        .cloned()
        .collect()
}

/// The model that is declared first, by name and version.
pub fn first_model(app: &Application, table: &DriftTable) -> Option<(String, String)> {
    let topic = app.deployments()?;
    let Role::Deployments(deployments) = &topic.role else { return None };
    let first = deployments.first.get(table.predictions.as_ref()?)?;
    Some((first.model.clone(), first.version.clone()))
}

/// The reference whose plan says what is kept of rows: that of the model that is declared first, so that topics are the
/// same whatever is deployed later.
fn reference_of(
    app: &Application,
    table: &DriftTable,
    models: &Models,
) -> Result<Option<Arc<super::judging::Loaded>>, Error> {
    if table.reference != ReferenceTable::Model {
        return models.own_reference();
    }
    let first = first_model(app, table);
    match first {
        Some((model, version)) => models.reference(&model, &version),
        None => models.own_reference(),
    }
}

fn labels(app: &Application, table: &DriftTable) -> Result<Option<(InputTopic, LabelColumns)>, Error> {
    let Some(labels) = &table.labels else { return Ok(None) };
    let topic = app.topic(&labels.topic).ok_or_else(|| missing(app, &labels.topic, "a topic file"))?;
    let id = labels.id.clone().or_else(|| topic.id.clone());
    let columns = LabelColumns {
        stem: topic.stem.clone(),
        id: id.ok_or_else(|| missing(app, &topic.stem, "the key `id`"))?,
        outcome: labels.outcome.clone(),
        task: table.task,
    };
    Ok(Some((input(topic), columns)))
}

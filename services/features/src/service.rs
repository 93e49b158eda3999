//! A view as a service of the shell: its stages, the topics between them, and what is wrong where it cannot run.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace_runtime::service::{Alignment, InputTopic, Service, SourceChecks, Stage};
use millrace_schemas::{Format, TopicSchema};
use millrace_topics::graph::Step;
use millrace_topics::{
    Application, KafkaTopic, Partitioner, Problem, Role, Start, Topic, check_co_partitioned, check_columns,
    check_predictions, check_retention,
};

use crate::plan::Plan;
use crate::stage::{internal_schema, task_of};
use crate::view::{PlannedView, plan_view};

/// The topics of a view, and how its stages link them.
#[derive(Debug, Clone)]
pub struct ViewTopics {
    /// The view's stem.
    pub view: String,
    /// Topics between its stages, in their order; they live and die with the plan.
    pub internal: Vec<KafkaTopic>,
    /// What it writes, with the schema that `topics apply` registers.
    pub output: KafkaTopic,
    /// Its part of the dataflow, for `topics graph`.
    pub steps: Vec<Step>,
}

/// The service that keeps a view up to date, or everything that keeps it from running.
pub fn service(app: &Application, view: &Topic) -> Result<Service, Vec<Problem>> {
    let planned = plan_view(app, view)?;
    let problems = state_problems(&planned);
    if !problems.is_empty() {
        return Err(problems);
    }
    let Some(dead_letters) = app.dead_letters() else {
        let message = "is missing: add dead-letters.toml, the topic of what services cannot process";
        return Err(vec![Problem::new(&app.folder, None, Some("dead-letters"), message)]);
    };
    let internal = internal_topics(app, &planned)?;
    let count = planned.plan.stages.len();
    Ok(Service {
        name: "features".to_owned(),
        group: format!("{}.{}.{}", app.name, view.stem, planned.plan.fingerprint()),
        stages: (0..count).map(|stage| runtime_stage(app, &planned, &internal, stage)).collect(),
        dead_letters: dead_letters.kafka.clone(),
        ready: Arc::new(|| Ok(())),
    })
}

/// The topics of every view of an application.
pub fn kafka_topics(app: &Application) -> Result<Vec<ViewTopics>, Vec<Problem>> {
    let mut topics = Vec::new();
    let mut problems = Vec::new();
    for view in views(app) {
        match view_topics(app, view) {
            Ok(found) => topics.push(found),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(topics) } else { Err(problems) }
}

/// Everything that is wrong with an application's views: their SQL, their columns, and what their state needs of the
/// sources; also predictions that name columns which a view does not have.
pub fn check(app: &Application) -> Vec<Problem> {
    let mut problems = Vec::new();
    for view in views(app) {
        let planned = match plan_view(app, view) {
            Ok(planned) => planned,
            Err(found) => {
                problems.extend(found);
                continue;
            }
        };
        problems.extend(state_problems(&planned));
        problems.extend(check_columns(view, planned.schema.arrow()));
        let scores = |topic: &&Topic| scored(app, topic).is_some_and(|scored| scored.stem == view.stem);
        for topic in app.topics.iter().filter(scores) {
            problems.extend(check_predictions(topic, planned.schema.arrow()));
        }
    }
    problems
}

/// The view that a prediction topic scores. One that names none is meant for the only one there is: what else it says
/// wrongly is then told at once.
fn scored<'a>(app: &'a Application, topic: &Topic) -> Option<&'a Topic> {
    let Role::Predictions(table) = &topic.role else { return None };
    let mut all = views(app);
    let only = all.next().filter(|_| all.next().is_none());
    views(app).find(|view| view.stem == table.features).or(only)
}

fn views(app: &Application) -> impl Iterator<Item = &Topic> {
    app.topics.iter().filter(|topic| matches!(topic.role, Role::Features(_)))
}

fn view_topics(app: &Application, view: &Topic) -> Result<ViewTopics, Vec<Problem>> {
    let planned = plan_view(app, view)?;
    let internal = internal_topics(app, &planned)?;
    Ok(ViewTopics {
        view: view.stem.clone(),
        steps: (0..planned.plan.stages.len()).map(|stage| step(app, &planned, &internal, stage)).collect(),
        internal,
        output: output(&planned),
    })
}

/// What the state asks of the sources: that rows which meet lie in equal partitions, and are kept long enough.
fn state_problems(planned: &PlannedView) -> Vec<Problem> {
    let mut problems = check_co_partitioned(&planned.sources);
    if planned.plan.is_stateful(0) {
        // In whole minutes: `RANGE INTERVAL '86399' SECOND` is a day to whoever reads the refusal.
        let needed_ms = planned.plan.rebuild_us(0).map(|us| whole_minutes(to_ms(us)));
        let kept = |source: &&Topic| check_retention(source, needed_ms, &planned.topic.stem);
        problems.extend(planned.sources.iter().filter_map(kept));
    }
    problems
}

/// µs as ms, rounded up.
fn to_ms(us: i64) -> i64 {
    us.div_euclid(1_000).saturating_add(i64::from(us.rem_euclid(1_000) != 0))
}

fn whole_minutes(ms: i64) -> i64 {
    const MINUTE_MS: i64 = 60_000;
    ms.saturating_add(MINUTE_MS - 1).div_euclid(MINUTE_MS).saturating_mul(MINUTE_MS)
}

fn output(planned: &PlannedView) -> KafkaTopic {
    KafkaTopic { schema: Some(planned.schema.clone()), ..planned.topic.kafka.clone() }
}

/// Kafka counts retention from when a record was written, and drops whole segments: some room beyond what is needed.
const ROOM_MS: i64 = 86_400_000;

fn internal_topics(app: &Application, planned: &PlannedView) -> Result<Vec<KafkaTopic>, Vec<Problem>> {
    let plan = &planned.plan;
    (1..plan.stages.len())
        .map(|stage| {
            let name = internal_name(app, planned, stage);
            let schema =
                TopicSchema::derive(&app.name, &name, &internal_schema(plan, stage)).map_err(|error| {
                    vec![Problem::new(
                        &planned.table.sql_file,
                        None,
                        None,
                        format!("internal topic {name}: {error}"),
                    )]
                })?;
            Ok(KafkaTopic {
                name,
                format: Format::Avro,
                schema: Some(Arc::new(schema)),
                key: plan.stages[stage].key.map(|key| plan.slots[key].name.clone()),
                partitioner: Partitioner::Murmur2,
                partitions: planned.topic.kafka.partitions,
                retention_ms: plan.rebuild_us(stage).map(|us| to_ms(us).saturating_add(ROOM_MS)),
                settings: BTreeMap::new(),
            })
        })
        .collect()
}

/// `<app>.<view>.by-<key>.<fingerprint>`; a key that comes again is numbered.
fn internal_name(app: &Application, planned: &PlannedView, stage: usize) -> String {
    let plan = &planned.plan;
    let key = key_name(plan, stage);
    let before = (1..stage).filter(|before| key_name(plan, *before) == key).count();
    let number = if before == 0 { String::new() } else { format!("-{}", before + 1) };
    format!("{}.{}.by-{key}{number}.{}", app.name, planned.topic.stem, plan.fingerprint())
}

fn key_name(plan: &Plan, stage: usize) -> String {
    match plan.stages[stage].key {
        Some(key) => plan.slots[key].name.clone(),
        None => plan.sources.first().map(|source| source.key.clone()).unwrap_or_default(),
    }
}

fn outputs(planned: &PlannedView, internal: &[KafkaTopic], stage: usize) -> KafkaTopic {
    internal.get(stage).cloned().unwrap_or_else(|| output(planned))
}

fn runtime_stage(app: &Application, planned: &PlannedView, internal: &[KafkaTopic], stage: usize) -> Stage {
    let (plan, table) = (&planned.plan, planned.table);
    let source = |topic: &&Topic| InputTopic {
        topic: topic.kafka.clone(),
        time: topic.time.clone().unwrap_or_default(),
        source: Some(SourceChecks { max_ahead_ms: topic.max_ahead_ms, dead_letters: true }),
    };
    let between =
        |topic: &KafkaTopic| InputTopic { topic: topic.clone(), time: "_time".to_owned(), source: None };
    let inputs = match stage {
        0 => planned.sources.iter().map(source).collect(),
        _ => internal.get(stage - 1).map(between).into_iter().collect(),
    };
    let hops = plan.stages.len() > 1;
    Stage {
        name: format!("{}/{}", planned.topic.stem, key_name(plan, stage)),
        inputs,
        outputs: vec![outputs(planned, internal, stage)],
        // A repartition fixes the order in which rows of different partitions meet, a task that in which its sources do.
        alignment: (stage == 0 && (hops || plan.sources.len() > 1))
            .then_some(Alignment { max_skew_ms: table.max_skew_ms, max_wait_ms: table.max_wait_ms }),
        stateful: plan.is_stateful(stage),
        // Rows of internal topics say themselves whether they only warm the state.
        start: if stage == 0 { table.start } else { Start::Earliest },
        task: task_of(Arc::clone(plan), stage, prefix(app, planned.topic)),
    }
}

/// How a stage of a view reads its input, for whoever computes it once more: the stage as the view's own service has it,
/// without its outputs, and without dead letters: records that it refuses are there already. Its tasks are the caller's.
pub fn again(app: &Application, view: &Topic, stage: usize) -> Result<Stage, Vec<Problem>> {
    let planned = plan_view(app, view)?;
    let internal = internal_topics(app, &planned)?;
    let mut again = Stage { outputs: Vec::new(), ..runtime_stage(app, &planned, &internal, stage) };
    for checks in again.inputs.iter_mut().filter_map(|input| input.source.as_mut()) {
        checks.dead_letters = false;
    }
    Ok(again)
}

/// What the names of the online store's hashes begin with.
fn prefix(app: &Application, view: &Topic) -> String {
    format!("millrace:{}:{}", app.name, view.stem)
}

fn step(app: &Application, planned: &PlannedView, internal: &[KafkaTopic], stage: usize) -> Step {
    let reads = match stage {
        0 => planned.sources.iter().map(|source| source.kafka.name.clone()).collect(),
        _ => internal.get(stage - 1).map(|topic| topic.name.clone()).into_iter().collect(),
    };
    let entities = planned.plan.entities.iter().filter(|entity| entity.stage == stage);
    Step {
        name: format!("features/{}/{}", planned.topic.stem, key_name(&planned.plan, stage)),
        reads,
        writes: vec![outputs(planned, internal, stage).name],
        stores: entities.map(|entity| format!("{}:{}:*", prefix(app, planned.topic), entity.name)).collect(),
    }
}

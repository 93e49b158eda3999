//! The service as the shell runs it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use millrace_runtime::service::{InputTopic, MakeTask, Service, Stage};
use millrace_schemas::SchemaRegistry;
use millrace_topics::{Application, KafkaTopic, ReferenceTable, RetrainTable, Role, Start, WindowTable};
use rdkafka::ClientConfig;

use super::by_id::{Labels, Router};
use super::clock::Wall;
use super::commands::Commands;
use super::detect::{WindowDetectors, detects_of, of_errors, of_windows};
use super::join::Join;
use super::judge_outcomes::{OutcomesJudge, OutcomesPlan};
use super::judge_rows::{RowsJudge, RowsPlan};
use super::judging::Judging;
use super::layout::{Between, Layout, first_model};
use super::measures::Measures;
use super::observe::Observe;
use super::report::{Report, ReportPlan};
use super::shared::Clocks;
use super::skew::{Again, Check, SkewJoin};
use super::stream::Stream;
use super::{Error, missing, triggers};
use crate::cause::{Depends, of_view};
use crate::judge::Options;

/// The services of an application all of whose topics have their schemas: the one that watches it, and, where served rows
/// are compared with recomputed ones, the one that runs the view's stages again. That has a group of its own, since it
/// reads topics that the first one reads too. Starts the first one's clock, which writes by itself: `kafka` says how to
/// reach the cluster, `grouped` whether offsets are committed there.
pub fn services(
    app: &Application,
    kafka: &ClientConfig,
    registry: Arc<dyn SchemaRegistry>,
    grouped: bool,
) -> Result<Vec<Service>, Error> {
    let layout = Layout::of(app)?;
    let again = again(&layout)?;
    let group = again.as_ref().map(|again| again.group.clone());
    Ok(std::iter::once(service(&layout, kafka, registry, (grouped, group))?).chain(again).collect())
}

/// The service that runs the stages of the watched view again, for sampled keys.
fn again(layout: &Layout<'_>) -> Result<Option<Service>, Error> {
    let (Some(plan), Some(skew)) = (&layout.skew, &layout.between.skew) else { return Ok(None) };
    let stage = |(number, check): (usize, &Check)| {
        let plan = plan.clone();
        let task: MakeTask =
            Arc::new(move |partition| Ok(Box::new(Again::new(plan.clone(), number, partition)?)));
        let name = format!("drift/again/{}", check.decided.key);
        Stage { name, outputs: vec![skew.clone()], task, ..check.stage.clone() }
    };
    Ok(Some(Service {
        name: "drift-again".to_owned(),
        group: format!("{}.again.{}", layout.drift.kafka.name, layout.between.fingerprint),
        stages: plan.checks.iter().enumerate().map(stage).collect(),
        dead_letters: dead_letters(layout.app)?,
        ready: Arc::new(|| Ok(())),
    }))
}

fn dead_letters(app: &Application) -> Result<KafkaTopic, Error> {
    let topic = app.dead_letters().ok_or_else(|| missing(app, "dead-letters", "dead-letters.toml"))?;
    Ok(topic.kafka.clone())
}

/// What tasks of one process share.
#[derive(Clone)]
struct Shared {
    clocks: Arc<Clocks>,
    measures: Arc<Measures>,
    judging: Arc<Judging>,
}

/// The service that watches. `again` is the group of the one that runs stages again.
fn service(
    layout: &Layout<'_>,
    kafka: &ClientConfig,
    registry: Arc<dyn SchemaRegistry>,
    (grouped, again): (bool, Option<String>),
) -> Result<Service, Error> {
    let app = layout.app;
    let dead_letters = dead_letters(app)?;
    let group = format!("{}.{}", layout.drift.kafka.name, layout.between.fingerprint);
    let retrain = app.retrain();
    let none = RetrainTable::default();
    let declared =
        retrain.map_or(&none, |topic| if let Role::Retrain(table) = &topic.role { table } else { &none });
    let fires = triggers::of(layout.table, declared)?;
    let shared = Shared {
        clocks: Arc::default(),
        measures: Arc::new(Measures::new(&app.name)),
        judging: Arc::new(judging(layout)),
    };
    let router = layout.between.by_id.as_ref().map(Router::new);
    let wall = Wall {
        kafka: kafka.clone(),
        registry,
        groups: if grouped { watched(layout, &group, again.as_ref()) } else { BTreeMap::new() },
        rows: layout.between.rows.clone(),
        by_id: layout.between.by_id.clone().zip(router.clone()),
        skew: layout.between.skew.clone(),
        journal: layout.between.journal.clone(),
        schedules: triggers::schedules(&fires),
        max_wait_ms: layout.table.max_wait_ms,
        step_ms: layout.grid().map_or(i64::MAX, |grid| grid.step_ms),
        clocks: shared.clocks.clone(),
    };
    let report = ReportPlan {
        triggers: fires,
        depends: lineage(layout)?,
        tolerance_ms: layout.grid().map_or(0, |grid| grid.step_ms),
        trained: {
            let judging = shared.judging.clone();
            Arc::new(move |model, version| judging.models.facts(model, version).trained)
        },
        requests: retrain.is_some(),
        detectors: WindowDetectors::new(of_windows(&layout.detectors), layout.table.judge_from_ms),
        outcomes_ms: layout.join().map(|join| {
            let told = join.horizon_ms.max(join.settled_ms);
            told.saturating_add(join.length_ms.saturating_add(join.step_ms).saturating_mul(2))
        }),
    };
    let mut stages = observing(layout, router.as_ref(), &shared);
    stages.extend(judges(layout, &shared));
    stages.extend(reporting(layout, report, &shared));
    let clock = Arc::new(wall.start()?);
    Ok(Service {
        name: "drift".to_owned(),
        group,
        stages,
        dead_letters,
        ready: Arc::new(move || {
            // As long as the service is there, its clock runs.
            let _ = &clock;
            Ok(())
        }),
    })
}

fn judging(layout: &Layout<'_>) -> Judging {
    Judging {
        app: layout.app.name.clone(),
        table: layout.table.clone(),
        windows: layout.windows,
        season: layout.season,
        streams: layout.streams.clone(),
        models: super::Models::new(&layout.app.folder),
        first: first_model(layout.app, layout.table),
        options: Options::default(),
        learnt: Mutex::default(),
        detectors: layout.detectors.clone(),
    }
}

/// Which columns are computed from which, where the watched features are a view of the application.
fn lineage(layout: &Layout<'_>) -> Result<Depends, Error> {
    let topic = layout.table.features.as_ref().and_then(|stem| layout.app.topic(stem));
    let Some(topic) = topic.filter(|topic| matches!(topic.role, Role::Features(_))) else {
        return Ok(Depends::default());
    };
    let view = millrace_features::plan_view(layout.app, topic).map_err(Error::Problems)?;
    let outcome = layout.table.labels.as_ref().map(|labels| (labels.topic.as_str(), labels.outcome.as_str()));
    Ok(of_view(&view.plan, outcome))
}

/// By what places are called: the group that reads them, and the topic.
fn watched(layout: &Layout<'_>, group: &str, again: Option<&String>) -> BTreeMap<String, (String, String)> {
    let own =
        |stem: &String, input: &InputTopic| (stem.clone(), (group.to_owned(), input.topic.name.clone()));
    let streams = layout.streams.iter().map(|stream| own(&stream.stem, &stream.input));
    let labels = layout.labels.iter().map(|(input, columns)| own(&columns.stem, input));
    let checks = layout.skew.iter().flat_map(|plan| plan.checks.iter().map(move |check| (plan, check)));
    let stages = checks.filter_map(|(plan, check)| {
        let topic = check.stage.inputs.first()?.topic.name.clone();
        Some((plan.topic(check), (again?.clone(), topic)))
    });
    streams.chain(labels).chain(stages).collect()
}

/// The stages that read what is watched.
fn observing(layout: &Layout<'_>, router: Option<&Router>, shared: &Shared) -> Vec<Stage> {
    let Between { rows, by_id, skew, .. } = &layout.between;
    let observe = |stream: &Arc<Stream>| {
        let joined = by_id.as_ref().zip(router).filter(|_| stream.predictions.is_some());
        let (stream_of, router, measures) =
            (stream.clone(), joined.map(|(_, router)| router.clone()), shared.measures.clone());
        let compared = skew.as_ref().filter(|_| stream.predictions.is_none());
        let plan = layout.skew.clone().filter(|_| compared.is_some());
        let detectors = detects_of(&layout.detectors, stream.predictions.is_some());
        let task: MakeTask = Arc::new(move |partition| {
            let observe = Observe::new(stream_of.clone(), partition, router.clone(), measures.clone());
            Ok(Box::new(observe.compared(plan.clone()).watched(detectors.clone())))
        });
        let outputs = [Some(rows), joined.map(|(topic, _)| topic), compared];
        let outputs = outputs.into_iter().flatten().cloned().collect();
        stage(&stream.stem, stream.input.clone(), outputs, true, task)
    };
    let mut stages: Vec<Stage> = layout.streams.iter().map(observe).collect();
    if let (Some((input, columns)), Some(by_id), Some(router), Some(grid)) =
        (&layout.labels, by_id, router, layout.grid())
    {
        let (columns_of, router) = (columns.clone(), router.clone());
        let task: MakeTask = Arc::new(move |partition| {
            Ok(Box::new(Labels::new(columns_of.clone(), partition, grid, router.clone())))
        });
        stages.push(stage(&columns.stem, input.clone(), vec![by_id.clone(), rows.clone()], false, task));
    }
    stages
}

/// The stages that put together what was seen.
fn judges(layout: &Layout<'_>, shared: &Shared) -> Vec<Stage> {
    let Between { rows, by_id, outcomes, skew, journal, .. } = &layout.between;
    let length_ms = match layout.table.window {
        WindowTable::Time { length_ms, .. } => length_ms,
        WindowTable::Rows(_) => 0,
    };
    let judge = shared.judging.clone();
    let plan = RowsPlan {
        places: layout.places(),
        also: layout.looked_after(),
        joined: layout.skew.as_ref().map(|plan| plan.joined()),
        grid: layout.grid(),
        length_ms,
        plans: layout.streams.iter().map(|stream| (stream.plan.fingerprint(), stream.plan.clone())).collect(),
        keeps_previous: layout.table.reference == ReferenceTable::Previous,
        judge: Arc::new(move |closed| judge.rows(closed)),
    };
    let (clocks, measures) = (shared.clocks.clone(), shared.measures.clone());
    let task: MakeTask =
        Arc::new(move |_| Ok(Box::new(RowsJudge::new(plan.clone(), clocks.clone(), measures.clone()))));
    let mut stages = vec![stage("rows", between(rows), vec![journal.clone()], true, task)];
    if let (Some(plan), Some(skew)) = (&layout.skew, skew) {
        let (plan, served) = (plan.clone(), layout.served());
        let task: MakeTask =
            Arc::new(move |_| Ok(Box::new(SkewJoin::new(plan.clone(), served.iter().cloned()))));
        stages.push(stage("skew", between(skew), vec![rows.clone()], true, task));
    }
    if let (Some(join), Some(by_id), Some(outcomes), Some(predictions)) =
        (layout.join().map(Arc::new), by_id, outcomes, layout.predictions())
    {
        let (plan, measures) = (join.clone(), shared.measures.clone());
        let detectors = of_errors(&layout.detectors);
        let task: MakeTask = Arc::new(move |partition| {
            Ok(Box::new(Join::new(plan.clone(), partition, measures.clone()).watched(detectors.clone())))
        });
        stages.push(stage("join", between(by_id), vec![outcomes.clone()], true, task));
        let judge = shared.judging.clone();
        let plan = OutcomesPlan {
            topic: predictions.stem.clone(),
            partitions: i32::try_from(by_id.partitions).unwrap_or(i32::MAX),
            join,
            judge: Arc::new(move |known| judge.outcomes(known)),
        };
        let task: MakeTask = Arc::new(move |_| Ok(Box::new(OutcomesJudge::new(plan.clone()))));
        stages.push(stage("outcomes", between(outcomes), vec![journal.clone()], true, task));
    }
    stages
}

/// The stages around the journal.
fn reporting(layout: &Layout<'_>, plan: ReportPlan, shared: &Shared) -> Vec<Stage> {
    let journal = &layout.between.journal;
    let mut stages = Vec::new();
    if let Some(commands) = layout.app.drift_commands() {
        let input = InputTopic {
            topic: commands.kafka.clone(),
            time: commands.time.clone().unwrap_or_default(),
            source: None,
        };
        let task: MakeTask = Arc::new(|_| Ok(Box::new(Commands)));
        stages.push(stage("commands", input, vec![journal.clone()], false, task));
    }
    let requests = layout.app.retrain().map(|topic| topic.kafka.clone());
    let outputs = std::iter::once(layout.drift.kafka.clone()).chain(requests).collect();
    let (clocks, measures) = (shared.clocks.clone(), shared.measures.clone());
    let task: MakeTask =
        Arc::new(move |_| Ok(Box::new(Report::new(plan.clone(), clocks.clone(), measures.clone()))));
    stages.push(stage("report", between(journal), outputs, true, task));
    stages
}

fn between(topic: &KafkaTopic) -> InputTopic {
    InputTopic { topic: topic.clone(), time: "time".to_owned(), source: None }
}

fn stage(name: &str, input: InputTopic, outputs: Vec<KafkaTopic>, stateful: bool, task: MakeTask) -> Stage {
    Stage {
        name: format!("drift/{name}"),
        inputs: vec![input],
        outputs,
        alignment: None,
        stateful,
        start: Start::Earliest,
        task,
    }
}

//! `millrace drift reference` and `calibrate`: what windows are compared with, and from which effect on they differ.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use millrace_drift::calibrate::{self, DATA_SHARE, METRICS_SHARE, Performance, QUALITY_SHARE};
use millrace_drift::reference::{self, BuildOptions, Quality, Reference, Season};
use millrace_drift::service::{Models, QUALITY, REFERENCE, THRESHOLDS, window_of};
use millrace_topics::{Application, DriftTable, ModelRef, Role, WindowTable, show_duration, watched_columns};

use crate::application;
use crate::cli::ReferenceArgs;
use crate::text::thousands;

const DAY_MS: i64 = 86_400_000;

/// Builds the reference of a model version.
pub fn build(folder: &Path, args: &ReferenceArgs) -> Result<()> {
    let app = load(folder, &args.app)?;
    let table = table(&app)?;
    let stem =
        table.features.as_ref().context("drift.toml watches no `features`: there is nothing to refer to")?;
    let topic = app.topic(stem).with_context(|| format!("there is no topic `{stem}`"))?;
    let schema = topic.kafka.schema.as_ref().context("the feature topic has no schema")?;
    let options = BuildOptions {
        columns: watched_columns(table, topic, schema.arrow()),
        time: topic.time.clone(),
        id: topic.id.clone(),
        segments: table.segments.clone(),
        score: args.score.clone(),
        label: args.label.clone(),
        label_time: args.label_time.clone(),
        from_ms: args.from,
        to_ms: args.to,
        ..BuildOptions::default()
    };
    let built = reference::build(&args.inputs, &options)?;
    let place = place(&app, wanted(&app, args.model.as_deref())?.as_ref())?;
    let file = place.join(REFERENCE);
    built.write(&file)?;
    let rows = built.total("").map_or(0, |profile| profile.rows());
    println!(
        "{}: {} rows in {} blocks, {} columns, {} segments",
        file.display(),
        thousands(rows),
        built.blocks.len(),
        built.plan.columns.len(),
        built.segments().len() - 1
    );
    let quality = place.join(QUALITY);
    if quality.exists() {
        println!("{}: kept as it is; remove it to learn it anew", quality.display());
        return Ok(());
    }
    let checks = CHECKS_OF_COLUMN * built.plan.columns.len() as f64 + CHECKS_OF_ROWS;
    let rate = QUALITY_SHARE * rate_per_window(table) / checks;
    write(&quality, &Quality::learn_within(&built, rate).to_toml())
}

/// Statistical constraints a column, and of all rows.
const CHECKS_OF_COLUMN: f64 = 2.0;
const CHECKS_OF_ROWS: f64 = 2.0;

/// The wanted false alarms per window; of windows of rows, per day.
fn rate_per_window(table: &DriftTable) -> f64 {
    let step_ms = match table.window {
        WindowTable::Time { slide_ms, .. } => slide_ms,
        WindowTable::Rows(_) => DAY_MS,
    };
    (step_ms as f64 / table.expected_time_between_alarms_ms.max(1) as f64).min(0.5)
}

/// Calibrates the thresholds of a model version on its reference.
pub fn calibrate(folder: &Path, app: &str, model: Option<&str>) -> Result<()> {
    let app = load(folder, app)?;
    let table = table(&app)?;
    let wanted = wanted(&app, model)?;
    let place = place(&app, wanted.as_ref())?;
    let file = place.join(REFERENCE);
    if !file.exists() {
        bail!("{} is missing: `millrace drift reference {}` makes it", file.display(), app.name);
    }
    let (reference, _) = Reference::read(&file)?;
    let season = match table.season_ms {
        Some(DAY_MS) => Some(Season::Day),
        Some(_) => Some(Season::Week),
        None => None,
    };
    let options = calibrate::Options {
        window: window_of(table.window),
        expected_time_between_alarms_ms: table.expected_time_between_alarms_ms,
        share: DATA_SHARE,
        season,
        scores: table.predictions.is_some(),
        performance: wanted.and_then(|model| performance(&app, table, &model)),
        ..calibrate::Options::default()
    };
    let calibrate::Calibrated { thresholds, left } =
        calibrate::calibrate(&reference, &options).map_err(|error| anyhow!("{}: {error}", file.display()))?;
    write(&place.join(THRESHOLDS), &thresholds.to_toml())?;
    if options.scores && thresholds.predictions.is_empty() {
        println!("judged by convention: scores, since the reference counts none; build it with --score");
    }
    left.iter().for_each(|reason| println!("judged by convention: {reason}"));
    if let Some(made) = &thresholds.calibration {
        println!(
            "{} thresholds from {} windows held out; one false alarm in {} over all of them together",
            thresholds.bounds.len() + thresholds.predictions.len() + thresholds.metrics.len(),
            made.windows,
            show_duration(made.expected_time_between_alarms_ms)
        );
    }
    Ok(())
}

fn write(file: &Path, text: &str) -> Result<()> {
    std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    println!("{}", file.display());
    Ok(())
}

/// The application; its models' references may be what is missing, so they are not checked.
fn load(folder: &Path, app: &str) -> Result<Application> {
    let app =
        millrace_topics::load(folder, app).map_err(|problems| application::problems_error(&problems))?;
    application::with_schemas(app)
}

fn table(app: &Application) -> Result<&DriftTable> {
    match app.drift().map(|topic| &topic.role) {
        Some(Role::Drift(table)) => Ok(table),
        _ => bail!("no topic file of {} has a table [drift]: add drift.toml", app.name),
    }
}

/// The model whose metrics on labels are judged, where outcomes are watched.
fn performance(app: &Application, table: &DriftTable, model: &ModelRef) -> Option<Performance> {
    table.labels.as_ref()?;
    let facts = Models::new(&app.folder).facts(&model.model, &model.version);
    Some(Performance {
        task: table.task,
        own: facts.metrics,
        threshold: facts.threshold,
        share: METRICS_SHARE,
        ks: table.ks.clone(),
    })
}

/// The model version given, or the first one deployed on the watched predictions.
fn wanted(app: &Application, model: Option<&str>) -> Result<Option<ModelRef>> {
    match model {
        Some(text) => {
            Ok(Some(ModelRef::parse(text).with_context(|| format!("--model {text}: write model/version"))?))
        }
        None => first(app),
    }
}

/// The folder of the model version; without a model the application's own.
fn place(app: &Application, wanted: Option<&ModelRef>) -> Result<PathBuf> {
    let Some(wanted) = wanted else { return Ok(app.folder.clone()) };
    let folder = app.folder.join("models").join(&wanted.model).join(&wanted.version);
    if !folder.is_dir() {
        bail!("{} is no folder: there is no model {wanted}", folder.display());
    }
    Ok(folder)
}

fn first(app: &Application) -> Result<Option<ModelRef>> {
    let Some(predictions) = &table(app)?.predictions else { return Ok(None) };
    let Some(Role::Deployments(deployments)) = app.deployments().map(|topic| &topic.role) else {
        return Ok(None);
    };
    Ok(deployments.first.get(predictions).cloned())
}

//! `millrace check`: everything that can be known to be wrong before anything runs.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use arrow::datatypes::SchemaRef;
use millrace_topics::{Application, Problem, Role, Topic};

use crate::application::{prediction_topics, views, with_schemas};

/// Prints every problem of an application; exit code 1 if there is one.
pub fn run(folder: &Path, app: &str) -> Result<ExitCode> {
    let problems = match millrace_topics::load(folder, app) {
        Err(problems) => problems,
        Ok(app) => {
            let problems = problems(&app);
            if problems.is_empty() {
                println!(
                    "{}: {} topics, {} feature views, {} prediction topics: no problems",
                    app.name,
                    app.topics.len(),
                    views(&app).count(),
                    prediction_topics(&app).count()
                );
                return Ok(ExitCode::SUCCESS);
            }
            problems
        }
    };
    for problem in &problems {
        println!("{problem}");
    }
    eprintln!(
        "millrace: {} in {app}",
        if problems.len() == 1 { "1 problem".into() } else { format!("{} problems", problems.len()) }
    );
    Ok(ExitCode::FAILURE)
}

/// What topic files alone do not tell: SQL against schemas, models against views.
pub fn problems(app: &Application) -> Vec<Problem> {
    let problems = millrace_features::check(app);
    if !problems.is_empty() {
        return problems;
    }
    let Ok(app) = with_schemas(app.clone()) else { return problems };
    let models = prediction_topics(&app).flat_map(|topic| match features_of(&app, topic) {
        Some(features) => millrace_scorer::check(&app, topic, features),
        None => Vec::new(),
    });
    models.chain(millrace_drift::service::check(&app)).collect()
}

/// The columns that a prediction topic scores.
fn features_of<'a>(app: &'a Application, topic: &Topic) -> Option<&'a SchemaRef> {
    let Role::Predictions(table) = &topic.role else { return None };
    Some(app.topic(&table.features)?.kafka.schema.as_ref()?.arrow())
}

//! `millrace check`: everything that can be known to be wrong before anything runs.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use millrace_topics::{Application, Problem, Role, Topic};

use crate::application::{prediction_topics, views, with_schemas};
use crate::experiment::said;

/// Prints every problem of an application; exit code 1 if there is one.
pub fn run(folder: &Path, app: &str) -> Result<ExitCode> {
    let (application, mut problems) = millrace_topics::read(folder, app);
    let drafts = application.as_ref().map(drafts).unwrap_or_default();
    if let Some(application) = application.and_then(|application| sound(application, &problems)) {
        let more = self::problems(&application).into_iter().filter(|more| !problems.contains(more));
        problems.extend(more.collect::<Vec<_>>());
        if problems.is_empty() && drafts.is_empty() {
            println!(
                "{}: {} topics, {} feature views, {} prediction topics: no problems",
                application.name,
                application.topics.len(),
                views(&application).count(),
                prediction_topics(&application).count()
            );
            return Ok(ExitCode::SUCCESS);
        }
    }
    problems.extend(drafts);
    for problem in &problems {
        println!("{problem}");
    }
    eprintln!(
        "millrace: {} in {app}",
        if problems.len() == 1 { "1 problem".into() } else { format!("{} problems", problems.len()) }
    );
    Ok(ExitCode::FAILURE)
}

/// What is wrong with drafts of experiments; what cannot be told of them is said aside.
fn drafts(app: &Application) -> Vec<Problem> {
    let mut problems = app.draft_problems();
    for definition in &app.definitions {
        problems.extend(said::blind(app, definition));
        for note in said::untold(app, definition) {
            eprintln!("millrace: note: {note}");
        }
    }
    problems
}

/// The part of an application whose SQL can be checked although files of it have problems: nothing where a source or a
/// file that could not be read may be to blame, else all but the views that have problems and what scores them.
fn sound(mut app: Application, problems: &[Problem]) -> Option<Application> {
    let is_of = |topic: &Topic, problem: &Problem| topic.problem("", "").file == problem.file;
    let is_broken = |topic: &Topic| problems.iter().any(|problem| is_of(topic, problem));
    let is_known = |problem: &Problem| app.topics.iter().any(|topic| is_of(topic, problem));
    let sources = app.topics.iter().filter(|topic| matches!(topic.role, Role::Source));
    if !problems.iter().all(is_known) || sources.into_iter().any(is_broken) {
        return None;
    }
    let is_view = |topic: &Topic| matches!(topic.role, Role::Features(_));
    let broken: Vec<String> =
        app.topics.iter().filter(|t| is_view(t) && is_broken(t)).map(|t| t.stem.clone()).collect();
    app.topics.retain(|topic| match &topic.role {
        Role::Features(_) => !broken.contains(&topic.stem),
        Role::Predictions(table) => {
            broken.is_empty() || !is_broken(topic) && !broken.contains(&table.features)
        }
        // What watches a view that is left out has nothing to be checked against.
        Role::Drift(_) | Role::Retrain(_) => broken.is_empty(),
        _ => true,
    });
    Some(app)
}

/// What topic files alone do not tell: SQL against schemas, models against views.
pub fn problems(app: &Application) -> Vec<Problem> {
    let problems = millrace_features::check(app);
    if !problems.is_empty() {
        return problems;
    }
    let Ok(app) = with_schemas(app.clone()) else { return problems };
    let models =
        prediction_topics(&app).flat_map(|topic| match millrace_scorer::scored_columns(&app, topic) {
            Some(columns) => millrace_scorer::check(&app, topic, &columns.schema),
            None => Vec::new(),
        });
    models.chain(millrace_drift::service::check(&app)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stems_with_a_problem_in(file: &str) -> Option<String> {
        let topics = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../topics");
        let app = millrace_topics::load(&topics, "fraud").unwrap();
        let problem = Problem::new(&topics.join("fraud").join(file), Some(1), Some("title"), "is wrong");
        let stems = sound(app, &[problem])?.topics.into_iter().map(|topic| topic.stem);
        Some(stems.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn the_sql_is_checked_as_far_as_it_does_not_hang_on_files_with_problems() {
        let all = "alerts dead-letters deployments drift drift-commands experiment-commands experiment-results features labels \
                   predictions retrain-requests scorer-stats transactions";
        assert_eq!(stems_with_a_problem_in("predictions.toml").as_deref(), Some(all));
        let rest = "alerts dead-letters deployments drift-commands experiment-commands experiment-results labels \
                    scorer-stats transactions";
        assert_eq!(stems_with_a_problem_in("features.toml").as_deref(), Some(rest));
        assert_eq!(stems_with_a_problem_in("labels.toml"), None, "the view reads it");
        assert_eq!(stems_with_a_problem_in("unreadable.toml"), None, "it may be a source");
    }
}

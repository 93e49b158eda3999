//! `millrace topics`: an application's topics made, compared, drawn.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use millrace_runtime::{Args, Configuration};
use millrace_topics::cluster::{self, Target};
use millrace_topics::deployments::Deployments;
use millrace_topics::graph::Graph;

use crate::application::{
    self, drift_topics, experiment_topics, kafka_topics, prediction_topics, view_topics,
};
use crate::cli::{GraphFormat, TopicsCommand};

/// Runs one of the commands.
pub fn run(folder: &Path, command: TopicsCommand) -> Result<ExitCode> {
    match command {
        TopicsCommand::Apply { app, replication, service } => apply(folder, &app, replication, &service)?,
        TopicsCommand::Diff { app, service } => return diff(folder, &app, &service),
        TopicsCommand::Graph { app, format } => graph(folder, &app, format)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn apply(folder: &Path, app: &str, replication: Option<u16>, args: &Args) -> Result<()> {
    let app = application::load(folder, app)?;
    let configuration = Configuration::load(args)?;
    let client = configuration.kafka_client();
    let registry = application::registry(&configuration)?;
    let target = Target { client: &client, registry: registry.as_ref(), replication };
    let changes = cluster::apply(target, &kafka_topics(&app)?)?;
    for change in &changes {
        println!("{change}");
    }
    if prediction_topics(&app).next().is_some() {
        for (offset, deployment) in Deployments::new(&client, registry, &app, true)?.write_first()? {
            println!(
                "+ deployment {offset}: {} {}/{}",
                deployment.topic, deployment.model, deployment.version
            );
        }
    }
    println!("{}: topics, schemas and deployments are as its folder says", app.name);
    Ok(())
}

/// Prints what `apply` would do; exit code 1 if it would refuse.
fn diff(folder: &Path, app: &str, args: &Args) -> Result<ExitCode> {
    let app = application::load(folder, app)?;
    let configuration = Configuration::load(args)?;
    let registry = application::registry(&configuration)?;
    let client = configuration.kafka_client();
    let target = Target { client: &client, registry: registry.as_ref(), replication: None };
    let changes = cluster::diff(target, &kafka_topics(&app)?)?;
    for change in &changes {
        println!("{change}");
    }
    if changes.is_empty() {
        println!("{}: nothing to change", app.name);
    }
    let refused = changes.iter().any(|change| matches!(change, cluster::Change::Refuse { .. }));
    Ok(if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn graph(folder: &Path, app: &str, format: GraphFormat) -> Result<()> {
    let app = application::load(folder, app)?;
    let views = view_topics(&app)?;
    let (drift, experiments) = (drift_topics(&app)?, experiment_topics(&app)?);
    // The scorer's steps come from the topic files, after those of the views; what watches comes last.
    let steps = views.iter().flat_map(|view| view.steps.clone()).collect();
    let internal = views.into_iter().flat_map(|view| view.internal);
    let internal: Vec<_> = internal.chain(drift.internal).chain(experiments.internal).collect();
    let graph = Graph::new(&app, steps, &internal).followed_by(drift.steps).followed_by(experiments.steps);
    let text = match format {
        GraphFormat::Text => graph.text(),
        GraphFormat::Dot => graph.dot(),
        GraphFormat::Mermaid => graph.mermaid(),
    };
    print!("{text}");
    Ok(())
}

//! `millrace deploy`, `millrace deployments`: which model versions serve, and how.

mod show;
mod words;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use millrace_experiments::deploying::{self, Asked, Request, next, restore};
use millrace_experiments::service::results;
use millrace_runtime::clock::now_ms;
use millrace_runtime::{Args, Configuration};
use millrace_schemas::SchemaRegistry;
use millrace_schemas::envelope::Deployment;
use millrace_topics::deployments::{Deployments, Error};
use millrace_topics::{Application, ModelRef, Role, Topic, did_you_mean, listed};
use rdkafka::ClientConfig;
use serde_json::json;

use crate::application;
use crate::cli::DeployArgs;
use words::Words;

/// Makes the next deployment of a topic, checks it, shows it, and writes it over the one that was read.
pub fn run(folder: &Path, args: &DeployArgs) -> Result<()> {
    let app = application::load(folder, &args.app)?;
    let topic = served(&app, &args.topic)?;
    let configuration = Configuration::load(&args.service)?;
    let client = configuration.kafka_client();
    let registry = application::registry(&configuration)?;
    let deployments = Deployments::new(&client, registry.clone(), &app, true)?;
    let history = deployments.read()?;
    let last = deploying::last_of(&history, &topic.stem);
    let seen = last.map(|(offset, _)| offset);
    if args.seen.is_some() && args.seen != seen {
        return Err(Error::Changed { topic: topic.stem.clone(), last: seen }.into());
    }
    let asked = asked(args);
    let deployment = match args.rollback {
        Some(offset) => {
            let judged = judged(&app, &history, &client, registry.clone())?;
            let restored = restore(&topic.stem, offset, &asked, &history, &judged)?;
            if let Some(experiment) = &restored.without {
                println!(
                    "the arms of experiment {experiment} stay away: nobody would judge them; the champion serves everybody, and \
                     `millrace experiment start {} {experiment}` begins anew",
                    app.name
                );
            }
            restored.deployment
        }
        None => next(&request(&app, topic, args, last)?, &asked, &history)?,
    };
    for version in deploying::versions(&deployment) {
        check(&app, topic, &version)?;
    }
    print!("{}", show::one(&deployment));
    if args.dry_run {
        println!("nothing was written: --dry-run");
        return Ok(());
    }
    let offset = deployments.write(deployment, seen)?;
    println!("deployment {offset} of {} is in force", topic.kafka.name);
    Ok(())
}

/// Prints the deployments of a topic, or of all.
pub fn list(folder: &Path, app: &str, topic: Option<&str>, json: bool, args: &Args) -> Result<()> {
    let app = application::load(folder, app)?;
    let stem = topic.map(|stem| served(&app, stem)).transpose()?.map(|topic| topic.stem.clone());
    let configuration = Configuration::load(args)?;
    let client = configuration.kafka_client();
    let history = Deployments::new(&client, application::registry(&configuration)?, &app, true)?.read()?;
    let wanted = |deployment: &Deployment| stem.as_ref().is_none_or(|stem| *stem == deployment.topic);
    let shown: Vec<&(i64, Deployment)> = history.iter().filter(|(_, one)| wanted(one)).collect();
    if json {
        for (offset, one) in &shown {
            let in_force = deploying::last_of(&history, &one.topic).is_some_and(|(last, _)| last == *offset);
            let mut object = serde_json::to_value(one)?;
            object["arms"] = serde_json::to_value(&one.arms)?;
            object["offset"] = json!(offset);
            object["in_force"] = json!(in_force);
            println!("{object}");
        }
        return Ok(());
    }
    if shown.is_empty() {
        println!("nothing was deployed yet: run `millrace topics apply {}`, or `millrace deploy`", app.name);
    }
    print!("{}", show::history(&shown));
    Ok(())
}

/// The experiments whose arms the service judges, or has judged; their topic is read where an experiment was ever deployed.
fn judged(
    app: &Application,
    history: &[(i64, Deployment)],
    client: &ClientConfig,
    registry: Arc<dyn SchemaRegistry>,
) -> Result<BTreeSet<String>> {
    if app.experiments().is_none() || history.iter().all(|(_, one)| one.experiment.is_empty()) {
        return Ok(BTreeSet::new());
    }
    Ok(results(app, client, registry)?.into_iter().map(|event| event.experiment).collect())
}

/// The topic that models serve.
fn served<'a>(app: &'a Application, stem: &str) -> Result<&'a Topic> {
    let serves = |topic: &&Topic| matches!(topic.role, Role::Predictions(_) | Role::Rankings(_));
    if let Some(topic) = app.topics.iter().filter(serves).find(|topic| topic.stem == stem) {
        return Ok(topic);
    }
    let all: Vec<&str> = app.topics.iter().filter(serves).map(|topic| topic.stem.as_str()).collect();
    if all.is_empty() {
        bail!("application `{}` predicts nothing: no topic file of it has a table [predictions]", app.name);
    }
    let hint = did_you_mean(stem, all.iter().copied());
    bail!("no model serves a topic `{stem}` of {}; there is {}{hint}", app.name, listed(all.into_iter()))
}

fn asked(args: &DeployArgs) -> Asked {
    Asked { by: args.by.clone(), reason: args.reason.clone(), cause: String::new(), time_ms: now_ms() }
}

fn request(
    app: &Application,
    topic: &Topic,
    args: &DeployArgs,
    last: Option<(i64, &Deployment)>,
) -> Result<Request> {
    let models = millrace_scorer::repository_of(app);
    let words = Words { models: &models, model: last.map(|(_, last)| last.model.as_str()) };
    let shadows = args.shadows.iter().map(|text| words.shadow(text)).collect::<Result<_>>()?;
    Ok(Request {
        topic: topic.stem.clone(),
        interleaves: matches!(topic.role, Role::Rankings(_)),
        champion: args.champion.as_deref().map(|text| words.version(text)).transpose()?,
        shadows,
        plan: words.plan(args)?,
        experiment: args.experiment.clone(),
        salt: args.salt.clone(),
        namespace: args.namespace.as_deref().map(words::namespace).transpose()?,
    })
}

/// A version that no scorer could serve is refused before it is written.
pub fn check(app: &Application, topic: &Topic, version: &ModelRef) -> Result<()> {
    let Some(columns) = millrace_scorer::scored_columns(app, topic) else { return Ok(()) };
    millrace_scorer::check_version(app, version, &columns)
        .with_context(|| format!("{version} cannot serve {}", topic.kafka.name))
}

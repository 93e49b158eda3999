//! A folder of topic files, read as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::columns::check_predictions;
use crate::near::{did_you_mean, listed};
use crate::schema_file::Folders;
use crate::topic_file::{
    ALERTS, DEAD_LETTERS, DEPLOYMENTS, DRIFT_COMMANDS, EXPERIMENT_COMMANDS, SCORER_STATS, built_in_topic,
    names, read_topic,
};
use crate::{Application, Problem, Role, Topic, drift_checks, experiment, ranking_checks};

/// Stems of topics that services keep for themselves.
const RESERVED: [&str; 1] = ["progress"];
/// Kafka's bound on a topic's name, less the room that the names of internal topics need
/// (`<name>.by-<column>.<plan>`).
const MAX_NAME: usize = 150;

/// The applications in a folder, by ascending name: the folders that hold a topic file.
pub fn list(folder: &Path) -> Vec<String> {
    let folders = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<String> = folders
        .filter(|path| !names(path, "toml").is_empty())
        .filter_map(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()))
        .collect();
    found.sort();
    found
}

/// Reads and checks the application `name` in a folder of applications (`topics/`). Every problem that can be seen
/// without planning the views' SQL is in the error, by file and line. Drafts of experiments that have problems do not make
/// the application wrong: they are [`Application::unsound`].
pub fn load(folder_of_applications: &Path, name: &str) -> Result<Application, Vec<Problem>> {
    match read(folder_of_applications, name) {
        (Some(application), problems) if problems.is_empty() => Ok(application),
        (_, problems) => Err(problems),
    }
}

/// As [`load`], with what could be read of an application that has problems, so that the rest of it can be checked too.
/// What its files say wrongly has its default there.
pub fn read(folder_of_applications: &Path, name: &str) -> (Option<Application>, Vec<Problem>) {
    let folder = folder_of_applications.join(name);
    let stems = names(&folder, "toml");
    if stems.is_empty() || Path::new(name).components().count() != 1 {
        return (None, vec![no_application(folder_of_applications, name)]);
    }
    let folders = Folders { applications: folder_of_applications, application: &folder };
    let mut problems: Vec<Problem> =
        check_name(name).map(|m| Problem::new(&folder, None, None, m)).into_iter().collect();
    let mut topics = Vec::new();
    let mut unread = BTreeSet::new();
    for stem in &stems {
        let (topic, found) = read_topic(folders, stem);
        problems.extend(found);
        match topic {
            Some(topic) => topics.push(topic),
            None => drop(unread.insert(stem.clone())),
        }
    }
    add_missing(folders, &stems, &mut topics);
    let mut drafts = experiment::read_all(&folder, &topics);
    let mut application = Application {
        name: name.to_owned(),
        folder: folder.clone(),
        topics,
        definitions: Vec::new(),
        unsound: Vec::new(),
        draft_files: BTreeMap::new(),
    };
    problems.extend(check_topics(&application, &unread));
    if unread.is_empty() {
        experiment::check(&application, &mut drafts);
    }
    application.draft_files = experiment::files_of(&drafts);
    (application.definitions, application.unsound) = experiment::sorted_out(drafts);
    sort(&mut problems);
    (Some(application), problems)
}

fn sort(problems: &mut [Problem]) {
    problems.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
}

impl Application {
    /// What is wrong with drafts of experiments, by file and line.
    pub fn draft_problems(&self) -> Vec<Problem> {
        let mut all: Vec<Problem> = self.unsound.iter().flat_map(|draft| draft.problems.clone()).collect();
        sort(&mut all);
        all
    }

    /// The topic of a stem.
    pub fn topic(&self, stem: &str) -> Option<&Topic> {
        self.topics.iter().find(|topic| topic.stem == stem)
    }

    /// The topic of deployments; every application that predicts has one.
    pub fn deployments(&self) -> Option<&Topic> {
        self.topic(DEPLOYMENTS)
    }

    /// The topic of what services reject; every application has one.
    pub fn dead_letters(&self) -> Option<&Topic> {
        self.topic(DEAD_LETTERS)
    }

    /// The topic of drift reports, where the application watches anything.
    pub fn drift(&self) -> Option<&Topic> {
        self.topics.iter().find(|topic| matches!(topic.role, Role::Drift(_)))
    }

    /// The topic of retrain requests, if there is one.
    pub fn retrain(&self) -> Option<&Topic> {
        self.topics.iter().find(|topic| matches!(topic.role, Role::Retrain(_)))
    }

    /// The topic of what people say to alarms; every application with drift reports has one.
    pub fn drift_commands(&self) -> Option<&Topic> {
        self.topic(DRIFT_COMMANDS)
    }

    /// The topic of results of experiments, where there are any.
    pub fn experiments(&self) -> Option<&Topic> {
        self.topics.iter().find(|topic| matches!(topic.role, Role::Experiments(_)))
    }

    /// The topic of what people say to experiments; every application with results of experiments has one.
    pub fn experiment_commands(&self) -> Option<&Topic> {
        self.topic(EXPERIMENT_COMMANDS)
    }

    /// The topic of what a person should know of how services do; every application that predicts has one.
    pub fn alerts(&self) -> Option<&Topic> {
        self.topic(ALERTS)
    }

    /// The topic of how long models take and what they miss; every application that predicts has one.
    pub fn scorer_stats(&self) -> Option<&Topic> {
        self.topic(SCORER_STATS)
    }

    /// The topic of what clicks earn, where lists are shown.
    pub fn click_feedback(&self) -> Option<&Topic> {
        self.topics.iter().find(|topic| matches!(topic.role, Role::ClickFeedback(_)))
    }

    fn stems_of(&self, is: fn(&Role) -> bool) -> Vec<&str> {
        self.topics.iter().filter(|topic| is(&topic.role)).map(|topic| topic.stem.as_str()).collect()
    }
}

fn no_application(folder: &Path, name: &str) -> Problem {
    let all = list(folder);
    let shown = match all.is_empty() {
        true => "and no other either".to_owned(),
        false => format!("there are: {}", all.join(", ")),
    };
    let hint = did_you_mean(name, all.iter().map(String::as_str));
    let message = format!("no application `{name}`; {shown}{hint}");
    Problem { file: folder.to_owned(), line: None, key: None, message }
}

/// What a small application leaves out.
fn add_missing(folders: Folders<'_>, stems: &[String], topics: &mut Vec<Topic>) {
    let predicts = topics.iter().any(|topic| matches!(topic.role, Role::Predictions(_) | Role::Rankings(_)));
    let watches = topics.iter().any(|topic| matches!(topic.role, Role::Drift(_)));
    let experiments = topics.iter().any(|topic| matches!(topic.role, Role::Experiments(_)));
    let needed = [
        (DEAD_LETTERS, true),
        (ALERTS, predicts),
        (DEPLOYMENTS, predicts),
        (SCORER_STATS, predicts),
        (DRIFT_COMMANDS, watches),
        (EXPERIMENT_COMMANDS, experiments),
    ];
    let missing = needed.iter().filter(|(stem, needed)| *needed && !stems.iter().any(|s| s == stem));
    topics.extend(missing.filter_map(|(stem, _)| built_in_topic(folders, stem)));
    topics.sort_by(|a, b| a.stem.cmp(&b.stem));
}

/// What is seen only with all topics at hand. `unread` are files that are no TOML: what names them may be right.
fn check_topics(application: &Application, unread: &BTreeSet<String>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for topic in &application.topics {
        let named = check_name(&topic.stem).or_else(|| check_length(&topic.kafka.name));
        problems.extend(named.map(|message| Problem::new(&topic.file, None, None, message)));
        match &topic.role {
            Role::Predictions(table) if !table.features.is_empty() && !unread.contains(&table.features) => {
                problems.extend(check_scored(application, topic, &table.features));
            }
            Role::Deployments(table) => {
                let predictions =
                    application.stems_of(|role| matches!(role, Role::Predictions(_) | Role::Rankings(_)));
                let stems = table.first.keys().filter(|stem| !unread.contains(*stem));
                for stem in stems.filter(|stem| !predictions.contains(&stem.as_str())) {
                    let hint = did_you_mean(stem, predictions.iter().copied());
                    let all = listed(predictions.iter().copied());
                    let message = format!(
                        "there is no topic with [predictions] or [rankings] `{stem}`, only {all}{hint}"
                    );
                    problems.push(topic.problem(&format!("deployments.first.{stem}"), message));
                }
            }
            Role::Drift(_) => {
                problems
                    .extend(drift_checks::check_topics(application, topic, &|stem| unread.contains(stem)));
            }
            Role::Rankings(_) | Role::ClickFeedback(_) => {
                problems.extend(ranking_checks::check(application, topic, &|stem| unread.contains(stem)));
            }
            _ => {}
        }
    }
    problems.extend(check_drift_topics(application, unread));
    problems
}

/// One service watches an application, and writes one topic of reports and one of requests.
fn check_drift_topics(application: &Application, unread: &BTreeSet<String>) -> Vec<Problem> {
    let all = |is: fn(&Role) -> bool| application.topics.iter().filter(move |topic| is(&topic.role));
    let second = |table: &'static str, is: fn(&Role) -> bool| {
        let mut topics = all(is);
        let first = topics.next().map(|topic| topic.stem.clone()).unwrap_or_default();
        topics
            .map(|topic| {
                topic.problem(
                    table,
                    format!("is in {first}.toml too; an application has one, so move all of it there"),
                )
            })
            .collect::<Vec<_>>()
    };
    let mut problems = second("drift", |role| matches!(role, Role::Drift(_)));
    problems.extend(second("retrain", |role| matches!(role, Role::Retrain(_))));
    if unread.is_empty()
        && application.drift().is_none()
        && let Some(topic) = application.retrain()
    {
        let message =
            "is written by the service that watches, and no topic file has a table [drift]; add drift.toml";
        problems.push(topic.problem("retrain", message));
    }
    problems
}

/// A prediction topic against the feature topic that it scores.
fn check_scored(application: &Application, topic: &Topic, stem: &str) -> Vec<Problem> {
    let features = application.topic(stem).filter(|features| matches!(features.role, Role::Features(_)));
    let Some(features) = features else {
        let all = application.stems_of(|role| matches!(role, Role::Features(_)));
        let hint = did_you_mean(stem, all.iter().copied());
        let message =
            format!("there is no topic with [features] `{stem}`, only {}{hint}", listed(all.iter().copied()));
        return vec![topic.problem("predictions.features", message)];
    };
    let needed = [("id", features.id.is_none()), ("time", features.time.is_none())];
    let missing = needed.into_iter().filter(|(_, missing)| *missing).map(|(key, _)| {
        let message = format!(
            "is missing; {}.toml takes the {key} of its predictions from it, so name that column",
            topic.stem
        );
        features.problem(key, message)
    });
    let columns = features.kafka.schema.iter().flat_map(|schema| check_predictions(topic, schema.arrow()));
    missing.chain(columns).collect()
}

/// Kafka allows letters, digits, `.`, `_` and `-`. A dot would blur where an application's name ends.
fn check_name(name: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(allowed) {
        let right: String = name.chars().map(|c| if allowed(c) { c } else { '-' }).collect();
        return Some(format!(
            "`{name}` cannot be part of a Kafka topic's name; use letters, digits, - and _ only, for example `{right}`"
        ));
    }
    RESERVED
        .contains(&name)
        .then(|| format!("`{name}` is the name of a topic that services keep for themselves; choose another"))
}

fn check_length(name: &str) -> Option<String> {
    (name.len() > MAX_NAME)
        .then(|| format!("the Kafka name has {} characters; shorten it to {MAX_NAME} at most", name.len()))
}

#[cfg(test)]
mod drift_tests;
#[cfg(test)]
mod ranking_tests;
#[cfg(test)]
mod tests;

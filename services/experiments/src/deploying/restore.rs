//! An earlier deployment once more.

use std::collections::BTreeSet;

use millrace_schemas::envelope::Deployment;

use super::{Asked, Error, arms, check};

/// What a rollback comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Restored {
    /// The event.
    pub deployment: Deployment,
    /// The experiment whose arms were left out.
    pub without: Option<String>,
}

/// The event that puts the deployment at `offset` into force again; `None`: the one before that in force. Of an experiment
/// that `millrace deploy` made it goes on with the phase, if the arms are those of its last event; else a new one begins.
///
/// `judged` are the experiments that were ever started with `millrace experiment start`. Those that run are ended by a
/// deployment of another hand, as this one is, so that nobody would judge their arms: of their deployments the champion alone
/// comes back, and serves everybody.
pub fn restore(
    topic: &str,
    offset: Option<i64>,
    asked: &Asked,
    history: &[(i64, Deployment)],
    judged: &BTreeSet<String>,
) -> Result<Restored, Error> {
    let (offset, earlier) = earlier(topic, offset, history)?;
    let event = |of: Deployment, phase| Deployment {
        time_ms: asked.time_ms,
        set_by: asked.by.clone(),
        reason: asked.reason.clone(),
        cause: asked.cause.clone(),
        restores: Some(offset),
        phase,
        ..of
    };
    let (deployment, without) = if judged.contains(&earlier.experiment) && !earlier.arms.is_empty() {
        let alone = Deployment::champion(topic, &earlier.model, &earlier.version, asked.time_ms);
        (event(alone, 0), Some(earlier.experiment.clone()))
    } else {
        let same = |one: &&(i64, Deployment)| one.1.topic == topic && one.1.salt == earlier.salt;
        let last = history.iter().rev().find(same).map_or(earlier, |(_, one)| one);
        let phase = if arms::goes_on(last, &earlier.arms) { last.phase } else { last.phase + 1 };
        (event(earlier.clone(), phase), None)
    };
    check(&deployment, history)?;
    Ok(Restored { deployment, without })
}

fn earlier<'a>(
    topic: &str,
    offset: Option<i64>,
    history: &'a [(i64, Deployment)],
) -> Result<(i64, &'a Deployment), Error> {
    let own: Vec<&(i64, Deployment)> = history.iter().filter(|(_, one)| one.topic == topic).collect();
    let found = match offset {
        Some(offset) => own.iter().find(|(at, _)| *at == offset),
        None => own.len().checked_sub(2).and_then(|before| own.get(before)),
    };
    if let Some((at, earlier)) = found {
        return Ok((*at, earlier));
    }
    let all: Vec<String> = own.iter().map(|(at, _)| at.to_string()).collect();
    Err(Error::NoSuchDeployment(match (offset, all.is_empty()) {
        (_, true) => format!("nothing was ever deployed on `{topic}`"),
        (Some(offset), false) => {
            format!("there is no deployment {offset} of `{topic}`, only {}", all.join(", "))
        }
        (None, false) => format!("`{topic}` has one deployment: there is none before it"),
    }))
}

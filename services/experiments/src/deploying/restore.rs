//! An earlier deployment once more.

use millrace_schemas::envelope::Deployment;

use super::{Asked, Error, arms};

/// The event that puts the deployment at `offset` into force again; `None`: the one before that in force. Of an experiment
/// it goes on with the phase, if the arms are those of its last event; else a new one begins.
pub fn restore(
    topic: &str,
    offset: Option<i64>,
    asked: &Asked,
    history: &[(i64, Deployment)],
) -> Result<Deployment, Error> {
    let own: Vec<&(i64, Deployment)> = history.iter().filter(|(_, one)| one.topic == topic).collect();
    let found = match offset {
        Some(offset) => own.iter().find(|(at, _)| *at == offset),
        None => own.len().checked_sub(2).and_then(|before| own.get(before)),
    };
    let Some((offset, earlier)) = found else {
        let all: Vec<String> = own.iter().map(|(at, _)| at.to_string()).collect();
        return Err(Error::NoSuchDeployment(match (offset, all.is_empty()) {
            (_, true) => format!("nothing was ever deployed on `{topic}`"),
            (Some(offset), false) => {
                format!("there is no deployment {offset} of `{topic}`, only {}", all.join(", "))
            }
            (None, false) => format!("`{topic}` has one deployment: there is none before it"),
        }));
    };
    let last = own.iter().rev().find(|(_, one)| one.salt == earlier.salt).map_or(earlier, |(_, one)| one);
    let phase = if arms::goes_on(last, &earlier.arms) { last.phase } else { last.phase + 1 };
    Ok(Deployment {
        time_ms: asked.time_ms,
        set_by: asked.by.clone(),
        reason: asked.reason.clone(),
        cause: asked.cause.clone(),
        restores: Some(*offset),
        phase,
        ..earlier.clone()
    })
}

//! `millrace drift alarms`: what is open, and what people say to it.

use std::io::Write as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, anyhow, bail};
use millrace_drift::alarm::{Alarm, AlarmKey};
use millrace_drift::service::{AlarmBook, alarms, say};
use millrace_runtime::{Args, Configuration};
use millrace_schemas::envelope::{AlarmState, DriftCommand};
use serde_json::json;

use crate::application;
use crate::cli::{AlarmsCommand, SaidArgs};
use crate::text::day_and_minute;

/// Runs one of the commands.
pub fn run(folder: &Path, app: &str, command: &AlarmsCommand, args: &Args) -> Result<()> {
    let app = application::load(folder, app)?;
    let configuration = Configuration::load(args)?;
    let (client, registry) = (configuration.kafka_client(), application::registry(&configuration)?);
    let book = alarms(&app, &client, registry.clone())?;
    let (alarm, action, until_ms, said) = match command {
        AlarmsCommand::List { all, json } => return list(&book, *all, *json),
        AlarmsCommand::Ack { alarm, said } => (alarm, DriftCommand::ACK, None, said),
        AlarmsCommand::Mute { alarm, duration, said } => {
            let for_ms =
                millrace_topics::parse_duration(duration).map_err(|message| anyhow!("--for {message}"))?;
            let now_ms = book.time_ms.context("no window has been judged yet")?;
            (alarm, DriftCommand::MUTE, Some(now_ms.saturating_add(for_ms)), said)
        }
        AlarmsCommand::Unmute { alarm, said } => (alarm, DriftCommand::UNMUTE, None, said),
        AlarmsCommand::Close { alarm, said } => (alarm, DriftCommand::CLOSE, None, said),
    };
    let Some((key, _)) = book.alarms.iter().find(|(key, _)| key.id() == *alarm) else {
        bail!("there is no alarm `{alarm}`; `millrace drift alarms {} list` shows them", app.name);
    };
    say(&app, &client, registry, &spoken(alarm, action, until_ms, said))?;
    println!("{action} {alarm}: {key}");
    Ok(())
}

fn spoken(alarm: &str, action: &str, until_ms: Option<i64>, said: &SaidArgs) -> DriftCommand {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    DriftCommand {
        id: format!("{alarm}-{action}-{}", now.as_nanos()),
        time_ms: i64::try_from(now.as_millis()).unwrap_or(i64::MAX),
        alarm: alarm.to_owned(),
        action: action.to_owned(),
        until_ms,
        by: said.by.clone(),
        reason: said.reason.clone(),
    }
}

fn list(book: &AlarmBook, all: bool, json: bool) -> Result<()> {
    let now_ms = book.time_ms.unwrap_or_default();
    let mut alarms: Vec<&(AlarmKey, Alarm)> = book.alarms.iter().collect();
    alarms.retain(|(_, alarm)| all || !matches!(alarm.shown(now_ms), AlarmState::Closed | AlarmState::None));
    alarms.sort_by(|(_, a), (_, b)| {
        (a.shown(now_ms), b.severity)
            .partial_cmp(&(b.shown(now_ms), a.severity))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let mut out = std::io::stdout().lock();
    for (key, alarm) in &alarms {
        let state = format!("{:?}", alarm.shown(now_ms)).to_lowercase();
        let line = if json {
            json!({
                "id": key.id(), "state": state, "alarm": key.to_string(), "severity": alarm.severity,
                "worst": alarm.worst, "since": alarm.since_ms, "opened": alarm.opened_ms,
                "muted_until": alarm.muted_until_ms, "note": alarm.note,
            })
            .to_string()
        } else {
            let opened = alarm.opened_ms.map(day_and_minute).unwrap_or_default();
            format!("{}  {state:12}  {opened}  {:5.1}  {key}  {}", key.id(), alarm.severity, alarm.note)
        };
        if writeln!(out, "{}", line.trim_end()).is_err() {
            return Ok(()); // the reader of a pipe may have seen enough
        }
    }
    if !json {
        eprintln!("{} alarms; severity is the effect in units of its threshold", alarms.len());
    }
    Ok(())
}

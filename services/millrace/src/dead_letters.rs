//! `millrace dead-letters`: what could not be processed, and why.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use millrace_runtime::{Args, Configuration};
use millrace_schemas::envelope::DeadLetter;
use serde_json::json;

use crate::application;
use crate::text::day_and_minute;

/// Prints dead letters, oldest first.
pub fn list(folder: &Path, app: &str, reason: Option<&str>, json: bool, args: &Args) -> Result<()> {
    let app = application::load(folder, app)?;
    let configuration = Configuration::load(args)?;
    let topic = app.dead_letters().context("the application has no topic of dead letters")?;
    let registry = application::registry(&configuration)?;
    let (mut count, mut closed) = (0_u64, false);
    let mut out = std::io::stdout().lock();
    millrace_runtime::dead_letters::list(&configuration, &topic.kafka, &registry, |letter| {
        if reason.is_none_or(|reason| letter.reason == reason) && !closed {
            count += 1;
            let line = if json { as_json(&letter) } else { as_text(&letter) };
            closed = writeln!(out, "{line}").is_err(); // the reader of a pipe may have seen enough
        }
    })?;
    if !json {
        eprintln!("{count} dead letters in {}", topic.kafka.name);
    }
    Ok(())
}

fn as_text(letter: &DeadLetter) -> String {
    let key =
        letter.key.as_deref().map_or("no key".into(), |key| format!("key {}", String::from_utf8_lossy(key)));
    format!(
        "{}  {}/{}/{}  {key}  {}: {}",
        day_and_minute(letter.time_ms),
        letter.topic,
        letter.partition,
        letter.offset,
        letter.reason,
        letter.detail
    )
}

/// All fields; bytes as text where they are UTF-8, else as hexadecimal digits after `0x`.
fn as_json(letter: &DeadLetter) -> String {
    let bytes = |bytes: &Option<Vec<u8>>| bytes.as_deref().map(text_or_hex);
    json!({
        "time": letter.time_ms, "service": letter.service, "stage": letter.stage,
        "topic": letter.topic, "partition": letter.partition, "offset": letter.offset, "timestamp": letter.timestamp_ms,
        "reason": letter.reason, "detail": letter.detail,
        "key": bytes(&letter.key), "value": bytes(&letter.value),
        "value_length": letter.value_length, "value_sha256": letter.value_sha256,
        "origin": letter.origin, "traceparent": letter.traceparent,
    })
    .to_string()
}

fn text_or_hex(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(
        |_| bytes.iter().fold("0x".to_owned(), |hex, byte| hex + &format!("{byte:02x}")),
        str::to_owned,
    )
}

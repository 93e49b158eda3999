//! `millrace dead-letters`: what could not be processed, and why.

use std::path::Path;

use anyhow::{Context as _, Result};
use millrace_runtime::{Args, Configuration};

use crate::application::{self, kafka_client};

/// Prints dead letters, oldest first.
pub fn list(folder: &Path, app: &str, reason: Option<&str>, json: bool, args: &Args) -> Result<()> {
    let app = application::load(folder, app)?;
    let configuration = Configuration::load(args)?;
    let topic = app.dead_letters().context("the application has no topic of dead letters")?;
    let registry = application::registry(&configuration)?;
    let letters = millrace_runtime::dead_letters::list(&kafka_client(&configuration), &topic.kafka, registry)?;
    let letters: Vec<_> = letters.into_iter().filter(|l| reason.is_none_or(|r| l.reason == r)).collect();
    for letter in &letters {
        if json {
            println!("{}", serde_json::to_string(letter)?);
        } else {
            println!("{}  {}/{}/{}  {}: {}", crate::text::day_and_minute(letter.time), letter.topic, letter.partition, letter.offset, letter.reason, letter.detail);
        }
    }
    if !json {
        eprintln!("{} dead letters in {}", letters.len(), topic.kafka.name);
    }
    Ok(())
}

//! `millrace drift report`: the page of an application's drift topic.

use std::path::Path;

use anyhow::{Context as _, Result};
use millrace_drift::report::{html, page_of_events};
use millrace_drift::service::events;
use millrace_runtime::{Args, Configuration};

use crate::application;
use crate::text::day_and_minute;

/// Writes the page of the windows that end in a period, ms.
pub fn run(
    folder: &Path,
    app: &str,
    (from, to): (Option<i64>, Option<i64>),
    file: &Path,
    args: &Args,
) -> Result<()> {
    let app = application::load(folder, app)?;
    let configuration = Configuration::load(args)?;
    let registry = application::registry(&configuration)?;
    let mut events = events(&app, &configuration.kafka_client(), registry)?;
    events.retain(|event| {
        from.is_none_or(|from| event.window_end_ms > from) && to.is_none_or(|to| event.window_end_ms <= to)
    });
    let page = page_of_events(&app.name, &events, &day);
    std::fs::write(file, html(&page)).with_context(|| format!("cannot write {}", file.display()))?;
    println!("{}: {}", file.display(), page.verdict);
    Ok(())
}

/// A day where the moment is one's beginning.
fn day(ms: i64) -> String {
    let text = day_and_minute(ms);
    text.strip_suffix(" 00:00").map_or(text.clone(), str::to_owned)
}

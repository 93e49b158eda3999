//! The task that brings lists and clicks together.

use anyhow::{Context as _, Result, anyhow, ensure};
use millrace_experiments::service::click_tasks;
use millrace_runtime::task::{Batch, Effects};
use millrace_topics::Application;

use crate::usage::Usage;

/// CPU time of a new task for these batches, in seconds.
pub fn cpu_seconds(app: &Application, batches: &[Batch]) -> Result<f64> {
    let make = click_tasks(app)?.context("the application has no topic with a table [click_feedback]")?;
    let mut task = make(0).map_err(|error| anyhow!("{error}"))?;
    let (mut usage, mut written, mut rejected) = (Usage::begin()?, 0, 0);
    for batch in batches {
        let mut effects = Effects::default();
        task.apply(batch, &mut effects).map_err(|error| anyhow!("{error}"))?;
        written += effects.outputs.iter().map(|output| output.rows.num_rows()).sum::<usize>();
        rejected += effects.rejected.len();
    }
    let lap = usage.lap()?;
    ensure!(rejected == 0 && written > 0, "{rejected} rows were rejected, {written} written");
    Ok(lap.cpu_seconds)
}

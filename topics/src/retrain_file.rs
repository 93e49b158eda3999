//! `[retrain]` of a topic file, read.

use crate::cron::Cron;
use crate::table::Table;
use crate::{RetrainTable, TriggerOn, TriggerTable};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;
const MOST_WINDOWS: i64 = 1_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum On {
    Drift,
    Performance,
    Volume,
    Time,
}

/// Reads the table; whatever is wrong is noted.
pub(crate) fn read(table: &Table<'_, '_>) -> RetrainTable {
    let mut triggers = Vec::new();
    if let Some(all) = table.table("triggers") {
        for (name, one) in all.named_tables() {
            triggers.extend(read_trigger(name, &one));
            one.refuse_unknown();
        }
    }
    if !table.has("triggers") {
        table.problem("triggers", "is missing: nothing would ever be asked for; write for example [retrain.triggers.drifted] and on = \"drift\"");
    }
    table.refuse_unknown();
    triggers.sort_by(|a: &TriggerTable, b| a.name.cmp(&b.name));
    RetrainTable { triggers }
}

fn read_trigger(name: &str, table: &Table<'_, '_>) -> Option<TriggerTable> {
    let kinds =
        [("drift", On::Drift), ("performance", On::Performance), ("volume", On::Volume), ("time", On::Time)];
    if !table.has("on") {
        table.problem("on", "is missing; write on = \"drift\", \"performance\", \"volume\" or \"time\"");
    }
    let cool_down_ms = table.duration("cool_down", 0).unwrap_or(7 * DAY_MS);
    let training_ms = table.duration("training", 1).unwrap_or(180 * DAY_MS);
    let stateful = table.choice("mode", &[("stateless", false), ("stateful", true)]).unwrap_or(false);
    let on = table.choice("on", &kinds);
    let fires = match on {
        Some(On::Drift) => Some(TriggerOn::Drift {
            severity: table.number("severity", 0.0..=f64::INFINITY).unwrap_or(1.0),
            windows: windows(table),
        }),
        Some(On::Performance) => performance(table),
        Some(On::Volume) => volume(table),
        Some(On::Time) => time(table),
        None => {
            // Whatever kind is meant, its keys are no slips of the pen.
            for key in
                ["severity", "windows", "metric", "bound", "margin", "labels", "growth", "every", "cron"]
            {
                table.has(key);
            }
            None
        }
    };
    Some(TriggerTable { name: name.to_owned(), on: fires?, cool_down_ms, stateful, training_ms })
}

fn windows(table: &Table<'_, '_>) -> u32 {
    table.integer("windows", 1..=MOST_WINDOWS).and_then(|n| u32::try_from(n).ok()).unwrap_or(1)
}

fn performance(table: &Table<'_, '_>) -> Option<TriggerOn> {
    if !table.has("metric") {
        table.problem("metric", "is missing; write for example metric = \"average_precision\"");
    }
    let metric = table.string("metric", "average_precision").map(str::to_owned);
    let bound = table.number("bound", f64::NEG_INFINITY..=f64::INFINITY);
    let margin = table.number("margin", 0.0..=f64::INFINITY);
    let windows = windows(table);
    if !table.has("bound") && !table.has("margin") {
        table.problem("bound", "is missing, and `margin` too; write for example bound = 0.6, or margin = 0.1 to compare with what the champion had");
        return None;
    }
    Some(TriggerOn::Performance { metric: metric?, bound, margin, windows })
}

fn volume(table: &Table<'_, '_>) -> Option<TriggerOn> {
    let labels = table.integer("labels", 1..=i64::MAX).and_then(|n| u64::try_from(n).ok());
    let growth_percent = table.number("growth", 0.0..=f64::INFINITY);
    one_of(table, "labels", "growth", "labels = 500000, or growth = 20.0 for 20 % of the training rows")?;
    Some(TriggerOn::Volume { labels, growth_percent })
}

fn time(table: &Table<'_, '_>) -> Option<TriggerOn> {
    let every_ms = table.duration("every", MINUTE_MS);
    let cron = table.string("cron", "0 3 * * 1").and_then(|text| match Cron::parse(text) {
        Ok(cron) => Some(cron),
        Err(message) => {
            table.problem("cron", message);
            None
        }
    });
    one_of(
        table,
        "every",
        "cron",
        "every = \"30 days\", or cron = \"0 3 * * 1\" for every Monday at 3:00 UTC",
    )?;
    (every_ms.is_some() || cron.is_some()).then_some(TriggerOn::Time { every_ms, cron })
}

/// Notes where the table has none or both of two keys.
fn one_of(table: &Table<'_, '_>, one: &'static str, other: &'static str, example: &str) -> Option<()> {
    match (table.has(one), table.has(other)) {
        (true, false) | (false, true) => Some(()),
        (true, true) => {
            table.problem(other, format!("and `{one}` are two ways to say when; leave one of them out"));
            None
        }
        (false, false) => {
            table.problem(one, format!("is missing; write for example {example}"));
            None
        }
    }
}

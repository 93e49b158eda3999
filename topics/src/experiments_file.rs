//! Reads `[rankings]`, `[click_feedback]` and `[experiments]`.

use std::collections::BTreeSet;

use crate::table::Table;
use crate::{ClickFeedbackTable, ExperimentsTable, RankingsTable};

const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;

/// Reads `[rankings]`; whatever is wrong is noted, and a default stands in.
pub(crate) fn rankings(table: &Table<'_, '_>) -> RankingsTable {
    let read = RankingsTable {
        requests: required(table, "requests", "requests"),
        unit: required(table, "unit", "user_id"),
        items: required(table, "items", "items"),
        list_key: texts(table, "list_key", "query"),
        length: usize::try_from(table.integer("length", 1..=1_000).unwrap_or(10)).unwrap_or(10),
        context: texts(table, "context", "query"),
    };
    table.refuse_unknown();
    read
}

/// Reads `[click_feedback]`.
pub(crate) fn click_feedback(table: &Table<'_, '_>) -> ClickFeedbackTable {
    let read = ClickFeedbackTable {
        rankings: required(table, "rankings", "rankings"),
        clicks: required(table, "clicks", "clicks"),
        request: required(table, "request", "request_id"),
        item: required(table, "item", "item"),
        impressions: table.string("impressions", "impressions").map(str::to_owned),
        positions: table.string("positions", "positions").unwrap_or("positions").to_owned(),
        horizon_ms: table.duration("horizon", 1).unwrap_or(HOUR_MS),
        skip_common_prefix: table.boolean("skip_common_prefix").unwrap_or(false),
        lateness_ms: table.duration("lateness", 0).unwrap_or(MINUTE_MS),
        max_wait_ms: table.duration("max_wait", 1).unwrap_or(10 * MINUTE_MS),
        max_lists: usize::try_from(table.integer("max_lists", 1..=100_000_000).unwrap_or(1_000_000))
            .unwrap_or(1_000_000),
    };
    table.refuse_unknown();
    read
}

/// Reads `[experiments]`.
pub(crate) fn experiments(table: &Table<'_, '_>) -> ExperimentsTable {
    let read = ExperimentsTable {
        window_ms: table.duration("window", 1).unwrap_or(HOUR_MS),
        lateness_ms: table.duration("lateness", 0).unwrap_or(0),
        max_wait_ms: table.duration("max_wait", 1).unwrap_or(10 * MINUTE_MS),
        topics: texts(table, "topics", "labels"),
    };
    table.refuse_unknown();
    read
}

fn required(table: &Table<'_, '_>, key: &'static str, example: &str) -> String {
    if !table.has(key) {
        table.problem(key, format!("is missing; write for example {key} = \"{example}\""));
    }
    table.string(key, example).unwrap_or_default().to_owned()
}

fn texts(table: &Table<'_, '_>, key: &'static str, example: &str) -> Vec<String> {
    let texts = table.strings(key, example).unwrap_or_default();
    let mut seen = BTreeSet::new();
    for text in texts.iter().filter(|text| !seen.insert(**text)) {
        table.problem(key, format!("names `{text}` twice; name it once"));
    }
    texts.into_iter().map(str::to_owned).collect()
}

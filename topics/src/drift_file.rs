//! `[drift]` of a topic file, read.

use std::collections::BTreeSet;

use crate::instant::instant_ms;
use crate::table::Table;
use crate::{
    DetectorTable, DriftTable, LabelsTable, ReferenceTable, SkewTable, TaskKind, Watches, WindowTable,
};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;
/// Windows of fewer rows than this tell nothing.
const LEAST_ROWS: i64 = 100;
/// A window is stored once for each slide that it spans.
const MOST_SLIDES: i64 = 168;

/// What stands where nothing is said.
pub(crate) fn none() -> DriftTable {
    DriftTable {
        features: None,
        columns: Vec::new(),
        ignore: Vec::new(),
        predictions: None,
        labels: None,
        task: TaskKind::Binary,
        window: WindowTable::Time { length_ms: DAY_MS, slide_ms: DAY_MS },
        lateness_ms: 60 * MINUTE_MS,
        max_wait_ms: 10 * MINUTE_MS,
        segments: Vec::new(),
        groups: Vec::new(),
        reference: ReferenceTable::Model,
        season_ms: None,
        horizon_ms: 30 * DAY_MS,
        negative_after_ms: None,
        coverage: 0.8,
        maturity_ms: 7 * DAY_MS,
        expected_time_between_alarms_ms: 90 * DAY_MS,
        judge_from_ms: None,
        ks: vec![100],
        list: None,
        fairness: None,
        skew: None,
        detectors: Vec::new(),
    }
}

/// Reads the table; whatever is wrong is noted, and a default stands in.
pub(crate) fn read(table: &Table<'_, '_>) -> DriftTable {
    let otherwise = none();
    let names = |key, example| distinct(table, key, example);
    let stem = |key, example| table.string(key, example).map(str::to_owned);
    let duration = |key, least_ms, default| table.duration(key, least_ms).unwrap_or(default);
    let tasks = [
        ("binary", TaskKind::Binary),
        ("multiclass", TaskKind::Multiclass),
        ("regression", TaskKind::Regression),
        ("ranking", TaskKind::Ranking),
    ];
    let drift = DriftTable {
        features: stem("features", "features"),
        columns: names("columns", "amount"),
        ignore: names("ignore", "customer_id"),
        predictions: stem("predictions", "predictions"),
        labels: table.table("labels").and_then(|labels| read_labels(&labels)),
        task: table.choice("task", &tasks).unwrap_or(otherwise.task),
        window: read_window(table),
        lateness_ms: duration("lateness", 0, otherwise.lateness_ms),
        max_wait_ms: duration("max_wait", 1, otherwise.max_wait_ms),
        segments: names("segments", "country"),
        groups: names("groups", "country"),
        reference: read_reference(table).unwrap_or(otherwise.reference),
        season_ms: table.duration("season", 1),
        horizon_ms: duration("horizon", 1, otherwise.horizon_ms),
        negative_after_ms: table.duration("negative_after", 1),
        coverage: table.number("coverage", 0.0..=1.0).unwrap_or(otherwise.coverage),
        maturity_ms: duration("maturity", 0, otherwise.maturity_ms),
        expected_time_between_alarms_ms: duration(
            "expected_time_between_alarms",
            1,
            otherwise.expected_time_between_alarms_ms,
        ),
        judge_from_ms: table.has("judge_from").then(|| read_time(table, "judge_from")).flatten(),
        ks: table.counts("ks", "[100, 1000]").unwrap_or(otherwise.ks),
        list: stem("list", "request_id"),
        fairness: table.number("fairness", 0.0..=1.0),
        skew: table.has("skew").then(|| table.table("skew").map(|skew| read_skew(&skew))).flatten(),
        detectors: read_detectors(table),
    };
    check(table, &drift);
    table.refuse_unknown();
    drift
}

fn read_window(table: &Table<'_, '_>) -> WindowTable {
    if table.has("rows") {
        for key in ["window", "slide"] {
            if table.has(key) {
                table.problem(key, "and `rows` are two kinds of windows; leave one of them out");
            }
        }
        let rows =
            table.integer("rows", LEAST_ROWS..=i64::from(u32::MAX)).and_then(|n| u32::try_from(n).ok());
        return WindowTable::Rows(rows.unwrap_or(u32::MAX));
    }
    let length_ms = table.duration("window", 1_000).unwrap_or(DAY_MS);
    let slide_ms = table.duration("slide", 1_000).unwrap_or(length_ms);
    if length_ms % slide_ms != 0 || length_ms / slide_ms > MOST_SLIDES {
        let message = format!(
            "must go into `window` a whole number of times, at most {MOST_SLIDES}; write for example slide = \"1h\" and window = \"1d\""
        );
        table.problem("slide", message);
        return WindowTable::Time { length_ms, slide_ms: length_ms };
    }
    WindowTable::Time { length_ms, slide_ms }
}

fn read_labels(table: &Table<'_, '_>) -> Option<LabelsTable> {
    let required = |key, example: &str| {
        if !table.has(key) {
            table.problem(key, format!("is missing; write for example {key} = \"{example}\""));
        }
        table.string(key, example).map(str::to_owned)
    };
    let (topic, outcome) = (required("topic", "labels"), required("outcome", "fraud"));
    let id = table.string("id", "tx_id").map(str::to_owned);
    table.refuse_unknown();
    Some(LabelsTable { topic: topic?, id, outcome: outcome? })
}

fn read_skew(table: &Table<'_, '_>) -> SkewTable {
    let sample = table.number("sample", 0.0..=1.0).unwrap_or(0.05);
    if sample == 0.0 {
        table.problem("sample", "is 0: no row would ever be computed again; write for example sample = 0.05");
    }
    let tolerated = table.number("tolerated", 0.0..=1.0).unwrap_or(0.01);
    table.refuse_unknown();
    SkewTable { sample, tolerated }
}

fn read_detectors(table: &Table<'_, '_>) -> Vec<DetectorTable> {
    if !table.has("detectors") {
        return Vec::new();
    }
    let all = table.table("detectors").map(|all| all.named_tables()).unwrap_or_default();
    let mut detectors: Vec<DetectorTable> =
        all.iter().filter_map(|(name, one)| read_detector(name, one)).collect();
    detectors.sort_by(|a, b| a.name.cmp(&b.name));
    detectors
}

/// What `of` says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Default,
    Rows,
    Windows,
    Errors,
}

fn read_detector(name: &str, table: &Table<'_, '_>) -> Option<DetectorTable> {
    if !table.has("method") {
        table.problem("method", "is missing; write for example method = \"adwin\"");
    }
    let method = table.string("method", "adwin").map(str::to_owned);
    let watches = read_watches(table);
    let memory_ms = table.duration("memory", 1_000).unwrap_or(7 * DAY_MS);
    let parameters = table.has("parameters").then(|| table.table("parameters")).flatten();
    let parameters = parameters.map(|all| all.named_values()).unwrap_or_default();
    table.refuse_unknown();
    Some(DetectorTable { name: name.to_owned(), method: method?, watches: watches?, parameters, memory_ms })
}

/// What a detector watches: a column or a metric, of rows, windows or errors.
fn read_watches(table: &Table<'_, '_>) -> Option<Watches> {
    let (has_column, has_metric) = (table.has("column"), table.has("metric"));
    let column = has_column.then(|| table.string("column", "amount")).flatten().map(str::to_owned);
    let metric = has_metric.then(|| table.string("metric", "average_precision")).flatten().map(str::to_owned);
    let of = [("rows", Of::Rows), ("windows", Of::Windows), ("errors", Of::Errors)];
    let of = table.choice("of", &of).or((!table.has("of")).then_some(Of::Default));
    let wrong = |key: &str, message: &str| {
        table.problem(key, message);
        None
    };
    match (column, metric, of) {
        (Some(_), Some(_), _) => {
            wrong("metric", "and `column` are two things to watch; leave one of them out")
        }
        (None, None, Some(Of::Errors)) => Some(Watches::Errors),
        (_, _, Some(Of::Errors)) => {
            wrong("of", "must not be \"errors\" with a column or a metric; leave these out")
        }
        (None, Some(_), Some(Of::Rows)) => {
            wrong("of", "must be \"windows\" for a metric: single rows have none")
        }
        (None, Some(metric), _) => Some(Watches::Metric(metric)),
        (Some(column), None, Some(Of::Windows)) => Some(Watches::Mean(column)),
        (Some(column), None, _) if column == SCORE => Some(Watches::Scores),
        (Some(column), None, _) => Some(Watches::Rows(column)),
        // What is there and no string was told already.
        (None, None, _) if has_column || has_metric => None,
        (None, None, _) => wrong(
            "column",
            "is missing, and `metric` too: nothing is watched; write for example column = \"amount\"",
        ),
    }
}

/// The name under which detectors watch the scores of predictions.
const SCORE: &str = "score";

fn read_reference(table: &Table<'_, '_>) -> Option<ReferenceTable> {
    let range =
        table.has("range").then(|| table.table("range").and_then(|range| read_range(&range))).flatten();
    let kinds = [("model", 0), ("previous", 1), ("range", 2)];
    let kind = table.choice("reference", &kinds);
    match (kind, range) {
        (Some(2), None) => {
            table.problem("reference", "\"range\" needs its bounds; write for example range = { from = 2018-04-01T00:00:00Z, to = 2018-06-01T00:00:00Z }");
            None
        }
        (Some(2), Some(range)) => Some(range),
        (_, Some(_)) => {
            table.problem("range", "is for reference = \"range\"; write that, or leave it out");
            None
        }
        (Some(1), None) => Some(ReferenceTable::Previous),
        (_, None) => Some(ReferenceTable::Model),
    }
}

/// A time that must be there, in ms since 1970.
fn read_time(table: &Table<'_, '_>, key: &'static str) -> Option<i64> {
    let wanted = "a time such as 2018-04-01T00:00:00Z";
    if !table.has(key) {
        table.problem(key, format!("is missing; write {wanted}"));
    }
    let time = match table.time_or_string(key, wanted)? {
        Ok(time) => instant_ms(time),
        Err(text) => text.parse().ok().as_ref().and_then(instant_ms),
    };
    if time.is_none() {
        table.problem(key, format!("is no time with its offset; write {wanted}"));
    }
    time
}

fn read_range(table: &Table<'_, '_>) -> Option<ReferenceTable> {
    let (from, to) = (read_time(table, "from"), read_time(table, "to"));
    table.refuse_unknown();
    let (from_ms, to_ms) = (from?, to?);
    if from_ms >= to_ms {
        table.problem("to", "must lie after `from`");
        return None;
    }
    Some(ReferenceTable::Range { from_ms, to_ms })
}

fn distinct(table: &Table<'_, '_>, key: &'static str, example: &str) -> Vec<String> {
    let names = table.strings(key, example).unwrap_or_default();
    let mut seen = BTreeSet::new();
    for name in names.iter().filter(|name| !seen.insert(**name)) {
        table.problem(key, format!("names `{name}` twice; name it once"));
    }
    names.into_iter().map(str::to_owned).collect()
}

/// What the keys say of each other.
fn check(table: &Table<'_, '_>, drift: &DriftTable) {
    if drift.features.is_none() && drift.predictions.is_none() {
        table.problem("features", "is missing, and `predictions` too: nothing is watched; write for example features = \"features\"");
    }
    if drift.labels.is_some() && drift.predictions.is_none() {
        table.problem(
            "labels",
            "are joined with predictions; name their topic too: predictions = \"predictions\"",
        );
    }
    if !drift.groups.is_empty() && drift.predictions.is_none() {
        table.problem("groups", "are of predictions; name their topic too: predictions = \"predictions\"");
    }
    for (key, names) in [("ignore", &drift.ignore)] {
        for name in names.iter().filter(|name| drift.columns.contains(name)) {
            table.problem(
                key,
                format!("names `{name}`, which `columns` names too; leave it out of one of them"),
            );
        }
    }
    if drift.negative_after_ms.is_some() && !matches!(drift.task, TaskKind::Binary | TaskKind::Ranking) {
        table.problem(
            "negative_after",
            "is for task = \"binary\", where no label can mean negative, and \"ranking\", where it can mean not relevant; leave it out",
        );
    }
    if drift.negative_after_ms.is_some_and(|ms| ms > drift.horizon_ms) {
        table.problem(
            "negative_after",
            "must not be longer than `horizon`: what is older than that is forgotten",
        );
    }
    if drift.maturity_ms > drift.horizon_ms {
        table.problem("maturity", "must not be longer than `horizon`: what is older than that is forgotten");
    }
    check_ranking(table, drift);
    check_detectors(table, drift);
    check_windows(table, drift);
}

fn check_ranking(table: &Table<'_, '_>, drift: &DriftTable) {
    let ranking = drift.task == TaskKind::Ranking;
    if ranking && drift.labels.is_some() && drift.list.is_none() {
        table.problem(
            "list",
            "is missing: the column of predictions' `context` that says which list an item is of; write for example list = \"request_id\"",
        );
    }
    if !ranking && drift.list.is_some() {
        table.problem("list", "is for task = \"ranking\"; leave it out");
    }
    if drift.fairness.is_some() && drift.groups.is_empty() {
        table.problem("fairness", "is of groups; name their columns: groups = [\"country\"]");
    }
    if drift.fairness.is_some() && drift.task != TaskKind::Binary {
        table.problem("fairness", "is for task = \"binary\"; leave it out");
    }
}

fn check_detectors(table: &Table<'_, '_>, drift: &DriftTable) {
    for detector in &drift.detectors {
        let wrong = match &detector.watches {
            Watches::Rows(_) | Watches::Mean(_) if drift.features.is_none() => {
                Some("column` is of the topic of features; name it too: features = \"features")
            }
            Watches::Scores if drift.predictions.is_none() => {
                Some("column` is of predictions; name their topic too: predictions = \"predictions")
            }
            Watches::Errors if drift.labels.is_none() => {
                Some("of` \"errors\" are of labelled predictions; name `predictions` and `labels")
            }
            Watches::Errors if !matches!(drift.task, TaskKind::Binary | TaskKind::Multiclass) => Some(
                "of` \"errors\" needs decisions that are right or wrong: task = \"binary\" or \"multiclass",
            ),
            Watches::Errors if detector.memory_ms.saturating_mul(2) > drift.horizon_ms => {
                Some("memory` must not be longer than half of `horizon")
            }
            Watches::Metric(_) if drift.labels.is_none() => {
                Some("metric` is known of labelled predictions; name `predictions` and `labels")
            }
            Watches::Rows(_) | Watches::Scores if matches!(drift.window, WindowTable::Rows(_)) => {
                Some("column` is reported with windows of time; write window = \"1 day\" instead of `rows")
            }
            Watches::Mean(_) | Watches::Metric(_) if matches!(drift.window, WindowTable::Rows(_)) => {
                Some("of` \"windows\" needs windows of time; write window = \"1 day\" instead of `rows")
            }
            _ => None,
        };
        if let Some(wrong) = wrong {
            table.problem("detectors", format!("`{}`: `{wrong}`", detector.name));
        }
    }
}

fn check_windows(table: &Table<'_, '_>, drift: &DriftTable) {
    match drift.window {
        WindowTable::Rows(_) if drift.labels.is_some() => {
            table.problem("rows", "cannot be the windows of labelled predictions, which are joined by time; write window = \"1 day\", or leave `labels` out");
        }
        WindowTable::Rows(_) if drift.skew.is_some() => {
            table.problem("skew", "needs windows of time; write window = \"1 day\" instead of `rows`");
        }
        WindowTable::Rows(_) if drift.season_ms.is_some() => {
            table.problem("season", "needs windows of time; write window = \"1h\", or leave it out");
        }
        WindowTable::Time { slide_ms, .. }
            if drift.season_ms.is_some_and(|season| season % slide_ms != 0) =>
        {
            table.problem(
                "season",
                "must hold a whole number of windows; write for example season = \"1 week\"",
            );
        }
        _ => {}
    }
    if drift.season_ms.is_some_and(|season| season != DAY_MS && season != 7 * DAY_MS) {
        table.problem("season", "must be \"1 day\" or \"1 week\"");
    }
}

//! Reads definitions of experiments.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{
    BanditDefinition, CanaryCriterion, CanaryDefinition, CanaryTraffic, CanaryUsual, ExperimentArm,
    ExperimentDefinition, ExperimentKind, ExperimentMetric, MetricKind, MetricRole, NamespacePart,
    OutcomeColumns,
};
use crate::table::{Document, Table};
use crate::topic_file::names;
use crate::{ModelRef, Problem, Role, Topic};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A draft: what its file says, and what is wrong with it.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// Its name, or the file's stem.
    pub(crate) name: String,
    /// None where the file is no TOML.
    pub(crate) definition: Option<ExperimentDefinition>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) file: DraftFile,
}

/// Where a draft is, for problems that are found later.
#[derive(Debug, Clone)]
pub struct DraftFile {
    path: PathBuf,
    lines: BTreeMap<String, usize>,
    /// What keys begin with in the file: `experiment.` in a topic's.
    prefix: &'static str,
}

impl DraftFile {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A problem with a key (`canary.step_max`), at its line where the file has it.
    pub fn problem(&self, key: &str, message: String) -> Problem {
        let key = format!("{}{key}", self.prefix);
        Problem::new(&self.path, self.lines.get(&key).copied(), Some(&key), message)
    }

    /// The first of these keys that the file has, else the last.
    pub(crate) fn written<'k>(&self, keys: &[&'k str]) -> &'k str {
        let has = |key: &&&str| self.lines.contains_key(&format!("{}{key}", self.prefix));
        keys.iter().find(has).or(keys.last()).copied().unwrap_or_default()
    }
}

/// Every draft of an application: files of `experiments/`, and tables `[experiment]` of its topics.
pub(crate) fn read_all(folder: &Path, topics: &[Topic]) -> Vec<Draft> {
    let own = folder.join("experiments");
    let files = names(&own, "toml");
    let files = files.iter().map(|stem| read_file(&own.join(format!("{stem}.toml")), stem, None));
    let predicts = |topic: &&Topic| matches!(topic.role, Role::Predictions(_) | Role::Rankings(_));
    let tables = topics.iter().filter(predicts).filter(|topic| topic.lines.contains_key("experiment"));
    files.chain(tables.map(|topic| read_file(&topic.file, &topic.stem, Some(&topic.stem)))).collect()
}

/// Reads one file; `topic` is the stem where it is a topic's own.
fn read_file(file: &Path, stem: &str, topic: Option<&str>) -> Draft {
    let prefix = if topic.is_some() { "experiment." } else { "" };
    let draft = |definition: Option<ExperimentDefinition>, problems, lines| {
        let name = definition.as_ref().map_or(stem, |one| &one.name).to_owned();
        Draft { name, definition, problems, file: DraftFile { path: file.to_owned(), lines, prefix } }
    };
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            let problem = Problem::new(file, None, None, format!("cannot be read: {error}"));
            return draft(None, vec![problem], BTreeMap::new());
        }
    };
    let document = Document::new(file, &text);
    let definition = document.parse().and_then(|root| {
        let root = Table::root(&document, &root);
        match topic {
            Some(_) => root.table("experiment").map(|table| definition(&table, stem, topic)),
            None => Some(definition(&root, stem, None)),
        }
    });
    let (problems, lines) = document.finish();
    draft(definition, problems, lines)
}

fn definition(table: &Table<'_, '_>, stem: &str, topic: Option<&str>) -> ExperimentDefinition {
    let kinds = [
        ("ab", ExperimentKind::Ab),
        ("canary", ExperimentKind::Canary),
        ("shadow", ExperimentKind::Shadow),
        ("bandit", ExperimentKind::Bandit),
        ("interleave", ExperimentKind::Interleave),
    ];
    required(table, "kind", "\"ab\"");
    let kind = table.choice("kind", &kinds).unwrap_or(ExperimentKind::Ab);
    let name = table.string("name", stem).unwrap_or(stem).to_owned();
    let duration = |key, least, default| table.duration(key, least).unwrap_or(default);
    let number = |key, default| table.number(key, 0.0..=1.0).unwrap_or(default);
    let canary = read_canary(table, kind);
    let read = ExperimentDefinition {
        topic: topic.map_or_else(|| text(table, "topic", "predictions"), str::to_owned),
        arms: read_arms(table, kind),
        salt: table.string("salt", "spring").map_or_else(|| name.clone(), str::to_owned),
        namespace: table.table("namespace").map(|namespace| read_namespace(&namespace)),
        metrics: read_metrics(table),
        labels: table.table("labels").map(|labels| read_labels(&labels)),
        window_ms: duration("window", 1, 7 * DAY_MS),
        label_horizon_ms: duration("label_horizon", 0, 0),
        covariate_ms: duration("covariate", 0, 0),
        alpha: table.number("alpha", 1e-6..=0.5).unwrap_or(0.05),
        burn_in_units: count(table, "burn_in", 0).unwrap_or(500),
        min_ms: duration("min_duration", 0, 0),
        max_ms: duration("max_duration", 1, 28 * DAY_MS),
        max_mixed_share: number("max_mixed_share", 0.01),
        sample_ratio_alpha: number("sample_ratio_alpha", 0.001),
        automatic: table.boolean("automatic").unwrap_or(kind == ExperimentKind::Canary),
        segments: texts(table, "segments", "country"),
        bandit: read_bandit(table, kind),
        method: read_method(table, kind),
        canary,
        name,
        kind,
    };
    table.refuse_unknown();
    read
}

fn read_arms(table: &Table<'_, '_>, kind: ExperimentKind) -> Vec<ExperimentArm> {
    let control = text(table, "control", "control");
    required(table, "arms", "{ control = { model = \"fraud-gbdt/1\" }, new = { model = \"fraud-gbdt/2\" } }");
    let Some(arms) = table.table("arms") else { return Vec::new() };
    let mut read: Vec<ExperimentArm> = Vec::new();
    for (name, arm) in arms.named_tables() {
        required(&arm, "model", "\"fraud-gbdt/2\"");
        let model = arm.string("model", "fraud-gbdt/2").unwrap_or_default();
        let found = ModelRef::parse(model);
        if found.is_none() && !model.is_empty() {
            arm.problem("model", format!("\"{model}\" names no model version; write <model>/<version>"));
        }
        let shared = matches!(kind, ExperimentKind::Ab | ExperimentKind::Bandit);
        if shared {
            required(&arm, "share", "0.5");
        } else if arm.has("share") {
            arm.problem("share", format!("an arm of {} has no share of its own; leave it out", kind.name()));
        }
        let share = arm.number("share", 0.0..=1.0).unwrap_or(0.0);
        arm.refuse_unknown();
        let ModelRef { model, version } =
            found.unwrap_or(ModelRef { model: String::new(), version: String::new() });
        read.push(ExperimentArm { name: name.to_owned(), model, version, share });
    }
    // Units outside the experiment have this name; in a canary and beside a shadow they are the control's anyway.
    let outside = !matches!(kind, ExperimentKind::Canary | ExperimentKind::Shadow);
    if outside && read.iter().any(|arm| arm.name == "champion") {
        let message = "names one `champion`, as units that are in no arm are served; call it control";
        table.problem("arms", message);
    }
    if read.len() < 2 {
        table.problem("arms", "needs two arms or more, the control among them");
    }
    if !control.is_empty() && !read.iter().any(|arm| arm.name == control) {
        table.problem("control", format!("there is no arm `{control}` in [arms]"));
    }
    if matches!(kind, ExperimentKind::Canary | ExperimentKind::Shadow) && read.len() > 2 {
        table.problem("arms", format!("{} compares one version with the control: two arms", kind.name()));
    }
    if read.iter().map(|arm| arm.share).sum::<f64>() > 1.0 + 1e-9 {
        table.problem("arms", "the shares sum to more than 1");
    }
    read.sort_by_key(|arm| (arm.name != control, arm.name.clone()));
    read
}

fn read_namespace(table: &Table<'_, '_>) -> NamespacePart {
    required(table, "name", "\"checkout\"");
    let bucket = |key, otherwise: u16| {
        table.integer(key, 0..=10_000).and_then(|n| u16::try_from(n).ok()).unwrap_or(otherwise)
    };
    let read = NamespacePart {
        name: text(table, "name", "checkout"),
        from: bucket("from", 0),
        to: bucket("to", 10_000),
    };
    if read.from >= read.to {
        table.problem("to", "is not above `from`: the part of the namespace is empty");
    }
    table.refuse_unknown();
    read
}

fn read_labels(table: &Table<'_, '_>) -> OutcomeColumns {
    let read =
        OutcomeColumns { topic: text(table, "topic", "labels"), outcome: text(table, "outcome", "fraud") };
    table.refuse_unknown();
    read
}

fn read_metrics(table: &Table<'_, '_>) -> Vec<ExperimentMetric> {
    let Some(metrics) = table.table("metrics") else { return Vec::new() };
    let read: Vec<_> = metrics.named_tables().into_iter().map(|(name, table)| metric(name, &table)).collect();
    let primaries = read.iter().filter(|metric| metric.role == MetricRole::Primary).count();
    if primaries > 1 {
        table.problem("metrics", "more than one is primary: say of one alone what is decided by");
    }
    read
}

fn metric(name: &str, table: &Table<'_, '_>) -> ExperimentMetric {
    let kinds =
        [("mean", MetricKind::Mean), ("conversion", MetricKind::Conversion), ("ratio", MetricKind::Ratio)];
    let roles = [
        ("primary", MetricRole::Primary),
        ("guardrail", MetricRole::Guardrail),
        ("secondary", MetricRole::Secondary),
    ];
    required(table, "kind", "\"mean\"");
    let kind = table.choice("kind", &kinds).unwrap_or(MetricKind::Mean);
    let column = |key| table.string(key, "amount").map(str::to_owned);
    let role = table.choice("role", &roles).unwrap_or(MetricRole::Secondary);
    if role == MetricRole::Guardrail {
        required(table, "bound", "0.01");
    }
    let only = table.table("only").map(|only| {
        only.named_strings("true")
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    });
    if kind != MetricKind::Ratio && table.has("denominator") {
        table.problem("denominator", "only a ratio has one");
    }
    let read = ExperimentMetric {
        name: name.to_owned(),
        kind,
        topic: text(table, "topic", "labels"),
        value: column("value"),
        only: only.unwrap_or_default(),
        denominator: column("denominator"),
        higher_is_better: table.choice("better", &[("higher", true), ("lower", false)]).unwrap_or(true),
        role,
        bound: table.number("bound", 0.0..=f64::INFINITY).unwrap_or(0.0),
        expected_effect: table.number("expected_effect", 0.0..=f64::INFINITY),
    };
    table.refuse_unknown();
    read
}

fn read_canary(table: &Table<'_, '_>, kind: ExperimentKind) -> Option<CanaryDefinition> {
    let judged = matches!(kind, ExperimentKind::Canary | ExperimentKind::Shadow);
    if !table.has("canary") {
        if kind == ExperimentKind::Canary {
            table.problem("canary", "is missing; write [canary] with its steps and [canary.criteria]");
        }
        return None;
    }
    if !judged {
        table.problem("canary", format!("belongs to kind = \"canary\" or \"shadow\", not {}", kind.name()));
    }
    let table = table.table("canary")?;
    let read = CanaryDefinition {
        steps: steps(&table),
        step_max_ms: table.duration("step_max", 1).unwrap_or(7 * DAY_MS),
        looks: count(&table, "looks", 1).and_then(|n| u32::try_from(n).ok()).unwrap_or(4),
        power: table.number("power", 0.5..=0.999).unwrap_or(0.9),
        criteria: criteria(&table),
        traffic: table.table("traffic").map(|traffic| read_traffic(&traffic)),
    };
    table.refuse_unknown();
    Some(read)
}

fn read_traffic(table: &Table<'_, '_>) -> CanaryTraffic {
    let some = |key| table.number(key, 0.0..=f64::INFINITY).filter(|number| *number > 0.0);
    let read = CanaryTraffic {
        rows_per_day: some("rows_per_day"),
        units_per_day: some("units_per_day"),
        labelled: table.number("labelled", 1e-6..=1.0).unwrap_or(1.0),
        positive_rate: table.number("positive_rate", 1e-9..=0.999_999),
    };
    table.refuse_unknown();
    read
}

/// Steps are written in whole percent of all units.
fn steps(table: &Table<'_, '_>) -> Vec<f64> {
    let percents = table.counts("percent", "[1, 10, 50]").unwrap_or_else(|| vec![1, 10, 50]);
    if percents.iter().any(|percent| *percent > 100) || percents.is_empty() {
        table.problem("percent", "a step is a share of 1 to 100 percent");
    }
    if !percents.is_sorted() {
        table.problem("percent", "steps grow: write them in ascending order");
    }
    percents.iter().map(|percent| f64::from(*percent) / 100.0).collect()
}

fn criteria(table: &Table<'_, '_>) -> Vec<CanaryCriterion> {
    required(table, "criteria", "{ auc = { margin = 0.01, required = 400 } }");
    let Some(criteria) = table.table("criteria") else { return Vec::new() };
    let read = |(name, table): (&str, Table<'_, '_>)| {
        for key in ["margin", "required"] {
            required(&table, key, "0.01");
        }
        let one = CanaryCriterion {
            metric: name.to_owned(),
            margin: table.number("margin", 0.0..=f64::INFINITY).unwrap_or(0.0),
            required: count(&table, "required", 1).unwrap_or(1),
            usual: CanaryUsual {
                value: table.number("usual", 0.0..=1.0),
                deviation: table.number("deviation", 0.0..=f64::INFINITY).filter(|number| *number > 0.0),
                correlation: table.number("correlation", 0.0..=0.999_999),
            },
        };
        table.refuse_unknown();
        one
    };
    criteria.named_tables().into_iter().map(read).collect()
}

fn read_bandit(table: &Table<'_, '_>, kind: ExperimentKind) -> Option<BanditDefinition> {
    if kind != ExperimentKind::Bandit {
        if table.has("bandit") {
            table.problem("bandit", format!("belongs to kind = \"bandit\", not {}", kind.name()));
        }
        return None;
    }
    let otherwise = BanditDefinition { every_ms: DAY_MS, least_share: 0.05, per_event: false };
    let Some(table) = table.table("bandit") else { return Some(otherwise) };
    let read = BanditDefinition {
        every_ms: table.duration("every", 1).unwrap_or(otherwise.every_ms),
        least_share: table.number("least_share", 0.001..=0.5).unwrap_or(otherwise.least_share),
        per_event: table.choice("draw", &[("unit", false), ("event", true)]).unwrap_or(false),
    };
    table.refuse_unknown();
    Some(read)
}

fn read_method(table: &Table<'_, '_>, kind: ExperimentKind) -> Option<String> {
    let method = table.string("method", "team_draft").map(str::to_owned);
    match (kind, &method) {
        (ExperimentKind::Interleave, None) => Some("team_draft".to_owned()),
        (ExperimentKind::Interleave, Some(_)) | (_, None) => method,
        (_, Some(_)) => {
            table.problem("method", "belongs to kind = \"interleave\": how lists are made");
            None
        }
    }
}

fn required(table: &Table<'_, '_>, key: &'static str, example: &str) {
    if !table.has(key) {
        table.problem(key, format!("is missing; write for example {key} = {example}"));
    }
}

fn text(table: &Table<'_, '_>, key: &'static str, example: &str) -> String {
    if !table.has(key) {
        table.problem(key, format!("is missing; write for example {key} = \"{example}\""));
    }
    table.string(key, example).unwrap_or_default().to_owned()
}

fn texts(table: &Table<'_, '_>, key: &'static str, example: &str) -> Vec<String> {
    table.strings(key, example).unwrap_or_default().into_iter().map(str::to_owned).collect()
}

fn count(table: &Table<'_, '_>, key: &'static str, least: i64) -> Option<u64> {
    table.integer(key, least..=i64::MAX).and_then(|n| u64::try_from(n).ok())
}

//! What is recomputed of a view, and how rows are sampled for it.

use std::sync::Arc;

use arrow::array::{Array, StringArray};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use millrace_features::plan::{Decided, Plan};
use millrace_features::{Picks, plan_view};
use millrace_runtime::service::Stage;
use millrace_topics::{Application, DriftTable, Role, SkewTable, Topic};

use crate::hash;
use crate::service::grid::Grid;
use crate::service::notes::Place;
use crate::service::stream::text;
use crate::service::{Error, missing};

/// What is recomputed of a view.
#[derive(Clone)]
pub struct SkewPlan {
    /// The view's stem.
    pub stem: String,
    /// The view's plan.
    pub plan: Arc<Plan>,
    /// The column that is a row's id.
    pub id: String,
    /// The column that is its time.
    pub time: String,
    /// One per stage that decides columns.
    pub checks: Vec<Check>,
    /// Which keys are sampled.
    pub picks: Picks,
    /// When windows end.
    pub grid: Grid,
    /// How long a window is, in ms.
    pub length_ms: i64,
}

/// Columns that are recomputed together, for rows sampled with one key.
#[derive(Clone)]
pub struct Check {
    /// The stage, its key, and all columns that it decides.
    pub decided: Decided,
    /// Those that are compared, and whether they are floats.
    pub columns: Vec<(String, bool)>,
    /// How the stage reads its input.
    pub stage: Stage,
    /// How far back its state reaches, in ms.
    pub keep_ms: i64,
}

impl SkewPlan {
    /// Of the watched view; none where the topic file asks for none.
    pub fn of(app: &Application, table: &DriftTable, grid: Option<Grid>) -> Result<Option<Self>, Error> {
        let (Some(skew), Some(grid)) = (table.skew, grid) else { return Ok(None) };
        let (drift, view) = (app.drift(), table.features.as_ref().and_then(|stem| app.topic(stem)));
        let (Some(drift), Some(view)) = (drift, view) else { return Ok(None) };
        let problem = |message: String| Error::Problems(vec![drift.problem("drift.skew", message)]);
        if !matches!(view.role, Role::Features(_)) {
            return Err(problem(format!(
                "recomputes the rows of a feature view, and `{}` is none",
                view.stem
            )));
        }
        let planned = plan_view(app, view).map_err(Error::Problems)?;
        let (id, time) = (view.id.clone(), view.time.clone());
        let id = id.ok_or_else(|| missing(app, &view.stem, "the key `id`"))?;
        let time = time.ok_or_else(|| missing(app, &view.stem, "the key `time`"))?;
        let checks = checks(app, view, &planned.plan, &[&id, &time])?;
        if checks.is_empty() {
            return Err(problem(format!(
                "can compare no column of `{}`: no stage of its SELECT emits its key, id and time",
                view.stem
            )));
        }
        if let Some(check) = checks.iter().find(|check| check.keep_ms == i64::MAX) {
            let key = &check.decided.key;
            return Err(problem(format!(
                "cannot recompute windows by {key} that are UNBOUNDED: the log would have to be whole"
            )));
        }
        let length_ms = match table.window {
            millrace_topics::WindowTable::Time { length_ms, .. } => length_ms,
            millrace_topics::WindowTable::Rows(_) => return Ok(None),
        };
        let picks = picks(skew);
        let plan = planned.plan.clone();
        Ok(Some(Self { stem: view.stem.clone(), plan, id, time, checks, picks, grid, length_ms }))
    }

    /// What everything that is told depends on.
    pub fn fingerprint(&self) -> String {
        let checks: Vec<_> = self.checks.iter().map(|check| (&check.decided, &check.columns)).collect();
        format!("{} {checks:?}", self.plan.fingerprint())
    }

    /// The partitions of the stage that a check runs again.
    pub fn places(&self, check: &Check) -> impl Iterator<Item = Place> + use<> {
        let partitions = check.stage.inputs.first().map_or(0, |input| input.topic.partitions);
        let topic = self.topic(check);
        (0..i32::try_from(partitions).unwrap_or(i32::MAX))
            .map(move |partition| Place { topic: topic.clone(), partition })
    }

    /// What stands for a stage that runs again, where places are told.
    pub fn topic(&self, check: &Check) -> String {
        format!("{}/again-{}", self.stem, check.decided.stage)
    }

    /// What stands for the comparison itself.
    pub fn joined(&self) -> Place {
        Place { topic: format!("{}/again", self.stem), partition: 0 }
    }

    /// The columns that a check needs of a row: id, time, and those that are compared.
    pub fn needs(&self, check: &Check) -> Vec<String> {
        let names = check.columns.iter().map(|(name, _)| name.clone());
        [self.id.clone(), self.time.clone()].into_iter().chain(names).collect()
    }
}

impl Check {
    /// The compared values of every row, each row as a record carries it.
    pub fn bodies(
        &self,
        rows: &RecordBatch,
        picked: impl Iterator<Item = usize>,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let columns = self.columns.iter().map(|(name, _)| text(rows, name));
        let columns = columns.collect::<Result<Vec<StringArray>, _>>()?;
        let body = |row: usize| {
            let values: Vec<Option<&str>> =
                columns.iter().map(|column| column.is_valid(row).then(|| column.value(row))).collect();
            serde_json::to_vec(&values).map_err(|error| Error::Internal(error.to_string()))
        };
        picked.map(body).collect()
    }
}

fn checks(app: &Application, view: &Topic, plan: &Plan, also: &[&str]) -> Result<Vec<Check>, Error> {
    let compared = |name: &String| {
        let kind = plan.output_schema.field_with_name(name).ok()?.data_type();
        let plain = kind.is_numeric()
            || matches!(kind, DataType::Boolean | DataType::Utf8 | DataType::Timestamp(_, _));
        (plain && !also.contains(&name.as_str())).then(|| (name.clone(), kind.is_floating()))
    };
    let mut checks = Vec::new();
    for decided in plan.decided(also) {
        let columns: Vec<(String, bool)> = decided.columns.iter().filter_map(compared).collect();
        if columns.is_empty() {
            continue;
        }
        let stage = millrace_features::again(app, view, decided.stage).map_err(Error::Problems)?;
        let keep_ms = plan.rebuild_us(decided.stage).map_or(i64::MAX, |us| us.div_euclid(1_000) + 1);
        checks.push(Check { decided, columns, stage, keep_ms });
    }
    Ok(checks)
}

/// Keys are sampled by the hash of their text.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn picks(skew: SkewTable) -> Picks {
    // A share of all hashes; the cast saturates at the greatest, which is all of them.
    let bound = (skew.sample * 2.0_f64.powi(64)) as u64;
    Arc::new(move |key| hash::of_text(key) <= bound)
}

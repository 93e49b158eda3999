//! Lists as users see them: rows of the topic of rankings.

use anyhow::{Context as _, Result};
use arrow::array::{AsArray, ListArray};
use arrow::datatypes::{ArrowPrimitiveType, Float64Type, Int32Type, Int64Type, TimestampMillisecondType};
use arrow::record_batch::RecordBatch;

/// A list that was made of a request's candidates.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The request's id.
    pub request: String,
    /// The request's record time, in ms.
    pub time_ms: i64,
    /// Who sees it.
    pub user: String,
    /// serving or shadow; users see what serves.
    pub role: String,
    /// The deployment under which it was made.
    pub deployment: i64,
    /// How it was made.
    pub method: String,
    /// Who ranked.
    pub rankers: Vec<String>,
    /// The items, the first position first.
    pub items: Vec<String>,
    /// Per position, whose pick it is; -1: nobody's alone.
    pub teams: Vec<i32>,
    /// Per position and ranker, the rank from 0.
    pub ranks: Vec<i32>,
    /// Per position and ranker, what a click earns; empty where clicks count together.
    pub credits: Vec<f64>,
}

impl Shown {
    /// The lists of rows that have the schema `rankings.avsc`.
    pub fn read(rows: &RecordBatch) -> Result<Vec<Self>> {
        let column = |name: &str| {
            rows.column_by_name(name).with_context(|| format!("rankings lack the column `{name}`"))
        };
        let text = |name: &str| Ok::<_, anyhow::Error>(column(name)?.as_string::<i32>());
        let list = |name: &str| Ok::<_, anyhow::Error>(column(name)?.as_list::<i32>());
        let times = column("time")?.as_primitive::<TimestampMillisecondType>();
        let deployments = column("deployment")?.as_primitive::<Int64Type>();
        let (ids, units, roles, methods) = (text("id")?, text("unit")?, text("role")?, text("method")?);
        let (rankers, items, teams) = (list("rankers")?, list("items")?, list("teams")?);
        let (ranks, credits) = (list("ranks")?, list("credits")?);
        let row = |row: usize| Self {
            request: ids.value(row).to_owned(),
            time_ms: times.value(row),
            user: units.value(row).to_owned(),
            role: roles.value(row).to_owned(),
            deployment: deployments.value(row),
            method: methods.value(row).to_owned(),
            rankers: texts(rankers, row),
            items: texts(items, row),
            teams: numbers::<Int32Type>(teams, row),
            ranks: numbers::<Int32Type>(ranks, row),
            credits: numbers::<Float64Type>(credits, row),
        };
        Ok((0..rows.num_rows()).map(row).collect())
    }
}

fn texts(lists: &ListArray, row: usize) -> Vec<String> {
    lists.value(row).as_string::<i32>().iter().map(|text| text.unwrap_or_default().to_owned()).collect()
}

fn numbers<T: ArrowPrimitiveType>(lists: &ListArray, row: usize) -> Vec<T::Native> {
    lists.value(row).as_primitive::<T>().values().to_vec()
}

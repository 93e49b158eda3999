//! The columns that are read: of lists, clicks, impressions and ticks. What is wrong with a row is a fault of that row.

use std::sync::Arc;

use arrow::array::{Array, AsArray, Int64Array, ListArray, StringArray, TimestampMillisecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, Int32Type, Int64Type};
use arrow::record_batch::RecordBatch;
use millrace_runtime::task::RowMeta;

use super::entry::{Items, Made, Shown};
use super::waiting::{Click, Impression};
use crate::interleave::{List, Row};
use crate::service::Error;

/// A row's fault: the reason of its dead letter, and what exactly is wrong.
pub type Fault = (&'static str, String);

/// The role of lists that are shown; others earn nothing.
const SERVING: &str = "serving";

/// Lists.
pub struct Rankings {
    id: StringArray,
    unit: StringArray,
    role: StringArray,
    arm: StringArray,
    method: StringArray,
    deployment: Int64Array,
    common_prefix: Int64Array,
    rankers: ListArray,
    items: ListArray,
    teams: ListArray,
    ranks: ListArray,
    credits: ListArray,
}

impl Rankings {
    /// The columns of decoded rows.
    pub fn of(rows: &RecordBatch) -> Result<Self, Error> {
        let list = |name: &str, item: DataType| {
            let wanted = DataType::List(Arc::new(Field::new("item", item, true)));
            Ok::<_, Error>(column(rows, name, &wanted)?.as_list::<i32>().clone())
        };
        Ok(Self {
            id: text(rows, "id")?,
            unit: text(rows, "unit")?,
            role: text(rows, "role")?,
            arm: text(rows, "arm")?,
            method: text(rows, "method")?,
            deployment: long(rows, "deployment")?,
            common_prefix: long(rows, "common_prefix")?,
            rankers: list("rankers", DataType::Utf8)?,
            items: list("items", DataType::Utf8)?,
            teams: list("teams", DataType::Int32)?,
            ranks: list("ranks", DataType::Int32)?,
            credits: list("credits", DataType::Float64)?,
        })
    }

    /// The list of a row, if it was shown. `last`: what the list before was made of, which is mostly the same.
    pub fn shown(&self, row: usize, meta: &RowMeta, last: &mut Arc<Made>) -> Result<Option<Shown>, Fault> {
        if self.role.value(row) != SERVING {
            return Ok(None);
        }
        let made = self.made(row, last);
        let items = self.items.value(row);
        let items: Items = items.as_string::<i32>().iter().map(Option::unwrap_or_default).collect();
        let [teams, ranks] = [&self.teams, &self.ranks].map(|list| list.value(row));
        let credits = self.credits.value(row);
        let teams = teams.as_primitive::<Int32Type>().values();
        if teams.len() != items.len() {
            let detail = format!("`teams` has {} entries, `items` {}", teams.len(), items.len());
            return Err(("bad_list", detail));
        }
        let of = Row {
            method: &made.method,
            rankers: made.rankers.len(),
            teams,
            ranks: ranks.as_primitive::<Int32Type>().values(),
            credits: credits.as_primitive::<Float64Type>().values(),
            common_prefix: i32::try_from(self.common_prefix.value(row)).unwrap_or(0),
        };
        let list = List::of_row(&of).map_err(|error| ("bad_list", error.to_string()))?;
        Ok(Some(Shown {
            request: self.id.value(row).into(),
            unit: self.unit.value(row).to_owned(),
            time_ms: meta.time_ms,
            offset: meta.offset,
            made,
            items,
            list,
        }))
    }

    fn made(&self, row: usize, last: &mut Arc<Made>) -> Arc<Made> {
        let rankers = self.rankers.value(row);
        let rankers = rankers.as_string::<i32>();
        let same = last.deployment == self.deployment.value(row)
            && last.arm == self.arm.value(row)
            && last.method == self.method.value(row)
            && rankers.iter().map(Option::unwrap_or_default).eq(last.rankers.iter().map(String::as_str));
        if !same {
            *last = Arc::new(Made {
                deployment: self.deployment.value(row),
                arm: self.arm.value(row).to_owned(),
                method: self.method.value(row).to_owned(),
                rankers: rankers.iter().map(|name| name.unwrap_or_default().to_owned()).collect(),
            });
        }
        last.clone()
    }
}

/// The names of the columns of clicks and impressions.
#[derive(Debug, Clone)]
pub struct Names {
    /// The click's own id.
    pub id: String,
    /// Of clicks: who clicked.
    pub unit: String,
    /// Of clicks and impressions: the request.
    pub request: String,
    /// Of clicks: the item.
    pub item: String,
    /// Of impressions: positions, from 1.
    pub positions: String,
}

/// Clicks.
pub struct Clicks<'a> {
    names: &'a Names,
    id: StringArray,
    unit: StringArray,
    request: StringArray,
    item: StringArray,
}

impl<'a> Clicks<'a> {
    /// The columns of decoded rows.
    pub fn of(rows: &RecordBatch, names: &'a Names) -> Result<Self, Error> {
        let text = |name: &String| text(rows, name);
        Ok(Self {
            names,
            id: text(&names.id)?,
            unit: text(&names.unit)?,
            request: text(&names.request)?,
            item: text(&names.item)?,
        })
    }

    /// The click of a row.
    pub fn click(&self, row: usize, meta: &RowMeta) -> Result<Click, Fault> {
        let needed = |column: &StringArray, name: &str| match column.is_valid(row) {
            true => Ok(column.value(row).to_owned()),
            false => Err(("null_value", format!("{name} is NULL"))),
        };
        Ok(Click {
            id: needed(&self.id, &self.names.id)?,
            unit: needed(&self.unit, &self.names.unit)?,
            request: needed(&self.request, &self.names.request)?,
            item: needed(&self.item, &self.names.item)?,
            time_ms: meta.time_ms,
            offset: meta.offset,
        })
    }
}

/// Impressions.
pub struct Impressions<'a> {
    names: &'a Names,
    request: StringArray,
    positions: ListArray,
}

impl<'a> Impressions<'a> {
    /// The columns of decoded rows.
    pub fn of(rows: &RecordBatch, names: &'a Names) -> Result<Self, Error> {
        let positions = DataType::List(Arc::new(Field::new("item", DataType::Int64, true)));
        Ok(Self {
            names,
            request: text(rows, &names.request)?,
            positions: column(rows, &names.positions, &positions)?.as_list::<i32>().clone(),
        })
    }

    /// The impression of a row.
    pub fn impression(&self, row: usize, meta: &RowMeta) -> Result<Impression, Fault> {
        let null = |name: &str| ("null_value", format!("{name} is NULL"));
        if self.request.is_null(row) {
            return Err(null(&self.names.request));
        }
        if self.positions.is_null(row) {
            return Err(null(&self.names.positions));
        }
        let positions = self.positions.value(row);
        let from_one = |position: Option<i64>| match position {
            Some(position @ 1..) => Ok(usize::try_from(position - 1).unwrap_or(usize::MAX)),
            other => {
                let other = other.map_or("NULL".to_owned(), |position| position.to_string());
                Err((
                    "bad_position",
                    format!("{} has {other}; positions are counted from 1", self.names.positions),
                ))
            }
        };
        Ok(Impression {
            request: self.request.value(row).to_owned(),
            positions: positions
                .as_primitive::<Int64Type>()
                .iter()
                .map(from_one)
                .collect::<Result<_, _>>()?,
            time_ms: meta.time_ms,
            offset: meta.offset,
        })
    }
}

/// A text column, or one whose values have a text.
pub fn text(rows: &RecordBatch, name: &str) -> Result<StringArray, Error> {
    Ok(column(rows, name, &DataType::Utf8)?.as_string::<i32>().clone())
}

/// The times of a column.
pub fn times(rows: &RecordBatch, name: &str) -> Result<TimestampMillisecondArray, Error> {
    let found = rows.column_by_name(name).and_then(|column| column.as_any().downcast_ref());
    found.cloned().ok_or_else(|| Error::Internal(format!("column `{name}` is no time")))
}

fn long(rows: &RecordBatch, name: &str) -> Result<Int64Array, Error> {
    Ok(column(rows, name, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
}

fn column(rows: &RecordBatch, name: &str, wanted: &DataType) -> Result<Arc<dyn Array>, Error> {
    let found = rows.column_by_name(name);
    let found = found.ok_or_else(|| Error::Internal(format!("column `{name}` is missing")))?;
    cast(found, wanted).map_err(|error| Error::Internal(format!("column `{name}`: {error}")))
}

//! Lists as rows of the topic of rankings.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Float64Array, Int32Array, Int64Array, ListArray, MapArray, RecordBatch, StringArray,
    StringBuilder, StructArray, UInt32Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use millrace_topics::RankingsTable;

use super::candidates::Fault;
use super::list::List;
use super::ranked::Ranked;
use crate::deployed::Deployed;

/// What stands between the parts of a list key. Keys that meet all the same share their draws, no more.
const BETWEEN: &str = "/";

/// Makes rows of lists.
#[derive(Debug, Clone)]
pub struct Rows {
    schema: SchemaRef,
    id: usize,
    time: usize,
    unit: usize,
    list_key: Vec<usize>,
    context: Vec<(String, usize)>,
}

/// A list with the row of its request.
pub struct Made<'d> {
    /// Index among the requests.
    pub request: u32,
    /// The list.
    pub list: List<'d>,
}

/// What was known when lists were made of requests.
pub struct Known<'a> {
    /// The deployment.
    pub deployed: &'a Deployed,
    /// The requests.
    pub requests: &'a RecordBatch,
    /// Their candidates' names.
    pub items: &'a [Vec<&'a str>],
    /// Per version, what it makes of each request.
    pub ranked: &'a [Vec<Result<Ranked, Fault>>],
    /// Their list keys.
    pub list_keys: &'a [String],
}

impl Rows {
    /// Rows of `schema`, which is that of a topic of rankings, from requests with these columns.
    pub fn find(
        schema: &SchemaRef,
        requests: &Schema,
        (id, time): (&str, &str),
        table: &RankingsTable,
    ) -> Result<Self, String> {
        let column =
            |name: &str| requests.index_of(name).map_err(|_| format!("requests have no column `{name}`"));
        Ok(Self {
            schema: schema.clone(),
            id: column(id)?,
            time: column(time)?,
            unit: column(&table.unit)?,
            list_key: table.list_key.iter().map(|name| column(name)).collect::<Result<_, _>>()?,
            context: table
                .context
                .iter()
                .map(|name| Ok((name.clone(), column(name)?)))
                .collect::<Result<_, String>>()?,
        })
    }

    /// Why a request can have no list whatever its candidates.
    pub fn fault(&self, requests: &RecordBatch, row: usize) -> Option<Fault> {
        let needed = [("missing_id", self.id), ("missing_time", self.time), ("missing_unit", self.unit)];
        let (reason, column) =
            needed.into_iter().find(|(_, column)| requests.column(*column).is_null(row))?;
        Some((reason, format!("column `{}` is NULL", requests.schema_ref().field(column).name())))
    }

    /// The ids and the units of requests.
    pub fn ids_and_units(&self, requests: &RecordBatch) -> Result<[StringArray; 2], ArrowError> {
        Ok([text(requests.column(self.id))?, text(requests.column(self.unit))?])
    }

    /// The list keys of requests: the columns that the topic file names, or the id.
    pub fn list_keys(&self, requests: &RecordBatch) -> Result<Vec<String>, ArrowError> {
        let own = [self.id];
        let columns = if self.list_key.is_empty() { &own[..] } else { &self.list_key };
        let columns: Vec<StringArray> =
            columns.iter().map(|column| text(requests.column(*column))).collect::<Result<_, _>>()?;
        let part = |column: &StringArray, row: usize| match column.is_null(row) {
            true => String::new(),
            false => column.value(row).to_owned(),
        };
        let key = |row| columns.iter().map(|column| part(column, row)).collect::<Vec<_>>().join(BETWEEN);
        Ok((0..requests.num_rows()).map(key).collect())
    }

    /// The lists as rows.
    pub fn rows(&self, made: &[Made<'_>], known: &Known<'_>) -> Result<RecordBatch, ArrowError> {
        let request: UInt32Array = made.iter().map(|made| made.request).collect();
        let columns = self.schema.fields().iter().map(|field| self.column(field, &request, made, known));
        RecordBatch::try_new(self.schema.clone(), columns.collect::<Result<_, _>>()?)
    }

    fn column(
        &self,
        field: &Field,
        request: &UInt32Array,
        made: &[Made<'_>],
        known: &Known<'_>,
    ) -> Result<ArrayRef, ArrowError> {
        let of = |column: usize| take(known.requests.column(column), request, None);
        let lists = made.iter().map(|made| &made.list);
        let texts = |of: &dyn Fn(&Made<'_>) -> String| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(made.iter().map(of)))
        };
        let slots = || lists.clone().map(|list| list.candidates.len());
        let cells = || lists.clone().map(|list| list.candidates.len() * list.rankers.len());
        let column: ArrayRef = match field.name().as_str() {
            "id" => of(self.id)?,
            "time" => of(self.time)?,
            "unit" => of(self.unit)?,
            "list_key" => texts(&|made| known.list_keys[made.request as usize].clone()),
            "arm" => texts(&|made| made.list.arm.to_owned()),
            "role" => texts(&|made| made.list.role.to_owned()),
            "method" => texts(&|made| made.list.method.to_owned()),
            "rankers" => {
                let reference = |version: &usize| known.deployed.versions[*version].reference().to_string();
                let names: Vec<String> =
                    lists.clone().flat_map(|list| list.rankers.iter().map(reference)).collect();
                return in_lists(
                    field,
                    lists.clone().map(|list| list.rankers.len()),
                    Arc::new(StringArray::from_iter_values(names)),
                );
            }
            "items" => {
                let item =
                    |made: &Made<'_>, candidate: u32| known.items[made.request as usize][candidate as usize];
                let names: Vec<&str> = made
                    .iter()
                    .flat_map(|made| made.list.candidates.iter().map(move |c| item(made, *c)))
                    .collect();
                return in_lists(field, slots(), Arc::new(StringArray::from_iter_values(names)));
            }
            "teams" => {
                let teams = lists.clone().flat_map(|list| list.teams.iter().copied());
                return in_lists(field, slots(), Arc::new(Int32Array::from_iter_values(teams)));
            }
            "scores" => {
                let scores = per_cell(made, known, |ranked, candidate| ranked.scores[candidate]);
                return in_lists(field, cells(), Arc::new(Float64Array::from(scores)));
            }
            "ranks" => {
                let ranks = per_cell(made, known, |ranked, candidate| ranked.ranks[candidate]);
                return in_lists(field, cells(), Arc::new(Int32Array::from(ranks)));
            }
            "credits" => {
                let credits = lists.clone().flat_map(|list| list.credits.iter().copied());
                let lengths = lists.clone().map(|list| list.credits.len());
                return in_lists(field, lengths, Arc::new(Float64Array::from_iter_values(credits)));
            }
            "common_prefix" => Arc::new(Int32Array::from_iter_values(lists.clone().map(|l| l.common_prefix))),
            "propensity" => Arc::new(Float64Array::from_iter_values(lists.clone().map(|l| l.propensity))),
            "deployment" => Arc::new(Int64Array::from_value(known.deployed.offset, made.len())),
            "context" => return self.context(field, request, known.requests),
            other => {
                return Err(ArrowError::SchemaError(format!("a ranking has no column `{other}`")));
            }
        };
        cast(&column, field.data_type())
    }

    /// One map a row, of column name to the value's text.
    fn context(
        &self,
        field: &Field,
        request: &UInt32Array,
        requests: &RecordBatch,
    ) -> Result<ArrayRef, ArrowError> {
        let DataType::Map(entries, sorted) = field.data_type() else { return Err(not_of_type(field, "map")) };
        let DataType::Struct(parts) = entries.data_type() else { return Err(not_of_type(field, "map")) };
        let columns: Vec<StringArray> = self
            .context
            .iter()
            .map(|(_, column)| text(requests.column(*column)))
            .collect::<Result<_, _>>()?;
        let (mut keys, mut values) = (StringBuilder::new(), StringBuilder::new());
        for row in request.values().iter().map(|row| *row as usize) {
            for ((name, _), column) in self.context.iter().zip(&columns) {
                keys.append_value(name);
                values.append_option(column.is_valid(row).then(|| column.value(row)));
            }
        }
        let pairs: Vec<ArrayRef> = vec![Arc::new(keys.finish()), Arc::new(values.finish())];
        let pairs = StructArray::try_new(parts.clone(), pairs, None)?;
        let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(self.context.len(), request.len()));
        Ok(Arc::new(MapArray::try_new(entries.clone(), offsets, pairs, None, *sorted)?))
    }
}

/// Over lists, positions and rankers.
fn per_cell<T>(made: &[Made<'_>], known: &Known<'_>, value: impl Fn(&Ranked, usize) -> T) -> Vec<T> {
    let mut cells = Vec::new();
    for made in made {
        for candidate in &made.list.candidates {
            for version in &made.list.rankers {
                // A list is made of orders alone that there are.
                if let Ok(ranked) = &known.ranked[*version][made.request as usize] {
                    cells.push(value(ranked, *candidate as usize));
                }
            }
        }
    }
    cells
}

fn in_lists(
    field: &Field,
    lengths: impl Iterator<Item = usize>,
    values: ArrayRef,
) -> Result<ArrayRef, ArrowError> {
    let DataType::List(item) = field.data_type() else { return Err(not_of_type(field, "list")) };
    Ok(Arc::new(ListArray::try_new(item.clone(), OffsetBuffer::from_lengths(lengths), values, None)?))
}

fn text(column: &ArrayRef) -> Result<StringArray, ArrowError> {
    use arrow::array::AsArray as _;
    Ok(cast(column, &DataType::Utf8)?.as_string::<i32>().clone())
}

fn not_of_type(field: &Field, wanted: &str) -> ArrowError {
    ArrowError::SchemaError(format!("column `{}` is {}, not a {wanted}", field.name(), field.data_type()))
}

//! Requests to candidates: one row each, as models score them.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, UInt32Array, new_null_array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

/// Why a request has no list: the class of the fault in snake case, and what exactly is wrong.
pub type Fault = (&'static str, String);

/// The columns of candidates, in the order of the requests' columns: an array of a request has one entry a candidate,
/// anything else is the same for all of them.
pub fn candidate_schema(requests: &Schema) -> SchemaRef {
    let field = |field: &Arc<Field>| match field.data_type() {
        DataType::List(item) => Field::new(field.name(), item.data_type().clone(), true),
        other => Field::new(field.name(), other.clone(), true),
    };
    Arc::new(Schema::new(requests.fields().iter().map(field).collect::<Vec<_>>()))
}

/// Finds the candidates of requests.
#[derive(Debug, Clone)]
pub struct Candidates {
    schema: SchemaRef,
    items: usize,
}

impl Candidates {
    /// Of requests with these columns, `items` being the array of texts that names the candidates.
    pub fn find(requests: &Schema, items: &str) -> Result<Self, String> {
        let index = requests.index_of(items).map_err(|_| format!("requests have no column `{items}`"))?;
        match requests.field(index).data_type() {
            DataType::List(item) if *item.data_type() == DataType::Utf8 => {
                Ok(Self { schema: candidate_schema(requests), items: index })
            }
            other => Err(format!("column `{items}` is {other}, not an array of strings")),
        }
    }

    /// The columns of candidates.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The names of each request's candidates.
    pub fn items<'a>(&self, requests: &'a RecordBatch) -> Vec<Vec<&'a str>> {
        let lists = self.lists(requests);
        let values = lists.values().as_string::<i32>();
        let names = |row: usize| range(lists, row).map(|at| values.value(at)).collect();
        (0..requests.num_rows()).map(names).collect()
    }

    /// Why no list can be made of a request whose columns `read` models take.
    pub fn fault(&self, requests: &RecordBatch, row: usize, read: &[usize]) -> Option<Fault> {
        let lists = self.lists(requests);
        let name = |column: usize| requests.schema_ref().field(column).name().clone();
        let count = if lists.is_null(row) { 0 } else { range(lists, row).len() };
        if count == 0 {
            return Some(("no_candidates", format!("`{}` is empty", name(self.items))));
        }
        let values = lists.values().as_string::<i32>();
        let mut seen = HashSet::with_capacity(count);
        for at in range(lists, row) {
            if values.is_null(at) {
                return Some(("missing_candidate", format!("`{}` has a NULL", name(self.items))));
            }
            if !seen.insert(values.value(at)) {
                let twice = values.value(at);
                return Some(("repeated_candidate", format!("`{}` has `{twice}` twice", name(self.items))));
            }
        }
        let differs = |column: &&usize| match requests.column(**column).as_list_opt::<i32>() {
            Some(lists) => lists.is_null(row) || range(lists, row).len() != count,
            None => false,
        };
        let column = read.iter().find(differs)?;
        let lists = requests.column(*column).as_list::<i32>();
        let has =
            if lists.is_null(row) { "is NULL".into() } else { format!("has {}", range(lists, row).len()) };
        let detail = format!("`{}` has {count} candidates, and `{}` {has}", name(self.items), name(*column));
        Some(("candidates_differ", detail))
    }

    /// The candidates of all requests, request after request, none of which has a [`Self::fault`]. Columns that are not
    /// `read` are NULL.
    pub fn rows(&self, requests: &RecordBatch, read: &[usize]) -> Result<RecordBatch, ArrowError> {
        let lists = self.lists(requests);
        let lengths: Vec<usize> = (0..requests.num_rows()).map(|row| range(lists, row).len()).collect();
        let total = lengths.iter().sum();
        let of = (0_u32..).zip(&lengths).flat_map(|(row, length)| std::iter::repeat_n(row, *length));
        let request: UInt32Array = of.collect();
        let column = |(index, field): (usize, &Arc<Field>)| -> Result<ArrayRef, ArrowError> {
            if !read.contains(&index) {
                return Ok(new_null_array(field.data_type(), total));
            }
            let column = requests.column(index);
            match column.as_list_opt::<i32>() {
                Some(lists) => Ok(values(lists)),
                None => take(column, &request, None),
            }
        };
        let columns = self.schema.fields().iter().enumerate().map(column);
        RecordBatch::try_new(self.schema.clone(), columns.collect::<Result<_, _>>()?)
    }

    fn lists<'a>(&self, requests: &'a RecordBatch) -> &'a ListArray {
        requests.column(self.items).as_list::<i32>()
    }
}

/// The entries of all lists: they lie one behind the other.
fn values(lists: &ListArray) -> ArrayRef {
    let offsets = lists.value_offsets();
    let (first, last) = (offsets.first().copied().unwrap_or(0), offsets.last().copied().unwrap_or(0));
    lists.values().slice(first as usize, (last - first) as usize)
}

fn range(lists: &ListArray, row: usize) -> std::ops::Range<usize> {
    let offsets = lists.value_offsets();
    offsets[row] as usize..offsets[row + 1] as usize
}

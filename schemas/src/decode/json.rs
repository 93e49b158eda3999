//! JSON objects, one per record, to rows.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use hashbrown::HashMap;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;

use super::avro::Rows;
use super::json_cell::{Cell, OfField};
use super::json_column::Column;
use super::{Reason, Rejected, no_value};
use crate::TopicSchema;

/// Decodes JSON objects into rows of a topic.
pub(super) struct JsonRows {
    arrow: SchemaRef,
    place: HashMap<String, usize>,
    /// What a field is where an object lacks it.
    absent: Vec<Option<Cell<'static>>>,
}

impl JsonRows {
    pub(super) fn new(schema: &TopicSchema) -> Self {
        let arrow = Arc::clone(schema.arrow());
        let place = arrow.fields().iter().enumerate().map(|(i, f)| (f.name().clone(), i)).collect();
        let absent = arrow
            .fields()
            .iter()
            .map(|field| {
                let default = schema.default_of(field.name()).and_then(|value| {
                    let text = value.to_string();
                    OfField(field).deserialize(&mut serde_json::Deserializer::from_str(&text)).ok().map(owned)
                });
                default.or(field.is_nullable().then_some(Cell::Null))
            })
            .collect();
        Self { arrow, place, absent }
    }

    /// Decodes every payload; a bad one leaves no trace in the rows.
    pub(super) fn decode(&self, payloads: &[Option<&[u8]>], rejected: &mut Vec<Rejected>) -> Rows {
        let mut columns: Vec<Column> = self.arrow.fields().iter().map(Column::new).collect();
        let mut index = Vec::with_capacity(payloads.len());
        let mut row = Vec::with_capacity(columns.len());
        for (i, payload) in payloads.iter().enumerate() {
            let Some(payload) = payload else {
                rejected.push(no_value(i));
                continue;
            };
            match self.row(payload, &mut row) {
                Ok(()) => {
                    for (column, cell) in columns.iter_mut().zip(row.drain(..)) {
                        column.push(cell.unwrap_or(Cell::Null));
                    }
                    index.push(i);
                }
                Err((reason, detail)) => rejected.push(Rejected { index: i, reason, detail }),
            }
        }
        let arrays: Result<Vec<_>, _> = columns.into_iter().map(Column::finish).collect();
        match arrays.and_then(|arrays| RecordBatch::try_new(Arc::clone(&self.arrow), arrays)) {
            Ok(batch) => Rows { batch, index },
            Err(e) => {
                let (reason, detail) = (Reason::Malformed, e.to_string());
                rejected.extend(index.iter().map(|&index| Rejected {
                    index,
                    reason,
                    detail: detail.clone(),
                }));
                Rows { batch: RecordBatch::new_empty(Arc::clone(&self.arrow)), index: Vec::new() }
            }
        }
    }

    fn row<'a>(&self, payload: &'a [u8], row: &mut Vec<Option<Cell<'a>>>) -> Result<(), (Reason, String)> {
        row.clear();
        row.resize(self.absent.len(), None);
        let mut at = None;
        let mut json = serde_json::Deserializer::from_slice(payload);
        let visitor = Object { rows: self, row, at: &mut at };
        (&mut json).deserialize_any(visitor).and_then(|()| json.end()).map_err(|e| self.fault(&e, at))?;
        for (i, cell) in row.iter_mut().enumerate() {
            if cell.is_none() {
                *cell = self.absent[i].clone();
                if cell.is_none() {
                    return Err((
                        Reason::WrongType,
                        format!("field `{}` is missing", self.arrow.field(i).name()),
                    ));
                }
            }
        }
        Ok(())
    }

    /// Well-formed JSON with a value that does not fit is a wrong type; anything else is malformed.
    fn fault(&self, error: &serde_json::Error, at: Option<usize>) -> (Reason, String) {
        match (error.classify(), at) {
            (Category::Data, Some(i)) => {
                (Reason::WrongType, format!("field `{}`: {error}", self.arrow.field(i).name()))
            }
            (Category::Data, None) => (Reason::WrongType, error.to_string()),
            _ => (Reason::Malformed, format!("not JSON: {error}")),
        }
    }
}

fn owned(cell: Cell<'_>) -> Cell<'static> {
    match cell {
        Cell::Null => Cell::Null,
        Cell::Boolean(value) => Cell::Boolean(value),
        Cell::Integer(value) => Cell::Integer(value),
        Cell::Float(value) => Cell::Float(value),
        Cell::Text(value) => Cell::Text(value.into_owned().into()),
        Cell::Bytes(value) => Cell::Bytes(value),
        Cell::List(cells) => Cell::List(cells.into_iter().map(owned).collect()),
        Cell::Map(entries) => Cell::Map(entries.into_iter().map(|(key, cell)| (key, owned(cell))).collect()),
    }
}

/// Reads one object into a row.
struct Object<'r, 'a> {
    rows: &'r JsonRows,
    row: &'r mut Vec<Option<Cell<'a>>>,
    /// The field being read, for the error.
    at: &'r mut Option<usize>,
}

impl<'de> Visitor<'de> for Object<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut next = 0;
        while let Some(place) = map.next_key_seed(Name { rows: self.rows, next })? {
            *self.at = place;
            match place.and_then(|i| self.row.get_mut(i).zip(self.rows.arrow.fields().get(i))) {
                Some((cell, field)) => *cell = Some(map.next_value_seed(OfField(field))?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            next = place.map_or(next, |i| i + 1);
            *self.at = None;
        }
        Ok(())
    }
}

/// The place of a field's name; producers mostly write fields in the schema's order.
struct Name<'r> {
    rows: &'r JsonRows,
    next: usize,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Option<usize>, E> {
        match self.rows.arrow.fields().get(self.next) {
            Some(field) if field.name() == name => Ok(Some(self.next)),
            _ => Ok(self.rows.place.get(name).copied()),
        }
    }
}

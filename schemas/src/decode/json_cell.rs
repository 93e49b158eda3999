//! One JSON value as a value of a column, with strict types.

use std::borrow::Cow;
use std::fmt;

use arrow::compute::kernels::cast_utils::Parser;
use arrow::datatypes::{
    DataType, Date32Type, Field, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A value that fits the column that it was read for.
#[derive(Debug, Clone)]
pub(super) enum Cell<'a> {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(Cow<'a, str>),
    Bytes(Vec<u8>),
    List(Vec<Cell<'a>>),
    Map(Vec<(String, Cell<'a>)>),
}

/// Reads one value of a field's type; anything else is an error that says what the field asks for.
pub(super) struct OfField<'f>(pub(super) &'f Field);

impl<'de> DeserializeSeed<'de> for OfField<'_> {
    type Value = Cell<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cell<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OfField<'_> {
    type Value = Cell<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0.data_type() {
            DataType::Boolean => "true or false",
            DataType::Int32 => "an integer of 32 bits",
            DataType::Int64 => "an integer of 64 bits",
            DataType::Float32 => "a number of single precision",
            DataType::Float64 => "a number",
            DataType::Binary => "bytes, as a text of the characters U+0000 to U+00FF",
            DataType::Date32 => "a date: days since 1970 or YYYY-MM-DD",
            DataType::Timestamp(TimeUnit::Millisecond, _) => "a time: ms since 1970 or RFC 3339",
            DataType::Timestamp(..) => "a time: us since 1970 or RFC 3339",
            DataType::List(_) => "an array",
            DataType::Map(..) => "an object",
            _ => "a text",
        })?;
        if self.0.is_nullable() { f.write_str(", or null") } else { Ok(()) }
    }

    fn visit_unit<E: Error>(self) -> Result<Cell<'de>, E> {
        if self.0.is_nullable() {
            Ok(Cell::Null)
        } else {
            Err(E::custom(format!("null, where {} is asked", Asked(&self))))
        }
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Cell<'de>, E> {
        match self.0.data_type() {
            DataType::Boolean => Ok(Cell::Boolean(value)),
            _ => Err(E::custom(format!("{value}, where {} is asked", Asked(&self)))),
        }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Cell<'de>, E> {
        match self.0.data_type() {
            DataType::Int64 | DataType::Timestamp(..) => Ok(Cell::Integer(value)),
            DataType::Int32 | DataType::Date32 if i32::try_from(value).is_ok() => Ok(Cell::Integer(value)),
            DataType::Float32 | DataType::Float64 => Ok(Cell::Float(value as f64)),
            _ => Err(E::custom(format!("{value}, where {} is asked", Asked(&self)))),
        }
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Cell<'de>, E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => self.visit_f64(value as f64),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Cell<'de>, E> {
        match self.0.data_type() {
            DataType::Float64 => Ok(Cell::Float(value)),
            DataType::Float32 if (value as f32).is_finite() => Ok(Cell::Float(value)),
            _ => Err(E::custom(format!("{value:?}, where {} is asked", Asked(&self)))),
        }
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Cell<'de>, E> {
        match self.0.data_type() {
            DataType::Utf8 => Ok(Cell::Text(Cow::Borrowed(value))),
            _ => self.visit_str(value),
        }
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Cell<'de>, E> {
        // Digits alone are a number that was written as a text, not a date.
        let dated = value.as_bytes().get(4) == Some(&b'-');
        let cell = match self.0.data_type() {
            DataType::Utf8 => Some(Cell::Text(Cow::Owned(value.to_owned()))),
            DataType::Binary => latin1(value).map(Cell::Bytes),
            DataType::Float32 | DataType::Float64 => not_finite(value).map(Cell::Float),
            DataType::Date32 if dated => Date32Type::parse(value).map(|days| Cell::Integer(days.into())),
            DataType::Timestamp(TimeUnit::Millisecond, _) if dated => {
                TimestampMillisecondType::parse(value).map(Cell::Integer)
            }
            DataType::Timestamp(..) if dated => TimestampMicrosecondType::parse(value).map(Cell::Integer),
            _ => None,
        };
        cell.ok_or_else(|| E::custom(format!("the text {:?}, where {} is asked", Short(value), Asked(&self))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Cell<'de>, A::Error> {
        let DataType::List(item) = self.0.data_type() else {
            return Err(A::Error::custom(format!("an array, where {} is asked", Asked(&self))));
        };
        let mut items = Vec::new();
        while let Some(cell) = seq.next_element_seed(OfField(item))? {
            items.push(cell);
        }
        Ok(Cell::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell<'de>, A::Error> {
        let Some(value) = map_value(self.0.data_type()) else {
            return Err(A::Error::custom(format!("an object, where {} is asked", Asked(&self))));
        };
        let mut entries: Vec<(String, Cell<'de>)> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let cell = map.next_value_seed(OfField(value))?;
            match entries.iter_mut().find(|(k, _)| *k == key) {
                Some(entry) => entry.1 = cell,
                None => entries.push((key, cell)),
            }
        }
        Ok(Cell::Map(entries))
    }
}

/// The value field of a map type.
pub(super) fn map_value(data_type: &DataType) -> Option<&Field> {
    let DataType::Map(entries, _) = data_type else { return None };
    match entries.data_type() {
        DataType::Struct(pair) => pair.get(1).map(|field| field.as_ref()),
        _ => None,
    }
}

fn latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

fn not_finite(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

struct Asked<'a, 'f>(&'a OfField<'f>);

impl fmt::Display for Asked<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }
}

/// The beginning of a text: the detail of a dead letter is read by people.
struct Short<'a>(&'a str);

impl fmt::Debug for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CHARS: usize = 40;
        match self.0.char_indices().nth(CHARS) {
            Some((end, _)) => write!(f, "{:?}...", &self.0[..end]),
            None => write!(f, "{:?}", self.0),
        }
    }
}

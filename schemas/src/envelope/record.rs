//! Events as Rust values, and as rows.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Decoder, Encoder, Error, Format, InProcessRegistry, TopicSchema};

/// An event whose fields, as serde names them, are those of an Avro schema; times are ms since 1970. For topics of few
/// events: each passes through its JSON, so that one definition of the wire's types serves.
pub trait Record: Serialize + DeserializeOwned {
    /// The Avro schema of every topic of these events.
    const AVRO: &'static str;

    /// One row per event, with the schema of [`Record::AVRO`].
    fn to_batch(events: &[Self]) -> Result<RecordBatch, Error> {
        through_json(events)
    }

    /// The events of decoded rows; a word that stands for nothing is an error.
    fn from_batch(rows: &RecordBatch) -> Result<Vec<Self>, Error> {
        let schema = Arc::new(TopicSchema::parse(Self::AVRO)?);
        let encoded = Encoder::new(Format::Json, schema, 0)?.encode(rows)?;
        let texts = (0..encoded.len()).filter_map(|row| encoded.get(row));
        texts.map(|text| serde_json::from_slice(text).map_err(wrong)).collect()
    }
}

/// Rows of events by their JSON.
pub(super) fn through_json<R: Record>(events: &[R]) -> Result<RecordBatch, Error> {
    let schema = Arc::new(TopicSchema::parse(R::AVRO)?);
    let texts: Vec<Vec<u8>> =
        events.iter().map(serde_json::to_vec).collect::<Result<_, _>>().map_err(wrong)?;
    let texts: Vec<Option<&[u8]>> = texts.iter().map(|text| Some(text.as_slice())).collect();
    let mut decoder = Decoder::new(Format::Json, schema, Arc::new(InProcessRegistry::default()));
    let decoded = decoder.decode(&texts).map_err(wrong)?;
    match decoded.rejected.first() {
        None => Ok(decoded.rows),
        Some(rejected) => Err(Error::Envelope(rejected.detail.clone())),
    }
}

fn wrong(error: impl std::fmt::Display) -> Error {
    Error::Envelope(error.to_string())
}

#[cfg(test)]
pub mod testing {
    use super::*;
    use crate::SchemaRegistry;

    /// Sends events over the wire in both formats.
    pub fn round_trip<R: Record + PartialEq + std::fmt::Debug>(events: &[R]) {
        let rows = R::to_batch(events).unwrap();
        let schema = Arc::new(TopicSchema::parse(R::AVRO).unwrap());
        assert_eq!(rows.schema_ref(), schema.arrow());
        let registry = Arc::new(InProcessRegistry::default());
        let id = registry.register("x", R::AVRO).unwrap();
        for format in [Format::Avro, Format::Json] {
            let encoded = Encoder::new(format, Arc::clone(&schema), id).unwrap().encode(&rows).unwrap();
            let records: Vec<_> = (0..events.len()).map(|i| encoded.get(i)).collect();
            let decoded = Decoder::new(format, Arc::clone(&schema), registry.clone()).decode(&records);
            assert_eq!(R::from_batch(&decoded.unwrap().rows).unwrap(), events);
        }
    }
}

//! The schemas that records of a topic were written with, by their id in the registry.

use std::sync::Arc;

use hashbrown::HashMap;
use serde_json::Value;

use super::avro::AvroRows;
use crate::{RegistryError, SchemaRegistry, TopicSchema};

/// A topic has a handful of writers' schemas; a stream of ever new ones must not fill the memory.
const MAX_WRITERS: usize = 256;

/// What records of one schema id are to the topic.
pub(super) enum Writer {
    Readable(Box<AvroRows>),
    Unreadable(String),
}

/// Looks schema ids up, once each, and keeps what it takes to decode their records.
pub(super) struct Writers {
    schema: Arc<TopicSchema>,
    registry: Arc<dyn SchemaRegistry>,
    known: HashMap<u32, Writer>,
}

impl Writers {
    pub(super) fn new(schema: Arc<TopicSchema>, registry: Arc<dyn SchemaRegistry>) -> Self {
        Self { schema, registry, known: HashMap::new() }
    }

    /// Asks the registry for the ids that are not known yet. An id that it does not know is asked for again with the
    /// next batch: it may have been registered meanwhile.
    pub(super) fn look_up(&mut self, ids: impl Iterator<Item = u32>) -> Result<(), RegistryError> {
        let mut found = Vec::new();
        for id in ids.filter(|id| !self.known.contains_key(id)) {
            if let Some(text) = self.registry.schema(id)? {
                found.push((id, writer(&text, &self.schema)));
            }
        }
        if self.known.len() + found.len() > MAX_WRITERS {
            self.known.clear();
        }
        self.known.extend(found);
        Ok(())
    }

    pub(super) fn get(&mut self, id: u32) -> Option<&mut Writer> {
        self.known.get_mut(&id)
    }
}

fn writer(text: &str, topic: &TopicSchema) -> Writer {
    match readable(text, topic) {
        Ok(rows) => Writer::Readable(Box::new(rows)),
        Err(why) => Writer::Unreadable(format!("the writer's schema cannot be read with the topic's: {why}")),
    }
}

/// Whether records of the schema `old` can be read as rows of `new`; `Err` says what is in the way.
pub(crate) fn reads(old: &str, new: &TopicSchema) -> Result<(), String> {
    readable(old, new).map(|_| ())
}

fn readable(text: &str, topic: &TopicSchema) -> Result<AvroRows, String> {
    let writer: Value = serde_json::from_str(text).map_err(|e| format!("it is not JSON: {e}"))?;
    if writer.get("type").and_then(Value::as_str) != Some("record") {
        return Err("it is not a record".into());
    }
    let mut reader = topic.record().clone();
    same_name(&mut reader, &writer);
    no_references(&reader, &writer)?;
    AvroRows::new(writer, reader, Arc::clone(topic.arrow()))
}

/// Record names say nothing about what is in a record, and arrow-avro refuses a difference.
fn same_name(reader: &mut Value, writer: &Value) {
    let Some(reader) = reader.as_object_mut() else { return };
    for key in ["name", "namespace"] {
        match writer.get(key) {
            Some(value) => reader.insert(key.into(), value.clone()),
            None => reader.remove(key),
        };
    }
}

/// A field of the topic is never of a named type. Where the writer's field refers to one by name, arrow-avro would not
/// compare the two and read other bytes than were written.
fn no_references(reader: &Value, writer: &Value) -> Result<(), String> {
    let none = Vec::new();
    let fields = |schema: &'_ Value| schema.get("fields").and_then(Value::as_array).cloned();
    let reader_fields = fields(reader).unwrap_or_default();
    for field in writer.get("fields").and_then(Value::as_array).unwrap_or(&none) {
        let Some(name) = field.get("name").and_then(Value::as_str) else { continue };
        let writer_aliases = field.get("aliases").and_then(Value::as_array).unwrap_or(&none);
        let read = reader_fields.iter().any(|r| {
            let aliases = r.get("aliases").and_then(Value::as_array).unwrap_or(&none);
            let names = r.get("name").into_iter().chain(aliases);
            names.into_iter().any(|n| n.as_str() == Some(name) || writer_aliases.contains(n))
        });
        if read && field.get("type").is_some_and(refers) {
            return Err(format!("its field `{name}` is of a named type"));
        }
    }
    Ok(())
}

fn refers(schema: &Value) -> bool {
    const PRIMITIVE: [&str; 8] = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];
    match schema {
        Value::String(name) => !PRIMITIVE.contains(&name.as_str()),
        Value::Array(branches) => branches.iter().any(refers),
        Value::Object(object) => match object.get("type").and_then(Value::as_str) {
            Some("array") => object.get("items").is_some_and(refers),
            Some("map") => object.get("values").is_some_and(refers),
            Some("record" | "enum" | "fixed" | "error") => true,
            Some(name) => !PRIMITIVE.contains(&name),
            None => object.get("type").is_some_and(refers),
        },
        _ => false,
    }
}

//! The record headers that Millrace reads and writes.

use std::sync::Arc;

use rdkafka::message::{BorrowedHeaders, Header, Headers, OwnedHeaders};

use crate::task::Origin;

/// The record that a writer took to write another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// Where it lies.
    pub record: Origin,
    /// Which of the records this is that it caused in one partition of one topic, from 0.
    pub part: u32,
}

/// `topic/partition/offset`, and `+part` from the second part on.
impl std::fmt::Display for Parent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.record)?;
        if self.part > 0 { write!(f, "+{}", self.part) } else { Ok(()) }
    }
}

/// What the headers of a record say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordHeaders {
    /// Where the event at the root of the chain lies; `None`: this record is it.
    pub origin: Option<Origin>,
    /// Kafka's timestamp of that event, in ms.
    pub origin_ms: Option<i64>,
    /// The record that the writer took to write this one; told under at-least-once delivery.
    pub parent: Option<Parent>,
    /// W3C trace context.
    pub traceparent: Option<Arc<str>>,
    /// An earlier stage took the row too late to count.
    pub late: bool,
}

impl RecordHeaders {
    /// Reads a record's headers; unknown and unreadable ones are left aside. `topic` keeps the last origin's topic name,
    /// so that rows of one origin share it.
    pub fn read(headers: Option<&BorrowedHeaders>, topic: &mut Arc<str>) -> Self {
        let mut read = Self::default();
        let Some(headers) = headers else { return read };
        for header in headers.iter() {
            let Some(text) = header.value.and_then(|v| std::str::from_utf8(v).ok()) else { continue };
            match header.key {
                "origin" => read.origin = parse_origin(text, topic),
                "parent" => read.parent = parse_parent(text, topic),
                "origin-timestamp" => read.origin_ms = text.parse().ok(),
                "traceparent" => read.traceparent = Some(text.into()),
                "late" => read.late = text == "1",
                _ => {}
            }
        }
        read
    }
}

/// The headers of a record that `origin` (`topic/partition/offset`) caused. `parent`: the record that was taken to write
/// it, told where the reader must tell repeats.
pub fn write(
    origin: &str,
    origin_ms: i64,
    parent: Option<&str>,
    traceparent: Option<&str>,
    late: bool,
) -> OwnedHeaders {
    let stamp = origin_ms.to_string();
    let mut headers = OwnedHeaders::new_with_capacity(5)
        .insert(Header { key: "origin", value: Some(origin) })
        .insert(Header { key: "origin-timestamp", value: Some(&stamp) });
    if let Some(parent) = parent {
        headers = headers.insert(Header { key: "parent", value: Some(parent) });
    }
    if let Some(traceparent) = traceparent {
        headers = headers.insert(Header { key: "traceparent", value: Some(traceparent) });
    }
    if late {
        headers = headers.insert(Header { key: "late", value: Some("1") });
    }
    headers
}

fn parse_parent(text: &str, last: &mut Arc<str>) -> Option<Parent> {
    let (record, part) = match text.rsplit_once('+') {
        Some((record, part)) => (record, part.parse().ok()?),
        None => (text, 0),
    };
    Some(Parent { record: parse_origin(record, last)?, part })
}

/// Reads `topic/partition/offset`.
fn parse_origin(text: &str, last: &mut Arc<str>) -> Option<Origin> {
    let (rest, offset) = text.rsplit_once('/')?;
    let (topic, partition) = rest.rsplit_once('/')?;
    if last.as_ref() != topic {
        *last = topic.into();
    }
    Some(Origin { topic: last.clone(), partition: partition.parse().ok()?, offset: offset.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let origin = Origin { topic: "fraud.transactions".into(), partition: 3, offset: 17 };
        let headers = write(
            &origin.to_string(),
            1_700_000_000_123,
            Some("fraud.features/1/9+2"),
            Some("00-aa-bb-01"),
            true,
        );
        let mut topic: Arc<str> = "".into();
        let read = RecordHeaders::read(Some(headers.as_borrowed()), &mut topic);
        let expected = RecordHeaders {
            origin: Some(origin),
            origin_ms: Some(1_700_000_000_123),
            parent: Some(Parent {
                record: Origin { topic: "fraud.features".into(), partition: 1, offset: 9 },
                part: 2,
            }),
            traceparent: Some("00-aa-bb-01".into()),
            late: true,
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn an_unreadable_origin_is_none() {
        let mut topic: Arc<str> = "".into();
        let whole = parse_parent("a/1/2", &mut topic).unwrap();
        assert_eq!((whole.part, whole.to_string().as_str()), (0, "a/1/2"));
        for text in ["", "a", "a/b", "a/1/x", "a/x/1"] {
            assert_eq!(parse_origin(text, &mut topic), None, "{text}");
        }
    }
}

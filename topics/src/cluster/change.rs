//! One difference between an application and a cluster, as a line for people.

use std::collections::BTreeMap;
use std::fmt;

use crate::show_duration;

/// Something to change in the cluster or the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A topic is missing.
    Create {
        /// Its Kafka name.
        topic: String,
        /// How many partitions it gets.
        partitions: u32,
        /// Its settings.
        settings: BTreeMap<String, String>,
    },
    /// A topic gets more partitions.
    Grow {
        /// Its Kafka name.
        topic: String,
        /// How many it has.
        from: u32,
        /// How many it gets.
        to: u32,
    },
    /// Settings of a topic change.
    Alter {
        /// Its Kafka name.
        topic: String,
        /// By name: the value in force now, if known, and the new one.
        settings: BTreeMap<String, (Option<String>, String)>,
    },
    /// A schema is registered.
    Register {
        /// `<topic>-value`.
        subject: String,
        /// The schema's text.
        avro: String,
        /// Whether the subject has an older one.
        replaces: bool,
    },
    /// Something that would break what runs, and is not done.
    Refuse {
        /// The topic or subject.
        what: String,
        /// Why, and how to get there.
        why: String,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Create { topic, partitions, settings } => {
                let s = if *partitions == 1 { "" } else { "s" };
                write!(f, "+ {topic}  {partitions} partition{s}")?;
                settings.iter().try_for_each(|(name, value)| write!(f, ", {name} {}", show(name, value)))
            }
            Change::Grow { topic, from, to } => write!(f, "~ {topic}  partitions {from} -> {to}"),
            Change::Alter { topic, settings } => {
                write!(f, "~ {topic}  ")?;
                for (i, (name, (from, to))) in settings.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    let from = from.as_ref().map_or_else(|| "none".into(), |from| show(name, from));
                    write!(f, "{comma}{name} {from} -> {}", show(name, to))?;
                }
                Ok(())
            }
            Change::Register { subject, replaces: false, .. } => write!(f, "+ schema {subject}"),
            Change::Register { subject, replaces: true, .. } => write!(f, "~ schema {subject}  new version"),
            Change::Refuse { what, why } => write!(f, "! {what}  {why}"),
        }
    }
}

/// A setting's value, in a person's units where it is a time.
fn show(name: &str, value: &str) -> String {
    match value.parse::<i64>() {
        Ok(-1) if name == "retention.ms" => "forever".into(),
        Ok(-1) if name == "retention.bytes" => "unbounded".into(),
        Ok(ms) if name.ends_with(".ms") && ms >= 0 => show_duration(ms),
        _ => value.to_owned(),
    }
}

//! Columns that metrics name: of the rows that are counted, or of another topic's row of the same id.

use super::ExperimentMetric;

/// A column of a topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Column {
    /// The topic's stem.
    pub topic: String,
    /// The column's name.
    pub name: String,
}

impl Column {
    /// `<stem>.<column>`, or a column of `topic`.
    pub fn of(topic: &str, text: &str) -> Self {
        let (topic, name) = text.split_once('.').unwrap_or((topic, text));
        Self { topic: topic.to_owned(), name: name.to_owned() }
    }
}

/// Every column that a metric names.
pub fn columns_of(metric: &ExperimentMetric) -> Vec<Column> {
    let named = metric.value.iter().chain(&metric.denominator).chain(metric.only.keys());
    named.map(|text| Column::of(&metric.topic, text)).collect()
}

/// The topics whose rows make a metric.
pub(super) fn stems(metric: &ExperimentMetric) -> Vec<String> {
    let others = columns_of(metric).into_iter().map(|column| column.topic);
    std::iter::once(metric.topic.clone()).chain(others).collect()
}

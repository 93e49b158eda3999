//! What an observer keeps of rows for one run.

use std::collections::BTreeMap;

use millrace_topics::{Column, ExperimentDefinition, ExperimentMetric, columns_of};

/// The topics that an observer reads: predictions first, then those whose rows metrics count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    /// The stem of the predictions.
    pub predictions: String,
    /// The others: stem, id column, key column.
    pub others: Vec<(String, String, String)>,
}

impl Sources {
    /// Index of a topic: 0 for the predictions.
    pub fn index(&self, stem: &str) -> Option<usize> {
        if stem == self.predictions {
            return Some(0);
        }
        self.others.iter().position(|(other, ..)| other == stem).map(|at| at + 1)
    }
}

/// A metric, with its columns as places in what is kept of a row.
#[derive(Debug, Clone)]
pub struct MetricPlan {
    /// The topics whose rows it needs.
    pub needs: Vec<usize>,
    /// The topic whose rows are counted.
    pub counts: usize,
    /// The column that is added up; none: rows are counted.
    pub value: Option<usize>,
    /// What columns must say.
    pub only: Vec<(usize, String)>,
    /// The denominator; none: rows are.
    pub denominator: Option<usize>,
}

/// What is kept of rows for one run.
#[derive(Debug, Clone, Default)]
pub struct RowPlan {
    /// Per place, the topic and the column.
    pub columns: Vec<(usize, String)>,
    /// The metrics.
    pub metrics: Vec<MetricPlan>,
    /// The place of the outcome.
    pub outcome: Option<usize>,
}

impl RowPlan {
    /// Of a definition; what this observer does not read is never seen, so its metrics stay without values.
    pub fn of(definition: &ExperimentDefinition, sources: &Sources) -> Self {
        let mut plan = Self::default();
        let mut places = BTreeMap::new();
        let mut place = |columns: &mut Vec<(usize, String)>, column: Column| {
            let topic = sources.index(&column.topic).unwrap_or(usize::MAX);
            *places.entry(column.clone()).or_insert_with(|| {
                columns.push((topic, column.name));
                columns.len() - 1
            })
        };
        for metric in &definition.metrics {
            let mut at = |text: &String| place(&mut plan.columns, Column::of(&metric.topic, text));
            plan.metrics.push(MetricPlan {
                needs: needs(metric, sources),
                counts: sources.index(&metric.topic).unwrap_or(usize::MAX),
                value: metric.value.as_ref().map(&mut at),
                only: metric.only.iter().map(|(text, value)| (at(text), value.clone())).collect(),
                denominator: metric.denominator.as_ref().map(&mut at),
            });
        }
        plan.outcome = definition
            .labels
            .as_ref()
            .map(|labels| place(&mut plan.columns, Column::of(&labels.topic, &labels.outcome)));
        plan
    }
}

fn needs(metric: &ExperimentMetric, sources: &Sources) -> Vec<usize> {
    let named = columns_of(metric).into_iter().map(|column| column.topic);
    let mut needs: Vec<usize> = std::iter::once(metric.topic.clone())
        .chain(named)
        .map(|stem| sources.index(&stem).unwrap_or(usize::MAX))
        .collect();
    needs.sort_unstable();
    needs.dedup();
    needs
}

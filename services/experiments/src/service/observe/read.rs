//! What runs need of a batch's rows.

use std::collections::BTreeMap;

use arrow::array::{Array, StringArray};
use arrow::record_batch::RecordBatch;
use millrace_runtime::task::Batch;

use super::plan::Sources;
use super::row::Prediction;
use super::watched::Watched;
use super::{Error, PREDICTIONS};
use crate::service::columns::{context, holds, numbers, text, value};

/// The columns of a batch that any run needs.
pub struct Columns {
    predictions: Option<Predictions>,
    /// Per other topic, its id and key.
    others: Vec<(StringArray, StringArray)>,
    /// Per run and place of its plan, the topic and the column.
    runs: BTreeMap<String, Run>,
}

/// The columns that one run keeps.
struct Run {
    cells: Vec<(usize, usize, StringArray)>,
    segments: Vec<StringArray>,
}

struct Predictions {
    ids: StringArray,
    units: StringArray,
    arms: StringArray,
    roles: StringArray,
    deployments: Vec<i64>,
    /// Whether the decision does not hang on the score: of a uniform sample, which no arm answers for.
    explored: Vec<bool>,
    /// Of predictions, not of lists: model, version, decision, score.
    scored: Option<[StringArray; 4]>,
}

impl Columns {
    /// Of a batch.
    pub fn of(batch: &Batch, sources: &Sources, watched: &BTreeMap<String, Watched>) -> Result<Self, Error> {
        if watched.is_empty() {
            return Ok(Self { predictions: None, others: Vec::new(), runs: BTreeMap::new() });
        }
        let rows = |topic: usize| batch.inputs.get(topic + PREDICTIONS).map(|input| &input.rows);
        let mut others = Vec::new();
        for (at, (_, id, key)) in sources.others.iter().enumerate() {
            let Some(rows) = rows(at + 1) else { continue };
            others.push((text(rows, id)?, text(rows, key)?));
        }
        let mut runs = BTreeMap::new();
        for (run, watched) in watched {
            let mut cells = Vec::new();
            for (place, (topic, name)) in watched.plan.columns.iter().enumerate() {
                let Some(rows) = rows(*topic) else { continue };
                cells.push((place, *topic, text(rows, name)?));
            }
            let segments = &watched.definition.segments;
            let segments = match rows(0) {
                Some(rows) => segments.iter().map(|key| context(rows, key)).collect::<Result<_, _>>()?,
                None => Vec::new(),
            };
            runs.insert(run.clone(), Run { cells, segments });
        }
        let predictions = rows(0).map(Predictions::of).transpose()?;
        Ok(Self { predictions, others, runs })
    }

    /// A prediction as a run keeps it.
    pub fn prediction(&self, run: &str, row: usize, time_ms: i64) -> Option<Prediction> {
        let (all, run) = (self.predictions.as_ref()?, self.runs.get(run)?);
        if all.explored[row] {
            return None;
        }
        let named = |column: &StringArray| column.value(row).to_owned();
        let scored = all.scored.as_ref();
        let version =
            scored.map(|[model, version, ..]| format!("{}/{}", model.value(row), version.value(row)));
        let score = scored.and_then(|[.., score]| value(score, row)?.parse().ok());
        Some(Prediction {
            id: named(&all.ids),
            time_ms,
            unit: named(&all.units),
            version: version.unwrap_or_default(),
            arm: named(&all.arms),
            serving: all.roles.value(row) == "serving",
            decision: scored.map(|[_, _, decision, _]| named(decision)).unwrap_or_default(),
            score: score.filter(|score: &f64| score.is_finite()),
            deployment: all.deployments[row],
            segments: run.segments.iter().map(|column| value(column, row).unwrap_or_default()).collect(),
            cells: run.cells_of(0, row),
        })
    }

    /// A row of another topic as a run keeps it: id, unit, cells. None where it has no id, or the run needs nothing of it.
    pub fn other(&self, run: &str, topic: usize, row: usize) -> Option<(String, String, Cells)> {
        let ((ids, units), run) = (self.others.get(topic - 1)?, self.runs.get(run)?);
        Some((value(ids, row)?, units.value(row).to_owned(), run.cells_of(topic, row)))
    }
}

/// Values of a row with the numbers of the columns that a run needs.
type Cells = Vec<(usize, Option<String>)>;

impl Run {
    fn cells_of(&self, topic: usize, row: usize) -> Cells {
        let own = self.cells.iter().filter(|(_, of, _)| *of == topic);
        own.map(|(place, _, column)| (*place, value(column, row))).collect()
    }
}

impl Predictions {
    fn of(rows: &RecordBatch) -> Result<Self, Error> {
        let scored = rows.column_by_name("score").is_some() && rows.column_by_name("version").is_some();
        let scored = match scored {
            true => Some([
                text(rows, "model")?,
                text(rows, "version")?,
                text(rows, "decision")?,
                text(rows, "score")?,
            ]),
            false => None,
        };
        let units = text(rows, "unit")?;
        debug_assert_eq!(units.null_count(), 0, "the envelope has no NULL");
        Ok(Self {
            ids: text(rows, "id")?,
            units,
            arms: text(rows, "arm")?,
            roles: text(rows, "role")?,
            deployments: numbers(rows, "deployment")?,
            explored: holds(rows, "reasons", "explore"),
            scored,
        })
    }
}

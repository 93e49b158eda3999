//! The task of one partition: rows of lists, clicks, impressions and ticks in, feedback out.

use std::sync::Arc;

use millrace_runtime::task::{Batch, Effects, Input, Output, Progress, Rejection, RowMeta, Task, TaskError};
use millrace_schemas::envelope::{ClickFeedback, Record as _};

use super::Source;
use super::book::{Book, Terms};
use super::entry::Made;
use super::feedback::Ids;
use super::measures::Measures;
use super::rows::{Clicks, Fault, Impressions, Names, Rankings};
use super::silence::Told;
use super::ticks::{self, Tick};
use crate::service::Error;
use crate::service::tasks::Watched;

/// What all tasks of a stage have in common.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What clicks may earn, and when lists close.
    pub terms: Terms,
    /// The columns of clicks and impressions.
    pub names: Names,
    /// The inputs before the ticks, in the stage's order.
    pub inputs: Vec<Source>,
    /// The topics of lists and of clicks.
    pub topics: [String; 2],
}

/// The task of one partition.
pub struct ClicksTask {
    plan: Arc<Plan>,
    book: Book,
    /// What the last list was made of.
    made: Arc<Made>,
    measures: Measures,
    watched: Watched<Told>,
}

/// The columns of a batch's inputs.
struct Columns<'a> {
    rankings: Option<Rankings>,
    clicks: Option<Clicks<'a>>,
    impressions: Option<Impressions<'a>>,
    ticks: Vec<Tick>,
}

impl<'a> Columns<'a> {
    fn of(plan: &'a Plan, batch: &Batch) -> Result<Self, Error> {
        let of = |source: Source| {
            let at = plan.inputs.iter().position(|input| *input == source)?;
            batch.inputs.get(at).filter(|input| !input.meta.is_empty())
        };
        let ticks = batch.inputs.get(plan.inputs.len()).filter(|input| !input.meta.is_empty());
        let read = |input: &Input| ticks::decode(&input.rows);
        Ok(Self {
            rankings: of(Source::Rankings).map(|input| Rankings::of(&input.rows)).transpose()?,
            clicks: of(Source::Clicks).map(|input| Clicks::of(&input.rows, &plan.names)).transpose()?,
            impressions: of(Source::Impressions)
                .map(|input| Impressions::of(&input.rows, &plan.names))
                .transpose()?,
            ticks: ticks.map(read).transpose()?.unwrap_or_default(),
        })
    }
}

impl ClicksTask {
    /// The task of a partition. What it waits for it tells `watched`.
    pub fn new(plan: Arc<Plan>, partition: i32, measures: Measures, watched: Watched<Told>) -> Self {
        let ids = Ids::new(&plan.topics[0], &plan.topics[1], partition);
        let made = Made { deployment: -1, arm: String::new(), method: String::new(), rankers: Vec::new() };
        Self { book: Book::new(plan.terms, ids), plan, made: Arc::new(made), measures, watched }
    }

    fn take(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), Error> {
        let plan = self.plan.clone();
        let columns = Columns::of(&plan, batch)?;
        let is_new = batch.phase.is_new();
        let mut out: Vec<ClickFeedback> = Vec::new();
        let mut cause: Vec<u32> = Vec::new();
        for (order, taken) in (0_u32..).zip(&batch.order) {
            let (input, row) = (taken.input as usize, taken.row as usize);
            let Some(meta) = batch.inputs.get(input).and_then(|input| input.meta.get(row)) else { continue };
            let fault = self.take_row(plan.inputs.get(input).copied(), row, meta, &columns, &mut out);
            self.book.settle(&mut out);
            if !is_new {
                out.clear();
            } else if let Err((reason, detail)) = fault {
                effects.rejected.push(Rejection { row: order, reason, detail });
            } else if fault == Ok(Taken::Ignored) {
                effects.filtered += 1;
            }
            cause.resize(out.len(), order);
        }
        self.book.times().forget();
        if is_new {
            self.measures.said(&out);
            self.measures.holds(&self.book);
            self.watched.tell(Told { times: self.times(), wakes: self.book.wakes() });
        }
        if !out.is_empty() {
            let rows = ClickFeedback::to_batch(&out).map_err(Error::internal)?;
            effects.outputs.push(Output { topic: 0, rows, cause, late: Vec::new() });
        }
        Ok(())
    }

    /// Takes one row; an input of none of the sources has ticks.
    fn take_row(
        &mut self,
        source: Option<Source>,
        row: usize,
        meta: &RowMeta,
        columns: &Columns<'_>,
        out: &mut Vec<ClickFeedback>,
    ) -> Result<Taken, Fault> {
        let Some(source) = source else {
            if let Some(tick) = columns.ticks.get(row) {
                self.book.times().tick(tick.source, meta.offset, tick.time_ms);
            }
            return Ok(Taken::Counted);
        };
        self.book.times().row(source, meta.offset, meta.time_ms);
        match source {
            Source::Rankings => {
                let Some(rankings) = &columns.rankings else { return Ok(Taken::Counted) };
                let Some(shown) = rankings.shown(row, meta, &mut self.made)? else {
                    return Ok(Taken::Ignored);
                };
                if self.book.knows(&shown.request) {
                    return Err(("repeated_list", format!("request {} has a list already", shown.request)));
                }
                self.book.list(shown, out);
            }
            Source::Clicks => {
                if let Some(clicks) = &columns.clicks {
                    self.book.click(clicks.click(row, meta)?, out);
                }
            }
            Source::Impressions => {
                if let Some(impressions) = &columns.impressions {
                    self.book.impression(impressions.impression(row, meta)?, out);
                }
            }
        }
        Ok(Taken::Counted)
    }

    fn times(&self) -> [Option<i64>; 3] {
        Source::ALL.map(|source| self.book.read_times().of(source))
    }
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// It changed the state, or was said something of.
    Counted,
    /// A list that nobody saw.
    Ignored,
}

impl Task for ClicksTask {
    fn apply(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), TaskError> {
        Ok(self.take(batch, effects)?)
    }

    fn progress(&self) -> Progress {
        let times = self.book.read_times();
        let inputs = self.plan.inputs.iter().map(|source| Some(*source)).chain([None]);
        Progress {
            task_time_ms: times.greatest_ms(),
            rebuild_from: inputs.map(|source| times.rebuild_from(source)).collect(),
        }
    }

    /// Nothing but rows is needed: they hold the times, too. After a rebuild nobody else will say what is waited for.
    fn restore(&mut self, _committed: &Progress) {
        self.measures.holds(&self.book);
        self.watched.tell(Told { times: self.times(), wakes: self.book.wakes() });
    }

    fn state_size(&self) -> (u64, u64) {
        let [open, remembered, waiting] = self.book.sizes();
        let bytes = open * OPEN_BYTES + remembered * REMEMBERED_BYTES + waiting * WAITING_BYTES;
        ((remembered + waiting) as u64, bytes as u64)
    }
}

/// About what a list of ten to twenty items takes while it is open, and later; and what a click takes that waits.
const OPEN_BYTES: usize = 900;
const REMEMBERED_BYTES: usize = 250;
const WAITING_BYTES: usize = 300;

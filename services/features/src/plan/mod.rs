//! The one plan of a view, which streams, files and tests run.
//!
//! A view is flattened into slots ([`relation`]), its windows are grouped and ordered into stages for the fewest hops
//! between keys ([`hops`]), and rows that can neither be emitted nor change a window are told apart early ([`reach`]).

mod decided;
mod display;
mod entity;
mod hops;
mod output;
mod reach;
#[cfg(test)]
mod refusal_tests;
mod relation;
mod simplify;
mod stages;
#[cfg(test)]
mod tests;
mod window;

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion_expr::Expr;
use sha2::{Digest, Sha256};

pub use decided::Decided;
pub use entity::Entity;
pub use output::OutputColumn;
pub use relation::{Branch, Slot};
pub(crate) use relation::{hidden, slot_schema};
pub use stages::{Group, Stage, Step};
pub use window::WindowColumn;

use crate::exec;
use crate::sql::{Planned, Refusal, Source, plan_sql};
use crate::window::Bounds;

/// What a view is planned from.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Its text: one SELECT.
    pub sql: &'a str,
    /// The application's source topics.
    pub sources: &'a [Source],
    /// The column that must be among the outputs, since it is the topic's key.
    pub key: Option<&'a str>,
    /// How late a row may be and still count, in ms.
    pub lateness_ms: i64,
    /// The longest time that ROWS frames look back, in ms; without it they are refused.
    pub horizon_ms: Option<i64>,
}

/// A planned view.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The sources it reads, in the order of the SQL.
    pub sources: Vec<Source>,
    /// One per source: which rows it gives, and their columns.
    pub branches: Vec<Branch>,
    /// Columns of the branches, then results of the windows.
    pub slots: Vec<Slot>,
    /// The windows; the slot of window `i` is `branch_columns + i`.
    pub windows: Vec<WindowColumn>,
    /// How many of the slots are branch columns.
    pub branch_columns: usize,
    /// The slot that windows are ordered by; `None` without windows.
    pub time: Option<usize>,
    /// The stages, at least one.
    pub stages: Vec<Stage>,
    /// The view's columns.
    pub outputs: Vec<OutputColumn>,
    /// Their Arrow schema.
    pub output_schema: SchemaRef,
    /// What the online store holds.
    pub entities: Vec<Entity>,
    /// W, the longest frame and delay, in µs: `Some(0)` without windows, `None` for UNBOUNDED.
    pub reach_us: Option<i64>,
    /// W + lateness, in µs.
    pub keep_us: Option<i64>,
}

impl Plan {
    /// Plans a view, or says everything that is wrong with it.
    pub fn new(view: &View) -> Result<Self, Vec<Refusal>> {
        let (plan, sites) = plan_sql(view.sql, view.sources, view.horizon_ms.is_some(), |planned| {
            let plan = of_planned(view, planned)?;
            exec::compile(&plan)?;
            Ok(plan)
        })?;
        let refusals = output::refusals(&plan.outputs, view.key, &sites);
        if refusals.is_empty() { Ok(plan) } else { Err(refusals) }
    }

    /// The slot of a window.
    pub fn window_slot(&self, window: usize) -> usize {
        self.branch_columns + window
    }

    /// What a person calls a slot: the output column that it is, or else its name.
    pub(crate) fn slot_label(&self, slot: usize) -> String {
        let name = &self.slots[slot].name;
        let is_slot = |expr: &Expr| matches!(expr, Expr::Column(column) if column.name == *name);
        let output = self.outputs.iter().find(|output| is_slot(&output.expr));
        if output.is_none() && self.windows.iter().any(|window| window.partition.contains(&slot)) {
            return format!("PARTITION BY {name}");
        }
        output.map_or_else(|| name.clone(), |output| output.name.clone())
    }

    /// What a person calls a window: the output column that it is or goes into, or else its slot.
    pub(crate) fn window_label(&self, window: usize) -> String {
        let slot = &self.windows[window].slot.name;
        let output = self.outputs.iter().find(|output| window::mentions(&output.expr, slot));
        output.map_or_else(|| slot.clone(), |output| output.name.clone())
    }

    /// Whether a stage holds state.
    pub fn is_stateful(&self, stage: usize) -> bool {
        self.stages
            .get(stage)
            .is_some_and(|stage| stage.steps.iter().any(|step| matches!(step, Step::Windows(_))))
    }

    /// How far behind the task time a stage's rows matter to a rebuild, in µs; `None`: forever. W + lateness, and as
    /// much again for every window whose results another window of the stage takes.
    pub fn rebuild_us(&self, stage: usize) -> Option<i64> {
        let steps = self.stages.get(stage).map(|stage| stage.steps.as_slice()).unwrap_or_default();
        let layers =
            steps.iter().filter(|step| matches!(step, Step::Windows(group) if group.used_by_state)).count();
        let layers = i64::try_from(layers).unwrap_or(i64::MAX).saturating_add(1);
        Some(self.keep_us?.saturating_mul(layers))
    }

    /// The columns of a source, by index, that the view needs.
    pub fn columns_of(&self, source: usize) -> Vec<usize> {
        let (Some(branch), Some(stage)) = (self.branches.get(source), self.stages.first()) else {
            return Vec::new();
        };
        let exprs = branch.filters.iter().chain(&branch.relevant);
        let used: Vec<&Expr> = exprs.chain(stage.input.iter().map(|slot| &branch.columns[*slot])).collect();
        let fields = self.sources[source].schema.fields().iter().enumerate();
        let needed = fields.filter(|(_, f)| used.iter().any(|expr| window::mentions(expr, f.name())));
        needed.map(|(i, _)| i).collect()
    }

    /// A short stable hash of what the view computes: comments, white space and names of windows do not change it.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.to_string());
        for source in &self.sources {
            for field in source.schema.fields() {
                hash.update(format!(
                    "{} {} {} {}\n",
                    source.name,
                    field.name(),
                    field.data_type(),
                    field.is_nullable()
                ));
            }
        }
        hash.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
    }
}

fn of_planned(view: &View, planned: &Planned) -> Result<Plan, Refusal> {
    let mut flattener = relation::Flattener { sources: view.sources, sites: planned.sites };
    let mut flat = flattener.view(&planned.plan)?;
    let outputs = output::outputs(&mut flat, planned.plan.schema())?;
    Ok(build(view, flat, outputs)?)
}

fn build(view: &View, flat: relation::Flat, outputs: Vec<OutputColumn>) -> datafusion_common::Result<Plan> {
    let reach_us = reach_us(&flat.windows, view.horizon_ms);
    let stages = stages::stages(&flat, &outputs, view.sources)?;
    let schema = flat.schema()?;
    let mut branches = flat.branches.clone();
    for branch in &mut branches {
        let source_schema = branch.source_schema.clone();
        for expr in branch.filters.iter_mut().chain(&mut branch.columns) {
            *expr = simplify::simplify(expr.clone(), &source_schema)?;
        }
        let needed = stages::needed_of(branch, &stages, &schema, &source_schema)?;
        branch.filters.retain(|filter| !is_true(filter));
        branch.relevant = needed.filter(|expr| !is_true(expr));
    }
    let sources = branches.iter().map(|branch| view.sources[branch.source].clone()).collect();
    for (i, branch) in branches.iter_mut().enumerate() {
        branch.source = i;
    }
    let output_schema = Arc::new(output::schema(&outputs));
    Ok(Plan {
        sources,
        branches,
        entities: entity::entities(&flat, &stages, &outputs),
        branch_columns: flat.base.len(),
        slots: flat.slots().cloned().collect(),
        time: flat.time,
        windows: flat.windows,
        stages,
        outputs,
        output_schema,
        reach_us,
        keep_us: reach_us.map(|reach| reach.saturating_add(view.lateness_ms.saturating_mul(1_000))),
    })
}

fn is_true(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(datafusion_common::ScalarValue::Boolean(Some(true)), _))
}

/// W: how far the view looks back.
fn reach_us(windows: &[WindowColumn], horizon_ms: Option<i64>) -> Option<i64> {
    windows.iter().try_fold(0, |reach, window| {
        let own = match window.bounds {
            Bounds::Range { start, .. } => start?,
            Bounds::Rows { start, .. } => {
                start?;
                horizon_ms?.saturating_mul(1_000)
            }
        };
        Some(reach.max(own))
    })
}

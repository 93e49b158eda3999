//! Stages: which steps run by which key, and what rows carry from one to the next.

use std::collections::BTreeSet;

use datafusion_common::{DFSchema, Result};
use datafusion_expr::Expr;

use super::hops::{self, Node};
use super::output::OutputColumn;
use super::reach;
use super::relation::{Branch, Flat, substitute};
use super::simplify::simplify;
use super::window::any;
use crate::sql::Source;

/// What runs by one key.
#[derive(Debug, Clone)]
pub struct Stage {
    /// The slot whose text keys the stage's topic; `None` for the source stage.
    pub key: Option<usize>,
    /// Slots that its rows have when they come in, ascending.
    pub input: Vec<usize>,
    /// What happens to them, in order.
    pub steps: Vec<Step>,
    /// Rows that this stage or a later one needs; `None`: all. Over the slots of `input`.
    needed: Option<Expr>,
}

/// One step of a stage.
#[derive(Debug, Clone)]
pub enum Step {
    /// Drops rows for which it is not true.
    Filter(Expr),
    /// Adds the results of windows.
    Windows(Group),
}

/// Windows of one `PARTITION BY` that take the same rows.
#[derive(Debug, Clone)]
pub struct Group {
    /// Slots it is partitioned by, ascending.
    pub partition: Vec<usize>,
    /// The windows.
    pub windows: Vec<usize>,
    /// Rows whose results are asked; `None`: all.
    pub wanted: Option<Expr>,
    /// Rows that it must see; `None`: all.
    pub relevant: Option<Expr>,
    /// Whether another window, or a filter below one, uses its results.
    pub used_by_state: bool,
}

/// Orders windows and filters into stages.
pub(super) fn stages(flat: &Flat, outputs: &[OutputColumn], sources: &[Source]) -> Result<Vec<Stage>> {
    let groups = groups(flat)?;
    let nodes: Vec<Node> = (0..groups.len()).map(|g| node(flat, &groups, g)).collect();
    let mut applied = 0;
    let hops = hops::hops(&nodes, &source_keys(flat, sources));
    let last = hops.len().saturating_sub(1);
    let mut stages = Vec::new();
    for (i, hop) in hops.iter().enumerate() {
        let mut steps = Vec::new();
        for g in &hop.nodes {
            let group = &groups[*g];
            let below = group.windows.iter().map(|w| flat.windows[*w].filters_below).max().unwrap_or(0);
            while applied < below {
                steps.push(Step::Filter(flat.filters[applied].clone()));
                applied += 1;
            }
            steps.push(Step::Windows(group.clone()));
        }
        if i == last {
            steps.extend(flat.filters.iter().skip(applied).cloned().map(Step::Filter));
        }
        stages.push(Stage { key: hop.key, input: Vec::new(), steps, needed: None });
    }
    narrow(flat, &mut stages)?;
    carry(flat, outputs, &mut stages);
    Ok(stages)
}

/// What windows of one group agree in.
#[derive(PartialEq, Eq)]
struct Kind {
    filters_below: usize,
    /// How many windows lie one over the other beneath it.
    depth: usize,
    partition: Vec<usize>,
}

/// Windows that can run side by side: same rows, same depth of windows over windows, same partition.
fn groups(flat: &Flat) -> Result<Vec<Group>> {
    let mut depth = vec![0_usize; flat.windows.len()];
    let mut found: Vec<(Kind, Vec<usize>)> = Vec::new();
    for (i, window) in flat.windows.iter().enumerate() {
        depth[i] = window.needs.iter().map(|need| depth[*need] + 1).max().unwrap_or(0);
        let kind = Kind {
            filters_below: window.filters_below,
            depth: depth[i],
            partition: window.partition.clone(),
        };
        match found.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, windows)) => windows.push(i),
            None => found.push((kind, vec![i])),
        }
    }
    if found.len() > 64 {
        return datafusion_common::plan_err!(
            "a view has at most 64 groups of windows, this one has {}",
            found.len()
        );
    }
    let schema = flat.schema()?;
    let simple = |expr: Option<Expr>| expr.map(|expr| simplify(expr, &schema)).transpose();
    found
        .into_iter()
        .map(|(Kind { partition, .. }, windows)| {
            Ok(Group {
                wanted: simple(reach::wanted(flat, &windows))?,
                relevant: simple(reach::relevant(flat, &windows))?,
                used_by_state: reach::last_user(flat, &windows).is_some(),
                partition,
                windows,
            })
        })
        .collect()
}

fn node(flat: &Flat, groups: &[Group], g: usize) -> Node {
    let below =
        |group: &Group| group.windows.iter().map(|w| flat.windows[*w].filters_below).max().unwrap_or(0);
    let own = &groups[g];
    let mut after = 0;
    for (i, other) in groups.iter().enumerate() {
        let needed = own
            .windows
            .iter()
            .any(|w| flat.windows[*w].needs.iter().any(|need| other.windows.contains(need)));
        if needed || below(other) < below(own) {
            after |= 1 << i;
        }
    }
    Node { partition: own.partition.clone(), after }
}

/// Branch columns that hold the sources' key in every branch.
fn source_keys(flat: &Flat, sources: &[Source]) -> Vec<usize> {
    (0..flat.base.len())
        .filter(|i| {
            flat.branches.iter().all(|branch| match &branch.columns[*i] {
                Expr::Column(column) => column.name == sources[branch.source].key,
                _ => false,
            })
        })
        .collect()
}

/// Before each hop, drops rows that nothing behind it needs.
fn narrow(flat: &Flat, stages: &mut [Stage]) -> Result<()> {
    let schema = flat.schema()?;
    let mut behind = vec![reach::emitted(flat)];
    for i in (0..stages.len()).rev() {
        behind.extend(stages[i].steps.iter().filter_map(|step| match step {
            Step::Windows(group) => Some(group.relevant.clone()),
            Step::Filter(_) => None,
        }));
        stages[i].needed = any(behind.iter().cloned()).map(|expr| simplify(expr, &schema)).transpose()?;
    }
    for i in 1..stages.len() {
        let needed = stages[i].needed.clone();
        if needed != stages[i - 1].needed {
            stages[i - 1].steps.extend(needed.map(Step::Filter));
        }
    }
    Ok(())
}

/// Which slots each stage's rows bring along.
fn carry(flat: &Flat, outputs: &[OutputColumn], stages: &mut [Stage]) {
    let slots: Vec<&str> = flat.slots().map(|slot| slot.name.as_str()).collect();
    let base = flat.base.len();
    let mut needed: BTreeSet<usize> = flat.time.into_iter().collect();
    let note = |needed: &mut BTreeSet<usize>, expr: &Expr| {
        for column in expr.column_refs() {
            needed.extend(slots.iter().position(|slot| *slot == column.name));
        }
    };
    for output in outputs {
        note(&mut needed, &output.expr);
    }
    for stage in stages.iter_mut().rev() {
        for step in &stage.steps {
            match step {
                Step::Filter(expr) => note(&mut needed, expr),
                Step::Windows(group) => {
                    needed.extend(&group.partition);
                    let windows = group.windows.iter().map(|w| &flat.windows[*w]);
                    let exprs = windows.flat_map(|window| window.argument.iter().chain(&window.filter));
                    for expr in exprs.chain(&group.wanted).chain(&group.relevant) {
                        note(&mut needed, expr);
                    }
                }
            }
        }
        for step in &stage.steps {
            if let Step::Windows(group) = step {
                for window in &group.windows {
                    needed.remove(&(base + window));
                }
            }
        }
        needed.extend(stage.key);
        stage.input = needed.iter().copied().collect();
    }
}

/// What the first stage needs of a branch's rows, over the source's columns.
pub(super) fn needed_of(
    branch: &Branch,
    stages: &[Stage],
    schema: &DFSchema,
    source_schema: &DFSchema,
) -> Result<Option<Expr>> {
    let Some(needed) = stages.first().and_then(|stage| stage.needed.clone()) else { return Ok(None) };
    simplify(substitute(needed, schema, &branch.columns)?, source_schema).map(Some)
}

//! One stage at work: filters drop rows, windows add columns, touched keys go to the online store.

use arrow::array::{Array, ArrayRef, BooleanArray, UInt32Array, new_null_array};
use arrow::compute::{or, take};
use datafusion_expr::Expr;
use millrace_runtime::task::KeyWrite;

use super::entity::EntityWriter;
use super::program::Program;
use super::{Rejected, Rows, slots};
use crate::error::Error;
use crate::plan::{Group, Plan, Step, WindowColumn, slot_schema};
use crate::window::{self, Frame, Spec, Windows};

/// What rows may cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mode {
    /// Whether results are wanted: rows that only rebuild state need none.
    pub results: bool,
    /// Whether the keys that rows touch are written to the online store.
    pub store: bool,
}

/// What a filter is called that sees results of windows, or lies above them.
const AFTER: &str = "the filter after the windows";

/// What [`StageRunner::run`] made of some rows.
pub(crate) struct Ran {
    /// Rows that passed every step, with the slots of [`StageRunner::layout`].
    pub rows: Rows,
    /// Rows whose expressions failed.
    pub rejected: Vec<Rejected>,
    /// Keys of the online store, at most once each.
    pub writes: Vec<KeyWrite>,
    /// How many rows came too late to count.
    pub late: u64,
}

/// The steps of one stage, compiled, with the state of its windows.
pub(crate) struct StageRunner {
    steps: Vec<Compiled>,
    layout: Vec<usize>,
    entities: Vec<EntityWriter>,
}

enum Compiled {
    Filter(Program),
    Windows(Box<Running>),
}

/// A group of windows with its state.
struct Running {
    windows: Windows,
    /// Where the partition columns are.
    keys: Vec<usize>,
    /// Arguments, then filters, then wanted, then relevant.
    inputs: Program,
    arguments: usize,
    filters: usize,
    wanted: bool,
    relevant: bool,
    used_by_state: bool,
    results: Vec<arrow::datatypes::DataType>,
    /// The entity that its keys are written to.
    entity: Option<(usize, usize)>,
}

impl StageRunner {
    /// A stage without rows. Keys of the online store are named `<prefix>:<entity>:<key>`.
    pub(crate) fn new(plan: &Plan, stage: usize, lanes: usize, prefix: &str) -> Result<Self, Error> {
        let planned = &plan.stages[stage];
        let mut layout = planned.input.clone();
        let mut entities: Vec<EntityWriter> = Vec::new();
        for entity in plan.entities.iter().filter(|entity| entity.stage == stage) {
            entities.push(EntityWriter::new(plan, entity, planned, prefix)?);
        }
        let mut steps = Vec::new();
        for step in &planned.steps {
            let schema = slot_schema(slots(plan, &layout))?;
            match step {
                Step::Filter(expr) => {
                    steps.push(Compiled::Filter(Program::new([(AFTER.to_owned(), expr)], &schema)?))
                }
                Step::Windows(group) => {
                    let mut running = Running::new(plan, group, &layout, lanes)?;
                    let entity = entities.iter().position(|entity| entity.partition() == group.partition);
                    running.entity = entity.map(|entity| (entity, groups_before(&steps, entity)));
                    steps.push(Compiled::Windows(Box::new(running)));
                    layout.extend(group.windows.iter().map(|window| plan.window_slot(*window)));
                }
            }
        }
        Ok(Self { steps, layout, entities })
    }

    /// The slots of the rows that come out.
    pub(crate) fn layout(&self) -> &[usize] {
        &self.layout
    }

    /// Runs rows that have the slots of the stage's input. `floor`: a key's last row older than this is forgotten.
    pub(crate) fn run(&mut self, mut rows: Rows, mode: Mode, floor: Option<i64>) -> Result<Ran, Error> {
        let (mut rejected, mut late) = (Vec::new(), 0);
        let layout = &self.layout;
        for step in &mut self.steps {
            match step {
                Compiled::Filter(program) => rows = filter(program, rows, &mut rejected)?,
                Compiled::Windows(running) => {
                    late += running.run(&mut rows, mode, layout, &mut self.entities, &mut rejected)?;
                }
            }
        }
        let mut writes = Vec::new();
        for entity in &mut self.entities {
            entity.finish(&mut writes, floor)?;
        }
        Ok(Ran { rows, rejected, writes, late })
    }

    /// Rows and bytes of state.
    pub(crate) fn state_size(&self) -> (u64, u64) {
        let mut size = (0, 0);
        for step in &self.steps {
            if let Compiled::Windows(running) = step {
                let (rows, bytes) = running.windows.state_size();
                size = (size.0 + rows as u64, size.1 + bytes as u64);
            }
        }
        let remembered: usize = self.entities.iter().map(EntityWriter::bytes).sum();
        (size.0, size.1 + remembered as u64)
    }
}

/// How many groups of an entity stand among the steps so far.
fn groups_before(steps: &[Compiled], entity: usize) -> usize {
    let of =
        |step: &&Compiled| matches!(step, Compiled::Windows(r) if r.entity.is_some_and(|(e, _)| e == entity));
    steps.iter().filter(of).count()
}

pub(super) fn filter(program: &Program, mut rows: Rows, rejected: &mut Vec<Rejected>) -> Result<Rows, Error> {
    let evaluated = program.evaluate(&rows.columns, rows.len())?;
    reject(&evaluated.bad, &rows, rejected);
    if let Some(good) = evaluated.good(rows.len()) {
        rows = rows.filter(&good)?;
    }
    Ok(rows.filter(&evaluated.mask(0)?)?)
}

/// Notes rows whose expressions failed.
pub(super) fn reject(bad: &[(usize, String)], rows: &Rows, rejected: &mut Vec<Rejected>) {
    rejected.extend(bad.iter().map(|(row, detail)| Rejected {
        cause: rows.cause.value(*row),
        reason: "expression",
        detail: detail.clone(),
    }));
}

/// The index of an expression in a list, added if it is new.
fn intern(exprs: &mut Vec<Expr>, expr: &Expr) -> usize {
    exprs.iter().position(|known| known == expr).unwrap_or_else(|| {
        exprs.push(expr.clone());
        exprs.len() - 1
    })
}

impl Running {
    fn new(plan: &Plan, group: &Group, layout: &[usize], lanes: usize) -> Result<Self, Error> {
        use datafusion_expr::ExprSchemable;
        let schema = slot_schema(slots(plan, layout))?;
        let (mut arguments, mut filters, mut frames) = (Vec::new(), Vec::new(), Vec::new());
        for window in group.windows.iter().map(|window| &plan.windows[*window]) {
            frames.push(Frame {
                function: window.function,
                argument: window.argument.as_ref().map(|expr| intern(&mut arguments, expr)),
                filter: window.filter.as_ref().map(|expr| intern(&mut filters, expr)),
                bounds: window.bounds,
            });
        }
        let types =
            arguments.iter().map(|expr| expr.get_type(&schema)).collect::<datafusion_common::Result<_>>()?;
        let spec = Spec {
            frames,
            arguments: types,
            keys: slots(plan, &group.partition).map(|slot| slot.data_type.clone()).collect(),
            branches: plan.branches.len(),
            lanes,
            keep: plan.keep_us,
        };
        let named = |kind: &'static str, exprs: &'_ [Expr], of: fn(&WindowColumn) -> Option<&Expr>| {
            let name = |expr: &Expr| {
                let uses = |window: &&usize| of(&plan.windows[**window]) == Some(expr);
                let window = group.windows.iter().find(uses);
                format!("{kind} of {}", window.map(|w| plan.window_label(*w)).unwrap_or_default())
            };
            exprs.iter().map(name).collect::<Vec<String>>()
        };
        let mut names = named("the argument", &arguments, |window| window.argument.as_ref());
        names.extend(named("the FILTER", &filters, |window| window.filter.as_ref()));
        names.extend([AFTER.to_owned(), AFTER.to_owned()]);
        let inputs = arguments.iter().chain(&filters).chain(&group.wanted).chain(&group.relevant);
        let inputs = names.into_iter().zip(inputs);
        Ok(Self {
            windows: Windows::new(spec)?,
            keys: group
                .partition
                .iter()
                .filter_map(|key| layout.iter().position(|slot| slot == key))
                .collect(),
            inputs: Program::new(inputs, &schema)?,
            arguments: arguments.len(),
            filters: filters.len(),
            wanted: group.wanted.is_some(),
            relevant: group.relevant.is_some(),
            used_by_state: group.used_by_state,
            results: group
                .windows
                .iter()
                .map(|window| plan.windows[*window].slot.data_type.clone())
                .collect(),
            entity: None,
        })
    }

    /// Adds the windows' results to the rows; how many came too late.
    fn run(
        &mut self,
        rows: &mut Rows,
        mode: Mode,
        layout: &[usize],
        entities: &mut [EntityWriter],
        rejected: &mut Vec<Rejected>,
    ) -> Result<u64, Error> {
        let evaluated = self.inputs.evaluate(&rows.columns, rows.len())?;
        reject(&evaluated.bad, rows, rejected);
        if let Some(good) = evaluated.good(rows.len()) {
            *rows = rows.filter(&good)?;
        }
        let masks = self.arguments..evaluated.columns.len();
        let mut masks = masks.map(|column| evaluated.mask(column)).collect::<Result<Vec<_>, _>>()?;
        let mut arguments = evaluated.columns;
        arguments.truncate(self.arguments);
        let relevant = if self.relevant { masks.pop() } else { None };
        let wanted = if self.wanted { masks.pop() } else { None };
        let filters = masks;
        debug_assert_eq!(filters.len(), self.filters);
        let Some(relevant) = relevant.filter(|relevant| relevant.true_count() < rows.len()) else {
            let active = Active { rows, arguments: &arguments, filters: &filters, wanted: wanted.as_ref() };
            let taken = self.take(&active, mode, layout, entities)?;
            return add(rows, taken.results, &taken.late);
        };
        let pick = |array: &dyn Array| arrow::compute::filter(array, &relevant);
        let arguments = arguments.iter().map(|array| pick(array)).collect::<Result<Vec<_>, _>>()?;
        let pick_mask = |mask: &BooleanArray| Ok::<_, Error>(BooleanArray::from(pick(mask)?.to_data()));
        let filters = filters.iter().map(pick_mask).collect::<Result<Vec<_>, _>>()?;
        let wanted = wanted.as_ref().map(pick_mask).transpose()?;
        let some = rows.filter(&relevant)?;
        let active =
            Active { rows: &some, arguments: &arguments, filters: &filters, wanted: wanted.as_ref() };
        let taken = self.take(&active, mode, layout, entities)?;
        self.spread(rows, &relevant, &taken)
    }

    fn take(
        &mut self,
        active: &Active,
        mode: Mode,
        layout: &[usize],
        entities: &mut [EntityWriter],
    ) -> Result<window::Taken, Error> {
        let rows = active.rows;
        let keys: Vec<ArrayRef> = self.keys.iter().map(|key| rows.columns[*key].clone()).collect();
        let nothing = BooleanArray::from(vec![false; rows.len()]);
        let silent = !mode.results && !mode.store && !self.used_by_state;
        let taken = self.windows.take(&window::Rows {
            keys: &keys,
            time: rows.time.values(),
            record_time: rows.task_time.values(),
            lane: rows.lane.values(),
            branch: rows.branch.values(),
            offset: rows.place.values(),
            arguments: active.arguments,
            filters: active.filters,
            wanted: if silent { Some(&nothing) } else { active.wanted },
            touched: mode.store && self.entity.is_some(),
        })?;
        if let (Some((entity, group)), Some(touched)) = (self.entity, &taken.touched)
            && let Some(entity) = entities.get_mut(entity)
        {
            entity.touch(group, touched, rows, layout)?;
        }
        Ok(taken)
    }

    /// Adds results that only the relevant rows have.
    fn spread(&self, rows: &mut Rows, relevant: &BooleanArray, taken: &window::Taken) -> Result<u64, Error> {
        let mut next = 0;
        let indices: UInt32Array = relevant
            .values()
            .iter()
            .map(|is| {
                is.then(|| {
                    next += 1;
                    next - 1
                })
            })
            .collect();
        let results = taken.results.iter().zip(&self.results).map(|(result, data_type)| {
            if result.is_empty() {
                return Ok(new_null_array(data_type, rows.len()));
            }
            take(result, &indices, None)
        });
        let results = results.collect::<Result<Vec<_>, _>>()?;
        let late = indices.iter().map(|index| index.is_some_and(|i| taken.late.value(i as usize)));
        let late = BooleanArray::from(late.collect::<Vec<bool>>());
        add(rows, results, &late)
    }
}

/// Rows that a group of windows takes.
struct Active<'a> {
    rows: &'a Rows,
    arguments: &'a [ArrayRef],
    filters: &'a [BooleanArray],
    wanted: Option<&'a BooleanArray>,
}

/// Appends results; how many rows are late that were not before.
fn add(rows: &mut Rows, results: Vec<ArrayRef>, late: &BooleanArray) -> Result<u64, Error> {
    rows.columns.extend(results);
    if late.true_count() == 0 {
        return Ok(0);
    }
    let before = rows.late.true_count();
    rows.late = or(&rows.late, late)?;
    Ok((rows.late.true_count() - before) as u64)
}

//! DataFusion's logical plan taken apart: source branches below, one sequence of windows and filters above.
//!
//! Projections vanish: every expression is rewritten to say itself in terms of *slots*, the columns of the branches and
//! the results of windows. What remains has no names to resolve and no nodes to walk.

use std::collections::BTreeSet;

use arrow::datatypes::{DataType, Field, Schema};
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{Column, DFSchema, Result as DataFusionResult};
use datafusion_expr::{Expr, ExprSchemable, LogicalPlan, utils::split_conjunction_owned};

use super::simplify::simplify;
use super::window::WindowColumn;
use crate::sql::{Refusal, Sites, Source};

/// A column of the branches, or the result of a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Its name, one of a kind, and one that Avro accepts.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// Whether it can be NULL in a row that is emitted.
    pub nullable: bool,
}

/// One source topic's part: which rows it gives, and their columns.
#[derive(Debug, Clone)]
pub struct Branch {
    /// Index among the application's sources.
    pub source: usize,
    /// The source's columns, as expressions resolve against them.
    pub(super) source_schema: DFSchema,
    /// Rows pass if all are true; over the source's columns.
    pub filters: Vec<Expr>,
    /// One expression per branch column, over the source's columns.
    pub columns: Vec<Expr>,
    /// Rows for which it is not true change no window and are not emitted; over the source's columns.
    pub relevant: Option<Expr>,
}

/// A view in terms of slots.
#[derive(Debug, Default)]
pub(super) struct Flat {
    pub branches: Vec<Branch>,
    /// Branch columns.
    pub base: Vec<Slot>,
    /// Window results; each knows how many `filters` lie beneath it.
    pub windows: Vec<WindowColumn>,
    /// Conjuncts that lie above at least one window, from the bottom up.
    pub filters: Vec<Expr>,
    /// One expression per column of the node last walked.
    pub env: Vec<Expr>,
    /// The branch column that every window is ordered by.
    pub time: Option<usize>,
    windowed: bool,
}

/// Takes a plan apart.
pub(super) struct Flattener<'a> {
    pub sources: &'a [Source],
    pub sites: &'a Sites,
}

impl Flattener<'_> {
    /// The view's flat form, its outputs in `env`.
    pub(super) fn view(&mut self, plan: &LogicalPlan) -> Result<Flat, Refusal> {
        let mut flat = self.node(plan)?;
        if !flat.windowed {
            self.seal(&mut flat, plan.schema())?;
        }
        Ok(flat)
    }

    fn node(&mut self, plan: &LogicalPlan) -> Result<Flat, Refusal> {
        match plan {
            LogicalPlan::TableScan(scan) => self.scan(scan.table_name.table(), &scan.projected_schema),
            LogicalPlan::SubqueryAlias(alias) => self.node(&alias.input),
            LogicalPlan::Projection(projection) => {
                let flat = self.node(&projection.input)?;
                Ok(project(flat, &projection.expr, projection.input.schema())?)
            }
            LogicalPlan::Filter(filter) => {
                let flat = self.node(&filter.input)?;
                Ok(restrict(flat, &filter.predicate, filter.input.schema())?)
            }
            LogicalPlan::Union(union) => {
                let inputs =
                    union.inputs.iter().map(|input| self.node(input)).collect::<Result<Vec<_>, _>>()?;
                self.union(inputs)
            }
            LogicalPlan::Window(window) => {
                let mut flat = self.node(&window.input)?;
                if !flat.windowed {
                    self.seal(&mut flat, window.input.schema())?;
                }
                for expr in &window.window_expr {
                    let result = self.window(&mut flat, expr, window.input.schema())?;
                    flat.env.push(result);
                }
                Ok(flat)
            }
            other => Err(Refusal::new(
                self.sites.start(),
                format!(
                    "a view is made of projections, filters, windows and UNION ALL; this one needs: {}",
                    other.display()
                ),
            )),
        }
    }

    fn scan(&mut self, table: &str, schema: &DFSchema) -> Result<Flat, Refusal> {
        let source = self.sources.iter().position(|source| source.name == table).ok_or_else(|| {
            Refusal::new(self.sites.table(table), format!("no source topic is called {table}"))
        })?;
        let columns: Vec<Expr> =
            schema.fields().iter().map(|field| Expr::Column(Column::new_unqualified(field.name()))).collect();
        let source_schema = DFSchema::try_from(self.sources[source].schema.as_ref().clone())?;
        let branch = Branch { source, source_schema, filters: Vec::new(), columns, relevant: None };
        Ok(Flat { branches: vec![branch], ..Flat::default() })
    }

    fn union(&self, inputs: Vec<Flat>) -> Result<Flat, Refusal> {
        if inputs.iter().any(|flat| flat.windowed) {
            return Err(Refusal::new(
                self.sites.start(),
                "a window stands below UNION ALL; put the sources together first, in a CTE, and the windows above it",
            ));
        }
        let branches: Vec<Branch> = inputs.into_iter().flat_map(|flat| flat.branches).collect();
        let mut seen = BTreeSet::new();
        for branch in &branches {
            if !seen.insert(branch.source) {
                let name = &self.sources[branch.source].name;
                return Err(Refusal::new(
                    self.sites.table(name),
                    format!(
                        "{name} is read twice; read each source once, and tell its rows apart by CASE or FILTER"
                    ),
                ));
            }
        }
        Ok(Flat { branches, ..Flat::default() })
    }

    /// From here on rows of all branches are one relation: its columns become slots.
    fn seal(&mut self, flat: &mut Flat, schema: &DFSchema) -> Result<(), Refusal> {
        for (i, field) in schema.fields().iter().enumerate() {
            let mut nullable = false;
            for branch in &flat.branches {
                nullable |= branch.columns[i].nullable(&branch.source_schema)?;
            }
            let name = unique_name(field.name(), |name| flat.base.iter().any(|slot| slot.name == name));
            flat.base.push(Slot { name, data_type: field.data_type().clone(), nullable });
        }
        flat.env = flat.base.iter().map(|slot| Expr::Column(Column::new_unqualified(&slot.name))).collect();
        flat.windowed = true;
        Ok(())
    }

    /// The branch column that an expression is, made one if it is computed; `None` if it needs a window's result.
    pub(super) fn base_slot(
        &self,
        flat: &mut Flat,
        expr: &Expr,
        hint: &str,
    ) -> Result<Option<usize>, Refusal> {
        if let Expr::Column(column) = expr {
            return Ok(flat.base.iter().position(|slot| slot.name == column.name));
        }
        let uses = expr.column_refs();
        if uses.iter().any(|column| flat.base.iter().all(|slot| slot.name != column.name)) {
            return Ok(None);
        }
        let schema = flat.schema()?;
        let (data_type, nullable) = (expr.get_type(&schema)?, expr.nullable(&schema)?);
        let computed: Vec<Expr> = flat
            .branches
            .iter()
            .map(|branch| substitute(expr.clone(), &schema, &branch.columns))
            .collect::<DataFusionResult<_>>()?;
        let known = (0..flat.base.len())
            .find(|i| flat.branches.iter().zip(&computed).all(|(branch, expr)| branch.columns[*i] == *expr));
        if known.is_some() {
            return Ok(known);
        }
        for (branch, expr) in flat.branches.iter_mut().zip(computed) {
            branch.columns.push(expr);
        }
        let name = unique_name(hint, |name| flat.slots().any(|slot| slot.name == name));
        flat.base.push(Slot { name, data_type, nullable });
        Ok(Some(flat.base.len() - 1))
    }
}

impl Flat {
    /// Branch columns, then windows.
    pub(super) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.base.iter().chain(self.windows.iter().map(|window| &window.slot))
    }

    /// The slots as a schema that expressions resolve against.
    pub(super) fn schema(&self) -> DataFusionResult<DFSchema> {
        slot_schema(self.slots())
    }
}

/// A schema of slots, with their true nullability.
pub(crate) fn slot_schema<'a>(slots: impl Iterator<Item = &'a Slot>) -> DataFusionResult<DFSchema> {
    let fields: Vec<Field> =
        slots.map(|slot| Field::new(&slot.name, slot.data_type.clone(), slot.nullable)).collect();
    DFSchema::try_from(Schema::new(fields))
}

fn project(mut flat: Flat, exprs: &[Expr], schema: &DFSchema) -> DataFusionResult<Flat> {
    let all = |env: &[Expr]| {
        exprs.iter().map(|expr| substitute(expr.clone(), schema, env)).collect::<DataFusionResult<Vec<_>>>()
    };
    if flat.windowed {
        flat.env = all(&flat.env)?;
        return Ok(flat);
    }
    for branch in &mut flat.branches {
        branch.columns = all(&branch.columns)?;
    }
    Ok(flat)
}

fn restrict(mut flat: Flat, predicate: &Expr, schema: &DFSchema) -> DataFusionResult<Flat> {
    if flat.windowed {
        let predicate = simplify(substitute(predicate.clone(), schema, &flat.env)?, &flat.schema()?)?;
        flat.filters.extend(split_conjunction_owned(predicate));
        return Ok(flat);
    }
    for branch in &mut flat.branches {
        branch.filters.push(substitute(predicate.clone(), schema, &branch.columns)?);
    }
    Ok(flat)
}

/// An expression with each column replaced by what it stands for, aliases removed.
pub(super) fn substitute(expr: Expr, schema: &DFSchema, env: &[Expr]) -> DataFusionResult<Expr> {
    expr.transform_up(|expr| match expr {
        Expr::Column(column) => {
            let index = schema.index_of_column(&column)?;
            env.get(index).cloned().map(Transformed::yes).ok_or_else(|| {
                datafusion_common::DataFusionError::Internal(format!(
                    "column {column} lies outside its relation"
                ))
            })
        }
        Expr::Alias(alias) => Ok(Transformed::yes(*alias.expr)),
        other => Ok(Transformed::no(other)),
    })
    .map(|transformed| transformed.data)
}

/// Columns that internal topics add to a view's own: the source's place in the SQL, the record time, and whether the
/// row lies before the view's start.
pub(crate) mod hidden {
    pub(crate) const BRANCH: &str = "_branch";
    pub(crate) const TIME: &str = "_time";
    pub(crate) const WARM: &str = "_warm";
    pub(crate) const ALL: [&str; 3] = [BRANCH, TIME, WARM];
}

/// `wanted` as a name that Avro accepts and nothing else has.
pub(super) fn unique_name(wanted: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut name: String =
        wanted.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    if name.chars().next().is_none_or(|c| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    let stem = name.clone();
    let mut n = 1;
    while taken(&name) || hidden::ALL.contains(&name.as_str()) {
        n += 1;
        name = format!("{stem}_{n}");
    }
    name
}

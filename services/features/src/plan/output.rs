//! The view's columns: names, types that every format has, and whether they can be NULL.

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{Column, DFSchema, Result, ScalarValue};
use datafusion_expr::{Expr, ExprSchemable, cast};
use millrace_schemas::TopicSchema;

use super::relation::{Flat, Slot, hidden};
use super::simplify::simplify;
use crate::sql::{Refusal, Sites};

/// A column that the view emits.
#[derive(Debug, Clone)]
pub struct OutputColumn {
    /// Its name in the SQL.
    pub name: String,
    /// Its value, over slots.
    pub expr: Expr,
    /// Its type.
    pub data_type: DataType,
    /// Whether it can be NULL.
    pub nullable: bool,
}

/// The Arrow schema of the outputs.
pub(super) fn schema(outputs: &[OutputColumn]) -> Schema {
    Schema::new(
        outputs.iter().map(|o| Field::new(&o.name, o.data_type.clone(), o.nullable)).collect::<Vec<_>>(),
    )
}

/// The outputs of a flat view. Windows that are an output as they are take its name.
pub(super) fn outputs(flat: &mut Flat, schema: &DFSchema) -> Result<Vec<OutputColumn>> {
    columns(flat, schema.fields().iter().map(|field| field.name().clone()).collect())
}

/// Outputs that no topic can have: by name, by type, and for want of the topic's key.
pub(super) fn refusals(outputs: &[OutputColumn], key: Option<&str>, sites: &Sites) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for (i, output) in outputs.iter().enumerate() {
        if let Some(message) = fault(outputs, i, sites) {
            refusals.push(Refusal::new(sites.output(i, outputs.len(), &output.name), message));
        }
    }
    if let Some(key) = key.filter(|key| !outputs.iter().any(|output| output.name == *key)) {
        refusals.push(Refusal::new(
            sites.start(),
            format!("the output lacks the topic's key column {key}; select it"),
        ));
    }
    refusals
}

fn fault(outputs: &[OutputColumn], i: usize, sites: &Sites) -> Option<String> {
    let OutputColumn { name, data_type, nullable, .. } = &outputs[i];
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_plain && !sites.is_named(i, outputs.len()) {
        return Some("the column has no name; give it one with AS".to_owned());
    }
    if outputs[..i].iter().any(|other| other.name == *name) {
        return Some(format!("two output columns are called {name}; rename one with AS"));
    }
    if hidden::ALL.contains(&name.as_str()) || name == "_version" {
        return Some(format!("{name} is a name that Millrace keeps for itself; rename the column with AS"));
    }
    let column = Schema::new(vec![Field::new(name, data_type.clone(), *nullable)]);
    match TopicSchema::derive("view", "column", &column) {
        Err(millrace_schemas::Error::Schema(message)) => Some(message),
        Err(other) => Some(other.to_string()),
        Ok(_) => None,
    }
}

fn columns(flat: &mut Flat, names: Vec<String>) -> Result<Vec<OutputColumn>> {
    let schema = flat.schema()?;
    let env = std::mem::take(&mut flat.env);
    let mut exprs = env.into_iter().map(|expr| simplify(expr, &schema)).collect::<Result<Vec<_>>>()?;
    name_windows(flat, &names, &mut exprs)?;
    let schema = emitted_schema(flat)?;
    names
        .into_iter()
        .zip(exprs)
        .map(|(name, expr)| {
            let declared = expr.get_type(&schema)?;
            let data_type = portable(&declared);
            let nullable = expr.nullable(&schema)?;
            let expr = if data_type == declared { expr } else { cast(expr, data_type.clone()) };
            Ok(OutputColumn { name, expr, data_type, nullable })
        })
        .collect()
}

/// The slots as they are in rows that are emitted: a branch that only changes state has no say in what can be NULL.
fn emitted_schema(flat: &Flat) -> Result<DFSchema> {
    let schema = flat.schema()?;
    let emitted = super::reach::emitted(flat);
    let mut emitting = Vec::new();
    for branch in &flat.branches {
        let never = match &emitted {
            Some(emitted) => {
                let condition = super::relation::substitute(emitted.clone(), &schema, &branch.columns)?;
                is_never(&simplify(condition, &branch.source_schema)?)
            }
            None => false,
        };
        if !never {
            emitting.push(branch);
        }
    }
    let mut slots: Vec<Slot> = flat.slots().cloned().collect();
    for (i, slot) in slots.iter_mut().enumerate().take(flat.base.len()) {
        let nullable = emitting.iter().map(|branch| branch.columns[i].nullable(&branch.source_schema));
        slot.nullable = nullable.collect::<Result<Vec<bool>>>()?.contains(&true);
    }
    super::relation::slot_schema(slots.iter())
}

/// Whether a condition is false or NULL, whatever the row.
fn is_never(condition: &Expr) -> bool {
    match condition {
        Expr::Literal(value, _) => value.is_null() || *value == ScalarValue::Boolean(Some(false)),
        _ => false,
    }
}

/// Gives each window the name of the output that it is, so that internal topics read well.
fn name_windows(flat: &mut Flat, names: &[String], outputs: &mut [Expr]) -> Result<()> {
    for i in 0..flat.windows.len() {
        let old = flat.windows[i].slot.name.clone();
        let output =
            outputs.iter().position(|expr| matches!(expr, Expr::Column(column) if column.name == old));
        let Some(new) = output.map(|output| &names[output]) else { continue };
        let valid =
            super::relation::unique_name(new, |name| flat.slots().any(|slot| slot.name == name)) == *new;
        if !valid {
            continue;
        }
        flat.windows[i].slot.name.clone_from(new);
        for window in &mut flat.windows {
            for expr in window.argument.iter_mut().chain(&mut window.filter) {
                rename(expr, &old, new)?;
            }
        }
        for expr in outputs.iter_mut().chain(&mut flat.filters) {
            rename(expr, &old, new)?;
        }
    }
    Ok(())
}

fn rename(expr: &mut Expr, old: &str, new: &str) -> Result<()> {
    *expr = std::mem::take(expr)
        .transform_up(|expr| match expr {
            Expr::Column(column) if column.name == old => {
                Ok(Transformed::yes(Expr::Column(Column::new_unqualified(new))))
            }
            other => Ok(Transformed::no(other)),
        })?
        .data;
    Ok(())
}

/// The type that topics and files have for it.
fn portable(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::Int8 | DataType::Int16 | DataType::UInt8 | DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::Float16 => DataType::Float32,
        DataType::Timestamp(TimeUnit::Second, zone) => {
            DataType::Timestamp(TimeUnit::Millisecond, zone.clone())
        }
        DataType::Timestamp(TimeUnit::Nanosecond, zone) => {
            DataType::Timestamp(TimeUnit::Microsecond, zone.clone())
        }
        DataType::Date64 => DataType::Date32,
        other => other.clone(),
    }
}

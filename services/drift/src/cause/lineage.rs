//! What a feature view's plan says of its columns: which are computed from which.

use std::collections::BTreeMap;

use millrace_features::plan::Plan;

use super::Depends;

/// The columns of a view, and of what it computes them: other columns of the view, and what it reads of its sources
/// where that is no column by itself. `outcome`: the topic and column that labels come in.
pub fn of_view(plan: &Plan, outcome: Option<(&str, &str)>) -> Depends {
    let label = |slot: &str| {
        let is_slot = |column: &String| column == slot;
        let output = plan.outputs.iter().find(|output| bare(&output.expr).as_ref().is_some_and(is_slot));
        output.map_or_else(|| slot.to_owned(), |output| output.name.clone())
    };
    let mut direct: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for window in &plan.windows {
        let partition = window.partition.iter().filter_map(|slot| Some(plan.slots.get(*slot)?.name.clone()));
        let read = window.argument.iter().chain(&window.filter).flat_map(|expr| expr.column_refs());
        let sources = partition.chain(read.into_iter().map(|column| column.name.clone()));
        direct.insert(label(&window.slot.name), sources.map(|slot| label(&slot)).collect());
    }
    for output in plan.outputs.iter().filter(|output| bare(&output.expr).is_none()) {
        let sources = output.expr.column_refs().into_iter().map(|column| label(&column.name));
        direct.insert(output.name.clone(), sources.collect());
    }
    let labels = outcome.map(|(topic, column)| slots_of(plan, topic, column)).unwrap_or_default();
    let labels: Vec<String> = labels.iter().map(|slot| label(slot)).collect();
    Depends::new(&direct, &labels)
}

/// The name of the column that an expression is, and nothing else.
fn bare<E: std::fmt::Display>(expr: &E) -> Option<String> {
    let text = expr.to_string();
    text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_').then_some(text)
}

/// The branch columns that hold a source's column.
fn slots_of(plan: &Plan, topic: &str, column: &str) -> Vec<String> {
    let read = plan.sources.iter().zip(&plan.branches).filter(|(source, _)| source.name == topic);
    let columns = read.flat_map(|(_, branch)| plan.slots.iter().zip(&branch.columns));
    let holds = columns.filter(|(_, expr)| expr.column_refs().iter().any(|read| read.name == column));
    holds.map(|(slot, _)| slot.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;

    use super::*;

    #[test]
    fn the_fraud_view_tells_what_its_columns_are_computed_from() {
        let topics = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../topics");
        let app = millrace_topics::load(&topics, "fraud").unwrap();
        let view = millrace_features::plan_view(&app, app.topic("features").unwrap()).unwrap();
        let depends = of_view(&view.plan, Some(("labels", "fraud")));
        assert!(depends.on("customer_avg_7d", "amount") && depends.on("customer_avg_7d", "customer_id"));
        assert!(depends.on("terminal_risk_30d", "terminal_tx_30d"));
        assert!(depends.on("terminal_tx_1d", "terminal_id") && !depends.on("terminal_tx_1d", "amount"));
        assert!(depends.is_of_labels("terminal_risk_1d") && !depends.is_of_labels("terminal_tx_1d"));
        assert!(!depends.on("amount", "customer_avg_7d") && !depends.is_of_labels("amount"));
    }
}

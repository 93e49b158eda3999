//! Which stage decides which columns of a view, so that they can be computed again from that stage's input alone.

use datafusion_expr::Expr;

use super::{Plan, Step};

/// Columns that one stage decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Index of the stage.
    pub stage: usize,
    /// The output column that is the stage's key: rows of one value are all in one of its partitions.
    pub key: String,
    /// The output columns whose last part this stage computes, in the view's order.
    pub columns: Vec<String>,
}

impl Plan {
    /// Per stage the columns that it decides: those that need no later stage, and of which an earlier one does not know
    /// everything. Stages whose key, or any of `also`, is not among the columns that they know are left out, and so are
    /// those that do not know which of their rows are emitted in the end.
    pub fn decided(&self, also: &[&str]) -> Vec<Decided> {
        let mut decided = Vec::new();
        let mut before: Vec<&str> = Vec::new();
        for stage in 0..self.stages.len() {
            let known = self.known_after(stage);
            let can = |name: &&str| known.contains(name);
            let columns: Vec<String> =
                known.iter().filter(|name| !before.contains(name)).map(|name| (*name).to_owned()).collect();
            let key = self.key_column(stage).filter(|key| known.contains(key));
            let sees_filters = self.filters_after(stage).iter().all(|filter| self.is_known(filter, stage));
            if let Some(key) = key.filter(|_| sees_filters && !columns.is_empty() && also.iter().all(can)) {
                decided.push(Decided { stage, key: key.to_owned(), columns });
                before = known;
            }
        }
        decided
    }

    /// Filters of later stages.
    pub(crate) fn filters_after(&self, stage: usize) -> Vec<&Expr> {
        let later = self.stages.iter().skip(stage + 1).flat_map(|stage| &stage.steps);
        let filters = later.filter_map(|step| match step {
            Step::Filter(expr) => Some(expr),
            Step::Windows(_) => None,
        });
        filters.collect()
    }

    /// The outputs that can be evaluated over the rows that a stage gives.
    fn known_after(&self, stage: usize) -> Vec<&str> {
        let known = self.outputs.iter().filter(|output| self.is_known(&output.expr, stage));
        known.map(|output| output.name.as_str()).collect()
    }

    fn is_known(&self, expr: &Expr, stage: usize) -> bool {
        let Some(stage) = self.stages.get(stage) else { return false };
        let windows = stage.steps.iter().flat_map(|step| match step {
            Step::Windows(group) => group.windows.as_slice(),
            Step::Filter(_) => &[],
        });
        let slots: Vec<usize> =
            stage.input.iter().copied().chain(windows.map(|window| self.window_slot(*window))).collect();
        expr.column_refs().iter().all(|column| slots.iter().any(|slot| self.slots[*slot].name == column.name))
    }

    /// The output column that holds a stage's key as it is.
    fn key_column(&self, stage: usize) -> Option<&str> {
        let is = |slot: usize, expr: &Expr| matches!(expr, Expr::Column(column) if column.name == self.slots[slot].name);
        let mut keys = self.key_slots(stage).into_iter();
        keys.find_map(|slot| self.outputs.iter().find(|output| is(slot, &output.expr)))
            .map(|output| output.name.as_str())
    }

    /// The slots that hold a stage's key: of the source stage those that are every source's key.
    pub(crate) fn key_slots(&self, stage: usize) -> Vec<usize> {
        if let Some(key) = self.stages.get(stage).and_then(|stage| stage.key) {
            return vec![key];
        }
        let is_key = |slot: &usize| {
            self.branches.iter().zip(&self.sources).all(|(branch, source)| {
                matches!(branch.columns.get(*slot), Some(Expr::Column(column)) if column.name == source.key)
            })
        };
        (0..self.branch_columns).filter(is_key).collect()
    }
}

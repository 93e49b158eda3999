//! One shallow tree.

use super::split::{Histogram, Split};
use super::{Codes, Limits, Slopes};

/// A tree. A node adds its value to a row's score if it is a leaf.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tree {
    value: f64,
    split: Option<Box<Branch>>,
}

/// Rows with a code of at most `last_left` in the column go to the first side.
#[derive(Debug, Clone, PartialEq)]
struct Branch {
    column: usize,
    last_left: u8,
    sides: [Tree; 2],
}

/// What a tree is grown from.
pub(crate) struct Growth<'a> {
    pub codes: &'a Codes,
    pub slopes: &'a Slopes,
    pub columns: &'a [usize],
    pub limits: Limits,
}

impl Growth<'_> {
    /// The tree that lowers the loss of some rows.
    pub fn tree(&self, rows: &[u32]) -> Tree {
        self.node(rows, 0.0, self.limits.depth)
    }

    fn node(&self, rows: &[u32], value: f64, depth: u32) -> Tree {
        let found = if depth == 0 { None } else { self.best(rows) };
        let Some((column, split)) = found else { return Tree { value, split: None } };
        let goes_left = |row: &u32| self.codes.column(column)[*row as usize] <= split.last;
        let (left, right): (Vec<u32>, Vec<u32>) = rows.iter().copied().partition(goes_left);
        let side = |rows: &[u32], value: f64| self.node(rows, value * self.limits.rate, depth - 1);
        let [a, b] = [split.left, split.right].map(|total| total.value(self.limits.penalty));
        let sides = [side(&left, a), side(&right, b)];
        Tree { value, split: Some(Box::new(Branch { column, last_left: split.last, sides })) }
    }

    /// The best split by any column, the first of equal ones.
    fn best(&self, rows: &[u32]) -> Option<(usize, Split)> {
        let slopes = self.slopes.of(rows);
        let mut histogram = Histogram::new(self.limits);
        let mut best: Option<(usize, Split)> = None;
        for column in self.columns {
            let split = histogram.of(self.codes.column(*column), rows, &slopes).best();
            if let Some(split) = split
                && best.is_none_or(|(_, b)| split.gain > b.gain)
            {
                best = Some((*column, split));
            }
        }
        best
    }

    /// By how much a tree's splits lower the loss of other rows, to second order: added to `gains` by column.
    pub fn gains(&self, tree: &Tree, rows: &[u32], gains: &mut [f64]) {
        let Some(branch) = &tree.split else { return };
        let loss = |row: usize, value: f64| {
            self.slopes.gradient[row] * value + 0.5 * self.slopes.curvature[row] * value * value
        };
        let (left, right): (Vec<u32>, Vec<u32>) = rows
            .iter()
            .copied()
            .partition(|row| branch.is_left(self.codes.column(branch.column)[*row as usize]));
        for (side, rows) in branch.sides.iter().zip([left, right]) {
            let gain = |row: &u32| loss(*row as usize, tree.value) - loss(*row as usize, side.value);
            gains[branch.column] += rows.iter().map(gain).sum::<f64>();
            self.gains(side, &rows, gains);
        }
    }
}

impl Branch {
    fn is_left(&self, code: u8) -> bool {
        code <= self.last_left
    }
}

impl Tree {
    /// What a row's score grows by; `code(column)` is its bin.
    pub fn value(&self, code: impl Fn(usize) -> u8) -> f64 {
        let mut node = self;
        while let Some(branch) = &node.split {
            node = &branch.sides[usize::from(!branch.is_left(code(branch.column)))];
        }
        node.value
    }
}

//! One shallow tree.

use super::split::{Histogram, Split};
use super::{Boosted, Codes, LEARNING_RATE, Slopes};

/// What a tree is grown from.
pub(super) struct Tree<'a> {
    pub codes: &'a Codes,
    pub slopes: &'a Slopes,
    pub columns: &'a [usize],
}

/// The rows that reach a node, and what it adds to their score if it stays a leaf.
pub(super) struct Node {
    pub train: Vec<u32>,
    pub held: Vec<u32>,
    pub value: f64,
}

impl Tree<'_> {
    /// Splits the node as often as `depth` says, then adds its leaves' values to the scores of their rows.
    pub fn grow(&self, node: Node, depth: u32, boosted: &mut Boosted) {
        let found = if depth == 0 { None } else { self.best(&node.train) };
        let Some((column, split)) = found else {
            for row in node.train.iter().chain(&node.held) {
                boosted.scores[*row as usize] += node.value;
            }
            return;
        };
        let goes_left = |row: &u32| self.codes.column(column)[*row as usize] <= split.last;
        let (train_left, train_right) = node.train.iter().partition(|row| goes_left(row));
        let (held_left, held_right) = node.held.iter().partition(|row| goes_left(row));
        let [left, right] = [split.left, split.right].map(|side| side.value() * LEARNING_RATE);
        let left = Node { train: train_left, held: held_left, value: left };
        let right = Node { train: train_right, held: held_right, value: right };
        boosted.gains[column] += self.gain_of_held(&left, node.value) + self.gain_of_held(&right, node.value);
        self.grow(left, depth - 1, boosted);
        self.grow(right, depth - 1, boosted);
    }

    /// The best split by any column, the first of equal ones.
    fn best(&self, rows: &[u32]) -> Option<(usize, Split)> {
        let mut histogram = Histogram::default();
        let mut best: Option<(usize, Split)> = None;
        for column in self.columns {
            let split = histogram.of(self.codes.column(*column), self.slopes, rows).best();
            if let Some(split) = split
                && best.is_none_or(|(_, b)| split.gain > b.gain)
            {
                best = Some((*column, split));
            }
        }
        best
    }

    /// By how much the loss of the rows held out falls, to second order, if a node gives its own value and not `before`.
    fn gain_of_held(&self, node: &Node, before: f64) -> f64 {
        let loss = |row: usize, value: f64| {
            self.slopes.gradient[row] * value + 0.5 * self.slopes.curvature[row] * value * value
        };
        node.held.iter().map(|row| loss(*row as usize, before) - loss(*row as usize, node.value)).sum()
    }
}

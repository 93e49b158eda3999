//! A small regression tree on binned columns.

use super::bins::Bins;

const DEPTH: usize = 3;
/// Rows that each side of a split needs.
const LEAF_ROWS: f64 = 20.0;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    Leaf(f64),
    Split { column: usize, last_left: u8, sides: Box<[Tree; 2]> },
}

/// Rows and the sum of their targets.
#[derive(Clone, Copy, Default)]
struct Sums {
    rows: f64,
    target: f64,
}

impl Sums {
    fn add(&mut self, rows: f64, target: f64) {
        self.rows += rows;
        self.target += target;
    }

    /// What predicting the mean takes off the sum of squares.
    fn explained(self) -> f64 {
        if self.rows > 0.0 { self.target * self.target / self.rows } else { 0.0 }
    }
}

impl Tree {
    /// Fits the targets of `rows`; leaves hold their mean times `rate`.
    pub(super) fn fit(binned: &[u8], bins: &Bins, targets: &[f64], rows: &[usize], rate: f64) -> Self {
        Self::grow(binned, bins, targets, rows, rate, DEPTH)
    }

    fn grow(binned: &[u8], bins: &Bins, targets: &[f64], rows: &[usize], rate: f64, depth: usize) -> Self {
        let total = rows.iter().fold(Sums::default(), |mut sums, row| {
            sums.add(1.0, targets[*row]);
            sums
        });
        let split = if depth > 0 { best_split(binned, bins, targets, rows, total) } else { None };
        let Some((column, last_left)) = split else {
            return Self::Leaf(rate * total.target / total.rows.max(1.0));
        };
        let is_left = |row: &usize| binned[row * bins.columns() + column] <= last_left;
        let (left, right): (Vec<usize>, Vec<usize>) = rows.iter().copied().partition(is_left);
        let side = |rows: &[usize]| Self::grow(binned, bins, targets, rows, rate, depth - 1);
        Self::Split { column, last_left, sides: Box::new([side(&left), side(&right)]) }
    }

    /// The value at a row's bins.
    pub(super) fn value(&self, row: &[u8]) -> f64 {
        match self {
            Self::Leaf(value) => *value,
            Self::Split { column, last_left, sides } => {
                sides[usize::from(row[*column] > *last_left)].value(row)
            }
        }
    }
}

/// The column, and the last bin that goes left, that explain most; `None` if nothing does.
fn best_split(
    binned: &[u8],
    bins: &Bins,
    targets: &[f64],
    rows: &[usize],
    total: Sums,
) -> Option<(usize, u8)> {
    // Rounding alone must not split a constant.
    let mut best = total.explained() * (1.0 + 1e-9) + f64::MIN_POSITIVE;
    let mut split = None;
    for column in 0..bins.columns() {
        let mut histogram = vec![Sums::default(); bins.count(column)];
        for row in rows {
            histogram[usize::from(binned[row * bins.columns() + column])].add(1.0, targets[*row]);
        }
        let mut left = Sums::default();
        for (bin, sums) in histogram.iter().enumerate() {
            left.add(sums.rows, sums.target);
            let right = Sums { rows: total.rows - left.rows, target: total.target - left.target };
            let explained = left.explained() + right.explained();
            if left.rows >= LEAF_ROWS && right.rows >= LEAF_ROWS && explained > best {
                best = explained;
                split = Some((column, bin as u8));
            }
        }
    }
    split
}

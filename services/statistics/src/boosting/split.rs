//! The best split of some rows by one column.

use super::{Limits, Slope};

/// Gradient, curvature and rows of a set of rows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Total {
    gradient: f64,
    curvature: f64,
    rows: u32,
}

impl Total {
    /// By how much the best common value lowers the loss of these rows, doubled.
    fn gain(self, penalty: f64) -> f64 {
        self.gradient * self.gradient / (self.curvature + penalty)
    }

    /// The value that lowers the loss most.
    pub fn value(self, penalty: f64) -> f64 {
        -self.gradient / (self.curvature + penalty)
    }

    fn without(self, other: Self) -> Self {
        Self {
            gradient: self.gradient - other.gradient,
            curvature: self.curvature - other.curvature,
            rows: self.rows - other.rows,
        }
    }

    fn add(&mut self, other: Self) {
        self.gradient += other.gradient;
        self.curvature += other.curvature;
        self.rows += other.rows;
    }
}

/// Rows with a code of at most `last` go left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Split {
    pub last: u8,
    pub gain: f64,
    pub(super) left: Total,
    pub(super) right: Total,
}

/// Totals by code of one column, reused from column to column.
pub(crate) struct Histogram {
    totals: Vec<Total>,
    limits: Limits,
}

impl Histogram {
    /// Empty.
    pub fn new(limits: Limits) -> Self {
        Self { totals: vec![Total::default(); limits.bins + 1], limits }
    }

    /// Counts some rows of a column; `slopes` are theirs, in their order.
    pub fn of(&mut self, codes: &[u8], rows: &[u32], slopes: &[Slope]) -> &Self {
        self.totals.fill(Total::default());
        for (row, (gradient, curvature)) in rows.iter().zip(slopes) {
            let here = Total { gradient: *gradient, curvature: *curvature, rows: 1 };
            self.totals[usize::from(codes[*row as usize])].add(here);
        }
        self
    }

    /// The split of most gain, the first of equal ones; none that lowers the loss by more than rounding does.
    pub fn best(&self) -> Option<Split> {
        let Limits { fewest_rows, penalty, .. } = self.limits;
        let mut all = Total::default();
        self.totals.iter().for_each(|total| all.add(*total));
        let least = 1e-9 * (1.0 + all.gain(penalty));
        let (mut left, mut best) = (Total::default(), None::<Split>);
        for (code, here) in self.totals.iter().enumerate() {
            left.add(*here);
            let right = all.without(left);
            if here.rows == 0 || left.rows < fewest_rows || right.rows < fewest_rows {
                continue;
            }
            let gain = left.gain(penalty) + right.gain(penalty) - all.gain(penalty);
            if gain > best.map_or(least, |b| b.gain) {
                best = Some(Split { last: code as u8, gain, left, right });
            }
        }
        best
    }
}

//! The best split of some rows by one column.

use super::Slopes;

/// A leaf's value is shrunk as if by so much curvature at 0.
const PENALTY: f64 = 1.0;
/// A side of a split has at least as many rows.
const FEWEST_ROWS: u32 = 10;
/// As many as a code has values.
const CODES: usize = 256;

/// Gradient, curvature and rows of a set of rows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Total {
    pub gradient: f64,
    pub curvature: f64,
    pub rows: u32,
}

impl Total {
    /// By how much the best common value lowers the loss of these rows, doubled.
    fn gain(self) -> f64 {
        self.gradient * self.gradient / (self.curvature + PENALTY)
    }

    /// The value that lowers the loss most.
    pub fn value(self) -> f64 {
        -self.gradient / (self.curvature + PENALTY)
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
pub(super) struct Split {
    pub last: u8,
    pub gain: f64,
    pub left: Total,
    pub right: Total,
}

/// Totals by code of one column, reused from column to column.
pub(super) struct Histogram(Vec<Total>);

impl Default for Histogram {
    fn default() -> Self {
        Self(vec![Total::default(); CODES])
    }
}

impl Histogram {
    /// Counts some rows of a column.
    pub fn of(&mut self, codes: &[u8], slopes: &Slopes, rows: &[u32]) -> &Self {
        self.0.fill(Total::default());
        for row in rows {
            let row = *row as usize;
            let here = Total { gradient: slopes.gradient[row], curvature: slopes.curvature[row], rows: 1 };
            self.0[usize::from(codes[row])].add(here);
        }
        self
    }

    /// The split of most gain, the first of equal ones; none that lowers the loss.
    pub fn best(&self) -> Option<Split> {
        let mut all = Total::default();
        self.0.iter().for_each(|total| all.add(*total));
        let (mut left, mut best) = (Total::default(), None::<Split>);
        for (code, here) in self.0.iter().enumerate() {
            left.add(*here);
            let right = all.without(left);
            if here.rows == 0 || left.rows < FEWEST_ROWS || right.rows < FEWEST_ROWS {
                continue;
            }
            let gain = left.gain() + right.gain() - all.gain();
            if gain > best.map_or(1e-9, |b| b.gain) {
                best = Some(Split { last: code as u8, gain, left, right });
            }
        }
        best
    }
}

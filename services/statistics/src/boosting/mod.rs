//! Gradient boosting of shallow trees on binned columns (Friedman, "Greedy function approximation: a gradient boosting
//! machine", Annals of Statistics 29, 2001): what its users with different losses share. A row's loss is known by its
//! gradient and curvature at the row's present score.

mod codes;
mod split;
mod tree;

pub(crate) use codes::{Bins, Codes};
pub(crate) use split::Histogram;
pub(crate) use tree::{Growth, Tree};

/// Gradient and curvature of each row's loss at its present score.
pub(crate) struct Slopes {
    pub gradient: Vec<f64>,
    pub curvature: Vec<f64>,
}

/// One row's gradient and curvature.
pub(crate) type Slope = (f64, f64);

impl Slopes {
    /// Of some rows, side by side: every column reads them again.
    pub fn of(&self, rows: &[u32]) -> Vec<Slope> {
        rows.iter().map(|row| (self.gradient[*row as usize], self.curvature[*row as usize])).collect()
    }
}

/// What keeps trees small.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Bins of present values per column.
    pub bins: usize,
    /// Splits between the root and a leaf.
    pub depth: u32,
    /// A side of a split has at least as many rows.
    pub fewest_rows: u32,
    /// A leaf's value is shrunk as if by so much curvature at 0.
    pub penalty: f64,
    /// How fast scores move.
    pub rate: f64,
}

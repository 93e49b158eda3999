//! Columns cut at their quantiles.

const MOST: usize = 64;

/// Per column, ascending edges between bins. Bin 0 holds missing values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bins {
    edges: Vec<Vec<f64>>,
}

impl Bins {
    pub(super) fn of(features: &[f64], columns: usize) -> Self {
        let edges = (0..columns).map(|column| {
            let values = features.iter().skip(column).step_by(columns);
            let mut sorted: Vec<f64> = values.copied().filter(|value| !value.is_nan()).collect();
            sorted.sort_unstable_by(f64::total_cmp);
            let mut edges: Vec<f64> =
                (1..MOST - 1).filter_map(|i| sorted.get(i * sorted.len() / (MOST - 1)).copied()).collect();
            edges.dedup();
            edges
        });
        Self { edges: edges.collect() }
    }

    pub(super) fn columns(&self) -> usize {
        self.edges.len()
    }

    /// How many bins a column has.
    pub(super) fn count(&self, column: usize) -> usize {
        self.edges[column].len() + 2
    }

    /// Every row's bins, row-major.
    pub(super) fn rows(&self, features: &[f64]) -> Vec<u8> {
        features.chunks(self.columns().max(1)).flat_map(|row| self.row(row)).collect()
    }

    pub(super) fn row(&self, row: &[f64]) -> Vec<u8> {
        let bin = |(column, edges): (usize, &Vec<f64>)| match row.get(column) {
            Some(value) if !value.is_nan() => 1 + edges.partition_point(|edge| edge <= value) as u8,
            _ => 0,
        };
        self.edges.iter().enumerate().map(bin).collect()
    }
}

//! Columns as bin numbers.

/// Bins of present values; one more is for missing ones.
const BINS: usize = 32;

/// Per column and row the number of its bin: 0 = missing, then ascending.
pub(in crate::two_sample::dataset) struct Codes(Vec<Vec<u8>>);

impl Codes {
    /// Bins of about equal frequency over both windows, whose rows follow each other.
    pub fn of(windows: [&[Vec<f64>]; 2]) -> Self {
        Self(
            windows[0]
                .iter()
                .zip(windows[1])
                .map(|(reference, current)| encode(reference, current))
                .collect(),
        )
    }

    /// How many columns.
    pub fn columns(&self) -> usize {
        self.0.len()
    }

    /// The bins of a column.
    pub fn column(&self, column: usize) -> &[u8] {
        &self.0[column]
    }

    /// Whether no column has two bins.
    pub fn are_constant(&self) -> bool {
        self.0.iter().all(|column| column.windows(2).all(|pair| pair[0] == pair[1]))
    }
}

fn encode(reference: &[f64], current: &[f64]) -> Vec<u8> {
    let values = || reference.iter().chain(current).copied();
    let mut sorted: Vec<f64> = values().filter(|v| !v.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    // Bin k > 0 holds edges[k-2] < value <= edges[k-1].
    let mut edges: Vec<f64> =
        (1..BINS).filter_map(|k| sorted.get(k * sorted.len() / BINS).copied()).collect();
    edges.dedup();
    let code = |v: f64| if v.is_nan() { 0 } else { edges.partition_point(|edge| *edge < v) as u8 + 1 };
    values().map(code).collect()
}

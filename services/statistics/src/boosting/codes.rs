//! Columns as bin numbers.

/// The bins of some columns, each of about equal frequency; bin 0 holds missing values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bins {
    /// Per column: bin k > 0 holds `edges[k-2] < value <= edges[k-1]`.
    edges: Vec<Vec<f64>>,
}

/// Per column and row the number of its bin.
pub(crate) struct Codes(Vec<Vec<u8>>);

impl Bins {
    /// At most `bins` (below 256) of present values per column.
    pub fn of<C: Iterator<Item = f64>>(columns: impl Iterator<Item = C>, bins: usize) -> Self {
        let edges = columns.map(|values| {
            let mut sorted: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
            sorted.sort_unstable_by(f64::total_cmp);
            let at = |k: usize| sorted.get(k * sorted.len() / bins).copied();
            let mut edges: Vec<f64> = (1..bins).filter_map(at).collect();
            edges.dedup();
            edges
        });
        Self { edges: edges.collect() }
    }

    /// The bin of a value of a column.
    pub fn code(&self, column: usize, value: f64) -> u8 {
        match value.is_nan() {
            true => 0,
            false => self.edges[column].partition_point(|edge| *edge < value) as u8 + 1,
        }
    }
}

impl Codes {
    /// Of the columns that the bins were made for.
    pub fn of<C: Iterator<Item = f64>>(bins: &Bins, columns: impl Iterator<Item = C>) -> Self {
        let codes = |(column, values): (usize, C)| values.map(|value| bins.code(column, value)).collect();
        Self(columns.enumerate().map(codes).collect())
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

//! Statistics of counts in cells: bins of numbers, or categories.

mod bins;
mod cells;
mod chi_square;
mod divergence;

pub use bins::{bin_counts, quantile_edges};
pub(super) use cells::cells;
pub(super) use chi_square::chi_square;
pub(super) use divergence::{hellinger, jensen_shannon, population_stability_index, total_variation};

//! Metrics of classifiers with more than two classes.

mod average;
mod counts;
mod scores;

pub use average::Average;
pub use counts::ClassCounts;

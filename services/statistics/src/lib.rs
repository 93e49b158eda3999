//! Statistics that services share, as pure functions: no I/O, no clock, no randomness but a seed given as argument.
//!
//! - [`sample`]: what is compared: values or categories with their counts;
//! - [`distribution`]: distribution functions that p-values need;
//! - [`two_sample`]: whether, and by how much, two samples differ;
//! - [`detectors`]: change detectors that watch a sequence of values;
//! - [`performance`]: how good predictions are, with intervals; fairness; estimates before labels come.

pub mod detectors;
pub mod distribution;
pub mod performance;
pub mod sample;
pub mod two_sample;

//! Statistics that services share, as pure functions: no I/O, no clock, no randomness but a seed given as argument.
//!
//! - [`sample`]: what is compared: values or categories with their counts;
//! - [`distribution`]: distribution functions that p-values need;
//! - [`two_sample`]: whether, and by how much, two samples differ;
//! - [`exact_sum`]: sums that do not depend on the order of what they add;
//! - [`random`]: seeded draws that are the same on every machine;
//! - [`bisect`]: ends of intervals that are defined by a test;
//! - [`decode`]: bytes of states;
//! - [`detectors`]: change detectors that watch a sequence of values;
//! - [`performance`]: how good predictions are, with intervals; fairness; estimates before labels come.

pub mod bisect;
mod boosting;
pub mod decode;
pub mod detectors;
pub mod distribution;
pub mod exact_sum;
pub mod performance;
pub mod random;
pub mod sample;
pub mod two_sample;

pub use decode::DecodeError;

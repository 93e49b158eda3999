//! How late labels come, and whether they have stopped.

mod buckets;
mod curve;
mod stopped;

pub use curve::DelayCurve;
pub use stopped::{Arrivals, coverage, dispersion, stopped};

//! How often change detectors cry wolf, and how late they are, on streams whose changes are known.

mod calibration;
mod streams;
mod table;
mod trial;

pub use calibration::calibrated;
pub use table::table;

//! The Kolmogorov-Smirnov statistic's distributions.

mod matrix;
mod one_sample;
mod pelz_good;
mod two_sample;

pub use one_sample::{one_sided_sf, sf};
pub use two_sample::two_sample_sf;

pub(crate) use super::lattice::gcd;

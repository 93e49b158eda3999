//! How good predictions are, with intervals; fairness; estimates before labels come.
//!
//! Every figure is a [`Measured`]: an [`Estimate`] (value, interval, how many rows carry it and how many it takes) or
//! the reason why there is none. No function here returns NaN.
//!
//! - [`ScoreCounts`]: scores with their outcomes, exact and mergeable; [`ScoreBins`]: the same on fixed edges;
//! - [`binary`], [`multiclass`], [`regression`], [`ranking`]: metrics once labels are there;
//! - [`fairness`]: differences between declared groups;
//! - [`estimated`]: performance before labels come (CBPE; direct loss estimation);
//! - [`delay`]: how late labels come, and whether they have stopped.

pub mod binary;
pub mod delay;
pub mod estimated;
pub mod fairness;
pub mod interval;
mod measured;
pub mod multiclass;
pub mod ranking;
pub mod regression;
mod score_bins;
mod score_counts;
mod special;

pub use crate::decode::DecodeError;
pub use measured::{Estimate, Interval, Measured, Undefined};
pub use score_bins::ScoreBins;
pub use score_counts::{Outcomes, ScoreCounts};

//! A window's profile against its reference: what drifted, by how much, and what could not be judged.
//!
//! An effect decides, a p-value never does: a subject has drifted if its effect exceeds the threshold that was
//! calibrated on stable windows ([`crate::calibrate`]). P-values assume independent rows, which no stream has; they are
//! shown, corrected over the window's columns.

mod about;
mod column;
mod cut;
mod detail;
mod grid;
mod joint;
mod measure;
mod quality;
mod thresholds;
mod window;

pub use about::About;
pub(crate) use column::cohen;
pub use column::{Measured, Pair, measure_column};
pub use cut::{Against, against};
pub use joint::{joint_measures, measure_joint};
pub use measure::{Measure, UnknownMeasure, default_measures};
pub use quality::{Stream, quality};
pub use thresholds::{Bound, Calibration, Key, Thresholds, ThresholdsError};
pub use window::{Inputs, Judgement, NotMeasured, Options, judge_window};

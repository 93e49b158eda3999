//! Metrics of binary classifiers, from [`ScoreCounts`](super::ScoreCounts).

mod auc;
mod average_precision;
mod calibration;
mod confusion;
mod loss;
mod top_k;

pub use auc::auc;
pub use average_precision::average_precision;
pub use calibration::{CalibrationBin, calibration_bins, expected_calibration_error};
pub use confusion::Confusion;
pub(super) use confusion::proportion;
pub use loss::{brier, log_loss};
pub use top_k::{precision_at_k, recall_at_k};

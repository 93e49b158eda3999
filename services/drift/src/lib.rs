//! Windows of features, predictions and outcomes, compared with a reference: what changed, why, and what to do.

pub mod report;

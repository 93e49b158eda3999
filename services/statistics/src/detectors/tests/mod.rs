//! Detectors against River and against their own promises.

mod contract;
mod golden;
mod saved;

//! Data files judged as windows are, or watched by a change detector.

pub mod compare;
pub mod detect;
mod ids;

pub use ids::ids;

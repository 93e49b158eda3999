//! Performance before labels come. Every figure assumes that P(y|x) is as it was: it says what a shift of the inputs
//! does to a metric, and nothing of concept drift.

mod cbpe;
mod direct;
mod isotonic;

pub use cbpe::Cbpe;
pub use direct::{LossModel, LossModelError};
pub use isotonic::Isotonic;

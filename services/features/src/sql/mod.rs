//! A view's SQL text: parsed, checked for what cannot run incrementally, and planned by DataFusion.

mod catalog;
mod planner;
mod refusal;
mod sites;
mod syntax;
mod window_syntax;

pub use catalog::Source;
pub use refusal::{Place, Refusal};

pub(crate) use planner::plan_sql;
pub(crate) use sites::Sites;

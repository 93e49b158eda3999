//! A view's SQL text: parsed, checked for what cannot run incrementally, and planned by DataFusion.

mod blame;
mod catalog;
mod conditions;
mod constants;
mod parse;
mod planner;
mod refusal;
mod sites;
mod syntax;
mod window_syntax;
mod words;

pub use catalog::Source;
pub use refusal::{Place, Refusal};

pub(crate) use blame::no_number;
pub(crate) use planner::{Planned, plan_sql};
pub(crate) use sites::Sites;
pub(crate) use words::words;

//! Where a task goes on: from what the last commit carries and what the log still holds.

mod fetch;
mod plan;

pub use fetch::{Found, check_partitions, look_up};
pub use plan::{InputStart, Known, TaskStart, plan};

//! One input partition of a task: from polled records to rows at hand.

mod buffer;
mod cut;
mod dedupe;
mod record;

pub use buffer::{Bounds, DecodeError, Next, Outcome, PartitionBuffer};
pub use cut::Cut;
pub use dedupe::Dedupe;
pub use record::RawBatch;

//! What tasks cause, kept until it is committed.

mod offsets;
mod pending;
mod store_writer;
mod topic;

pub use offsets::{InputCommit, TaskCommit, to_list};
pub use pending::{Cause, OutBatch, PendingBatch, RawRef, unnumbered};
pub use store_writer::{StoreWriter, TaskKey};
pub use topic::{EncodedRows, OutTopic, schema};

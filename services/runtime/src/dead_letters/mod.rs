//! Records that could not be processed, with the reason, their bytes and where they came from.

mod letter;
mod list;
mod writer;

pub(crate) use letter::Letter;
pub use list::list;
pub(crate) use writer::DeadLetters;

//! Records that could not be processed, with the reason, their bytes and where they came from.

mod letter;
mod writer;

pub use letter::Letter;
pub use writer::DeadLetters;

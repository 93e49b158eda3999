//! Which windows a row belongs to, and the profiles of those that are open.

mod open;
mod panes;
mod rows;
mod segment;
mod spec;
#[cfg(test)]
mod tests;

pub use open::{Batch, Closed, OpenWindows, Status};
pub use segment::{WHOLE, segment_name};
pub use spec::{BadWindow, Window, WindowSpec};

pub(crate) use segment::Prepared;

//! Which windows a row belongs to, and the profiles of those that are open.

mod open;
mod segment;
mod spec;

pub use open::{Batch, Closed, OpenWindows, Status};
pub use segment::{WHOLE, segment_name};
pub use spec::{BadWindow, Window, WindowSpec};

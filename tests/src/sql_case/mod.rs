//! SQL cases: files that say what a feature view makes of some rows, run in every way that Millrace runs a view.
//!
//! The format stands in `tests/sql_cases/README.md`.

mod case;
mod driver;
mod table;

pub use case::{Case, Source};
pub use driver::{Outcome, Row, run};
pub use table::{Column, Table, parse_time, show_time};

//! Change detectors, as an application declares them: on single rows in every partition ([`rows`]), and on the sequence of
//! final window values ([`windows`]).

mod declared;
mod rows;
#[cfg(test)]
mod tests;
mod windows;

pub use declared::{Declared, declared, detects_of, of_errors, of_windows};
pub use rows::{RowDetectors, Signalled};
pub use windows::WindowDetectors;

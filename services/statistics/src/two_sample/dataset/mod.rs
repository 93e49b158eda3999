//! All columns of two windows at once: [`mmd`] says how far the joint distributions are apart, [`domain_classifier`]
//! how well rows of one window are told from the other's, and by which columns.
//!
//! Both take a window as columns of equal length (`columns[c][row]`), missing values as NaN. Both are deterministic
//! given the seed, on every machine.

mod boost;
mod classifier;
mod columns;
mod fourier;
mod mmd;
mod random;

pub use classifier::{ClassifierOptions, ColumnShare, Domains, domain_classifier};
pub use mmd::{Mmd, MmdOptions, mmd};

use super::outcome::Window;

/// Why two windows cannot be compared as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The windows do not have the same columns.
    #[error("the reference has {reference} columns, the current window {current}")]
    Columns {
        /// Columns of the reference.
        reference: usize,
        /// Columns of the current window.
        current: usize,
    },
    /// Columns of one window differ in length.
    #[error("column {column} of the {window} window has {rows} rows, its first column {expected}")]
    Ragged {
        /// Which window.
        window: Window,
        /// Which column, from 0.
        column: usize,
        /// Its rows.
        rows: usize,
        /// Rows of the first column.
        expected: usize,
    },
    /// A window with too few rows.
    #[error("the {window} window has {rows} rows, needed are {needed}")]
    TooFew {
        /// Which window.
        window: Window,
        /// Its rows.
        rows: usize,
        /// How many are needed.
        needed: usize,
    },
    /// No column varies.
    #[error("no column has two values")]
    Constant,
}

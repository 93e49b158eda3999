//! What a comparison gives, and why it may give nothing.

use super::method::{ColumnKind, Method};

/// The result of comparing one column of two windows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// The statistic by its published definition.
    pub statistic: f64,
    /// The probability of a statistic at least as extreme if both windows were drawn from one distribution, rows being
    /// independent; none where the method is a distance without a test.
    pub p_value: Option<f64>,
    /// How much the windows differ: 0 = not at all, more = more; it does not grow with the number of rows.
    pub effect: f64,
}

impl Outcome {
    /// A distance: its statistic is its effect.
    pub(super) fn distance(statistic: f64) -> Self {
        Self { statistic, p_value: None, effect: statistic }
    }
}

/// One of the two windows that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// What is compared with.
    Reference,
    /// What is judged.
    Current,
}

impl std::fmt::Display for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Reference => "reference",
            Self::Current => "current",
        })
    }
}

/// Why a comparison has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undefined {
    /// A window without values.
    #[error("the {0} window has no values")]
    Empty(Window),
    /// A window with fewer values than the statistic needs.
    #[error("{method} needs {needed} values, the {window} window has {rows}")]
    TooFew {
        /// Of what.
        method: Method,
        /// Which window.
        window: Window,
        /// Its rows.
        rows: u64,
        /// How many the method needs.
        needed: u64,
    },
    /// Every value of both windows is the same one.
    #[error("every value of both windows is the same")]
    Constant,
    /// The reference has one value only, and the current window others, so there is no spread to measure by. That a
    /// constant column is none any more is for the caller to say.
    #[error("the reference window has one value only, so there is no spread to measure the change by")]
    ConstantReference,
    /// Every cell is too sparse for the test.
    #[error("no two categories are frequent enough for the test, also when pooled")]
    Sparse,
    /// The method does not apply to such a column.
    #[error("{method} does not apply to a {kind} column")]
    WrongKind {
        /// Which method.
        method: Method,
        /// Of which column.
        kind: ColumnKind,
    },
    /// Bin edges that do not ascend.
    #[error("bin edges must be finite and ascend")]
    Edges,
    /// The two windows were counted in different cells.
    #[error("the reference was counted in {reference} cells, the current window in {current}")]
    Cells {
        /// Cells of the reference.
        reference: usize,
        /// Cells of the current window.
        current: usize,
    },
    /// Values so large that the result overflows.
    #[error("values are too large: the result is not a finite number")]
    Overflow,
}

//! The unit that a detector measures in.

use std::fmt;

/// What a detector of means subtracts and divides by, so that its thresholds are in standard deviations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// Values are taken as they are.
    None,
    /// The mean and the standard deviation (n - 1) of the first rows, and of the first rows after each alarm. They give
    /// no signal. Rows without any spread say nothing of the unit, so the warm-up lasts until two values differ.
    WarmUp {
        /// How many rows, at least 2.
        rows: u32,
    },
    /// A mean and a standard deviation known from elsewhere, such as the reference window.
    Reference {
        /// The mean.
        mean: f64,
        /// The standard deviation, above 0.
        std: f64,
    },
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::WarmUp { rows } => write!(f, "warm-up {rows}"),
            Self::Reference { mean, std } => write!(f, "mean {mean} std {std}"),
        }
    }
}

//! The unit that a detector measures in.

use std::fmt;

use super::Error;
use super::bytes::Codec;
use super::mean::Moments;

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

/// `none`, `warm-up 200`, or `mean 3.5 std 1.2`.
impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::WarmUp { rows } => write!(f, "warm-up {rows}"),
            Self::Reference { mean, std } => write!(f, "mean {mean} std {std}"),
        }
    }
}

impl Scale {
    /// What a scale may be.
    pub(super) const EXPECTED: &str =
        "'none', 'warm-up ROWS' of at least 2 rows, or 'mean M std S' of finite numbers with S above 0";

    /// Reads what [`fmt::Display`] writes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let scale = match words.as_slice() {
            ["none"] => Self::None,
            ["warm-up", rows] => Self::WarmUp { rows: rows.parse().ok()? },
            ["mean", mean, "std", std] => {
                Self::Reference { mean: mean.parse().ok()?, std: std.parse().ok()? }
            }
            _ => return None,
        };
        Some(scale)
    }

    pub(super) fn is_valid(&self) -> bool {
        match self {
            Self::None => true,
            Self::WarmUp { rows } => *rows >= 2,
            Self::Reference { mean, std } => mean.is_finite() && std.is_finite() && *std > 0.0,
        }
    }

    pub(super) fn visit(&mut self, codec: &mut dyn Codec) -> Result<(), Error> {
        let (mut kind, mut rows, mut mean, mut std) = match *self {
            Self::None => (0, 0, 0.0, 0.0),
            Self::WarmUp { rows } => (1, rows, 0.0, 0.0),
            Self::Reference { mean, std } => (2, 0, mean, std),
        };
        codec.word(&mut kind)?;
        codec.count(&mut rows)?;
        codec.real(&mut mean)?;
        codec.real(&mut std)?;
        *self = match kind {
            0 => Self::None,
            1 => Self::WarmUp { rows },
            2 => Self::Reference { mean, std },
            _ => return Err(Error::State { reason: "it has an unknown scale" }),
        };
        Ok(())
    }
}

/// The rows of a warm-up.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Standard {
    warm_up: Moments,
}

impl Standard {
    /// The value in the unit of the scale; `None` while warming up.
    pub fn apply(&mut self, scale: Scale, value: f64) -> Option<f64> {
        match scale {
            Scale::None => Some(value),
            Scale::Reference { mean, std } => Some((value - mean) / std),
            Scale::WarmUp { rows } => {
                let seen = &mut self.warm_up;
                if seen.n < f64::from(rows) || seen.squares == 0.0 {
                    seen.add(value);
                    return None;
                }
                Some((value - seen.mean) / seen.variance().sqrt())
            }
        }
    }

    pub fn visit(&mut self, codec: &mut dyn Codec) -> Result<(), Error> {
        self.warm_up.visit(codec)
    }
}

//! What detectors refuse.

use std::fmt;

/// Which values a detector takes. Its guarantees hold for no others, so others are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// 0 (right) or 1 (wrong).
    Binary,
    /// Numbers from 0 to 1, both included: the bounds of Hoeffding and McDiarmid need a known range.
    Unit,
    /// Finite numbers.
    Finite,
}

impl Input {
    /// Whether the value may be taken.
    pub fn takes(self, value: f64) -> bool {
        match self {
            Self::Binary => value == 0.0 || value == 1.0,
            Self::Unit => (0.0..=1.0).contains(&value),
            Self::Finite => value.is_finite(),
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Binary => "binary errors, 0 or 1",
            Self::Unit => "numbers from 0 to 1",
            Self::Finite => "finite numbers",
        })
    }
}

/// Why a detector was not made, fed or restored.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// There is no detector of this name.
    #[error("there is no detector '{name}': take one of {}", super::NAMES.join(", "))]
    UnknownDetector {
        /// What was asked for.
        name: String,
    },
    /// The detector has no parameter of this name.
    #[error("the detector {detector} has no parameter '{parameter}': it has {}", known.join(", "))]
    UnknownParameter {
        /// The detector's name.
        detector: &'static str,
        /// What was asked for.
        parameter: String,
        /// The names it has.
        known: Vec<&'static str>,
    },
    /// A parameter has a value that it cannot have.
    #[error("{detector}: {parameter} = {value}: {expected}")]
    Parameter {
        /// The detector's name.
        detector: &'static str,
        /// The parameter's name.
        parameter: &'static str,
        /// The value that was given.
        value: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A value does not keep the detector's contract. The detector is as it was before.
    #[error("the detector {detector} takes {input}, not {value} (value {index} of the sequence)")]
    Value {
        /// The detector's name.
        detector: &'static str,
        /// What it takes.
        input: Input,
        /// The value that was given.
        value: f64,
        /// How many values it had taken before.
        index: u64,
    },
    /// Bytes that are not a saved detector: cut off, changed, or of another version.
    #[error("not the saved state of a detector: {reason}")]
    State {
        /// What is wrong with them.
        reason: &'static str,
    },
    /// The streams to calibrate on are too short to tell.
    #[error("{rows} rows without change are too few to calibrate on: {needed} are needed")]
    TooFewRows {
        /// Rows given.
        rows: u64,
        /// Rows needed.
        needed: u64,
    },
    /// However strict, the detector alarms too often where nothing changes.
    #[error(
        "the detector {detector} does not keep to one false alarm in {rows_per_alarm} rows on this stream"
    )]
    Uncalibrated {
        /// The detector's name.
        detector: &'static str,
        /// What was asked for.
        rows_per_alarm: u64,
    },
}

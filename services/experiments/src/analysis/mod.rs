//! What an experiment's arms differ by, and how sure that is.
//!
//! - [`sums`]: what is kept of an arm: mergeable, exact;
//! - [`estimate`]: means, conversion rates, ratios and CUPED-adjusted means with their variances;
//! - [`effect`]: absolute and relative differences of two arms;
//! - [`fixed`]: tests that may be looked at once: Welch, two proportions;
//! - [`always_valid`]: confidence sequences and mSPRT, which may be looked at any time;
//! - [`sample_ratio`]: whether arms have the share of units that they should have;
//! - [`power`]: what a number of units can see, and how many are needed;
//! - [`plan`]: power and required size of an experiment before its start;
//! - [`paired`]: two versions that scored the same rows: AUC, log loss, Brier score, calibration, agreement;
//! - [`units`]: which unit counts where: exposures, windows, maturity, units of two arms;
//! - [`off_policy`]: what an arm that was not served would have earned;
//! - [`reward_model`]: a guess of rewards that such estimates correct;
//! - [`thompson`]: shares of a bandit's arms.

pub mod always_valid;
pub mod effect;
pub mod estimate;
pub mod fixed;
pub mod off_policy;
pub mod paired;
pub mod plan;
pub mod power;
pub mod reward_model;
pub mod sample_ratio;
pub mod sums;
pub mod thompson;
pub mod units;

pub use effect::{Effect, Scale, Tested};
pub use estimate::Estimate;
pub use sums::{Metric, Sums};

/// Which of two arms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// What is compared with.
    Control,
    /// What is judged.
    Treatment,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Control => "the control",
            Self::Treatment => "the treatment",
        })
    }
}

/// Why a comparison has no result.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Undefined {
    /// Variances need two units.
    #[error("{side} has {units} units: two are needed")]
    TooFew {
        /// Which arm.
        side: Side,
        /// Its units.
        units: u64,
    },
    /// All values of an arm are the same: its variance says nothing about the next unit.
    #[error("all units of {0} have the same value")]
    NoVariance(Side),
    /// A relative effect of nothing.
    #[error("the control's mean is 0: it has no relative effect")]
    ZeroBaseline,
    /// A ratio without a denominator.
    #[error("the denominators of {0} sum to 0")]
    ZeroDenominator(Side),
    /// A sum that overflowed, or a value that was no number.
    #[error("the values of {0} are too large to be squared")]
    NotFinite(Side),
    /// AUC needs both classes, twice each for a variance.
    #[error("{positives} positives and {negatives} negatives: two of each are needed")]
    OneClass {
        /// Rows of the positive class.
        positives: u64,
        /// Rows of the other.
        negatives: u64,
    },
    /// Two versions without a difference to test.
    #[error("both versions give every row the same")]
    NoDifference,
    /// Too little for the formula.
    #[error("{rows} rows: two are needed")]
    TooFewRows {
        /// How many there are.
        rows: u64,
    },
}

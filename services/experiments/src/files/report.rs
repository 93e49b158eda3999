//! What an analysis says.

use serde::Serialize;

use crate::analysis::{Estimate, Metric, Tested, Undefined};

/// An answer, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Answer<T> {
    /// The answer.
    Known(T),
    /// Why there is none.
    Undefined {
        /// The reason, for a person.
        undefined: String,
    },
}

impl<T> Answer<T> {
    /// The answer, if there is one.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Undefined { .. } => None,
        }
    }
}

impl<T> From<Result<T, Undefined>> for Answer<T> {
    fn from(result: Result<T, Undefined>) -> Self {
        match result {
            Ok(value) => Self::Known(value),
            Err(reason) => Self::Undefined { undefined: reason.to_string() },
        }
    }
}

/// The analysis of a file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The metric's name.
    pub metric: String,
    /// Its kind.
    pub kind: Metric,
    /// Intervals have level 1 - alpha; conclusions hold for all arms together at it.
    pub alpha: f64,
    /// The arm that the others are compared with.
    pub control: String,
    /// Arms with their units, the control first.
    pub arms: Vec<ArmReport>,
    /// Rows read.
    pub rows: u64,
    /// Units, those in two arms included.
    pub units: u64,
    /// Units in two arms, excluded.
    pub mixed_units: u64,
    /// Whether arms have the share of units that they should have.
    pub sample_ratio: SampleRatio,
    /// Each other arm against the control.
    pub comparisons: Vec<Comparison>,
    /// Why nothing is concluded; empty where it is.
    pub stopped: Vec<String>,
}

/// An arm.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArmReport {
    /// Its name.
    pub arm: String,
    /// Its units.
    pub units: u64,
    /// Its metric.
    pub estimate: Answer<Estimate>,
}

/// The test of units against shares.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SampleRatio {
    /// Expected shares, in the order of the arms.
    pub shares: Vec<f64>,
    /// The chi-square test's.
    pub p_value: f64,
    /// The sequential test's, where looks are told: it may be looked at any time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub always_valid_p_value: Option<f64>,
}

/// One arm against the control.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The arm.
    pub arm: String,
    /// Without a covariate.
    pub raw: Answer<Differences>,
    /// Adjusted by CUPED, where there is a covariate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adjusted: Option<Answer<AdjustedDifferences>>,
    /// The pooled test of conversion rates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub two_proportions: Option<Answer<Tested>>,
    /// The p-value that the conclusion rests on (Welch's; adjusted where there is a covariate), corrected for the number of
    /// arms (Holm).
    pub corrected_p_value: Option<f64>,
    /// What is concluded.
    pub conclusion: Conclusion,
    /// Why.
    pub reason: String,
    /// The confidence sequence on the way (adjusted where there is a covariate), where looks are asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub looks: Vec<Look>,
}

impl Comparison {
    /// The tests of the absolute difference that the conclusion rests on: adjusted where there is a covariate.
    pub fn primary(&self) -> Option<&Tests> {
        match &self.adjusted {
            Some(adjusted) => adjusted.known().map(|found| &found.differences.absolute),
            None => self.raw.known().map(|found| &found.absolute),
        }
    }

    /// The same of the relative difference.
    pub fn relative(&self) -> Option<&Tests> {
        match &self.adjusted {
            Some(adjusted) => adjusted.known().and_then(|found| found.differences.relative.known()),
            None => self.raw.known().and_then(|found| found.relative.known()),
        }
    }
}

/// A look at a comparison on the way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Look {
    /// Units of both arms so far.
    pub units: u64,
    /// The difference then.
    pub difference: f64,
    /// The lower end of its always-valid interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Whether the look counts: it does not within the burn-in.
    pub counts: bool,
    /// The least p-value of the looks that count so far.
    pub p_value: f64,
}

/// What is concluded of an arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    /// The metric is higher than the control's.
    Higher,
    /// It is lower.
    Lower,
    /// No difference is seen.
    NotSeen,
    /// Nothing may be concluded, or nothing is defined.
    None,
}

/// Differences to the control.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Differences {
    /// Treatment less control.
    pub absolute: Tests,
    /// Over the control's mean.
    pub relative: Answer<Tests>,
}

/// Differences of means adjusted by a covariate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AdjustedDifferences {
    /// The slope on the covariate.
    pub theta: f64,
    /// The share of the difference's variance that the covariate took away.
    pub variance_reduction: f64,
    /// The differences.
    #[serde(flatten)]
    pub differences: Differences,
}

/// Tests of one difference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tests {
    /// Looked at once.
    pub welch: Tested,
    /// May be looked at any time.
    pub confidence_sequence: Tested,
    /// May be looked at any time; where an expected effect is declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub msprt: Option<Tested>,
}

//! Logged decisions of a file to estimates of a policy that was not served.

use std::collections::HashMap;

use serde::Serialize;

use super::Error;
use crate::analysis::off_policy::{self, Evaluation, Logged};
use crate::analysis::reward_model::{self, Example};
use crate::range::{OutOfRange, within};

/// A logged decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Whose decision; each row its own where it is none.
    pub unit: Option<String>,
    /// The arm that served.
    pub arm: String,
    /// The probability with which it was served.
    pub propensity: f64,
    /// What it earned.
    pub reward: f64,
    /// What was known beforehand; as many in every row.
    pub covariates: Vec<f64>,
    /// What the judged policy would have served, with probabilities that sum to 1.
    pub target: Vec<(String, f64)>,
}

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct EvaluateOptions {
    /// The judged policy, for a person.
    pub target: String,
    /// The names of the covariates.
    pub covariates: Vec<String>,
    /// The model of rewards.
    pub model: reward_model::Rules,
    /// The level, and where weights are cut.
    pub rules: Option<off_policy::Rules>,
}

/// What the judged policy would have earned.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EvaluationReport {
    /// The judged policy.
    pub target: String,
    /// Intervals have level 1 - alpha.
    pub alpha: f64,
    /// Logged decisions.
    pub rows: u64,
    /// Units, what is independent.
    pub units: u64,
    /// Rows in which the judged policy may take the decision that was logged.
    pub matching_rows: u64,
    /// Where weights were cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<f64>,
    /// How the reward model was learnt.
    pub model: ModelReport,
    /// The estimates.
    #[serde(flatten)]
    pub evaluation: Evaluation,
}

/// How rewards were guessed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelReport {
    /// Always `ridge per arm`.
    pub kind: &'static str,
    /// What it sees.
    pub covariates: Vec<String>,
    /// Folds of the cross-fitting, by unit.
    pub folds: usize,
    /// The ridge penalty.
    pub penalty: f64,
    /// 1 - residual over total sum of squares of the logged rewards, on rows that the model has not seen; may be negative.
    pub r_squared: f64,
}

/// Evaluates a policy on rows. Units are dealt to the folds in turn, in the order in which they first appear.
///
/// # Errors
/// What the rows' source gives, a row that does not fit, logs that the judged policy has nothing in common with.
pub fn evaluate(
    rows: impl IntoIterator<Item = Result<Decision, Error>>,
    options: &EvaluateOptions,
) -> Result<EvaluationReport, Error> {
    let rules = options.rules.unwrap_or(off_policy::Rules { alpha: 0.05, clip: None });
    check(options, &rules)?;
    let mut log = Log::default();
    for (at, row) in rows.into_iter().enumerate() {
        log.take(at as u64 + 1, row?, options)?;
    }
    let arms = log.arms.len();
    let guesses = reward_model::guesses(&log.examples, arms, &options.model);
    let logged: Vec<Logged> = log
        .rows
        .iter()
        .enumerate()
        .map(|(at, row)| row.logged(&log.examples[at], &guesses[at * arms..][..arms]))
        .collect();
    let evaluation = off_policy::evaluate(&logged, &rules).map_err(Error::OffPolicy)?;
    Ok(EvaluationReport {
        target: options.target.clone(),
        alpha: rules.alpha,
        rows: logged.len() as u64,
        units: log.units,
        matching_rows: logged.iter().filter(|row| row.target > 0.0).count() as u64,
        clip: rules.clip,
        model: ModelReport {
            kind: "ridge per arm",
            covariates: options.covariates.clone(),
            folds: options.model.folds,
            penalty: options.model.penalty,
            r_squared: r_squared(&logged),
        },
        evaluation,
    })
}

fn check(options: &EvaluateOptions, rules: &off_policy::Rules) -> Result<(), OutOfRange> {
    let (alpha, penalty, folds) = (rules.alpha, options.model.penalty, options.model.folds);
    within("alpha", alpha, alpha > 0.0 && alpha < 1.0, "a level lies in (0, 1)")?;
    within("ridge", penalty, penalty > 0.0 && penalty.is_finite(), "a penalty is above 0")?;
    within("folds", folds as f64, (2..=1000).contains(&folds), "cross-fitting takes 2 to 1,000 folds")
}

fn r_squared(rows: &[Logged]) -> f64 {
    let mean = rows.iter().map(|row| row.reward).sum::<f64>() / rows.len() as f64;
    let total: f64 = rows.iter().map(|row| (row.reward - mean).powi(2)).sum();
    let rest: f64 = rows.iter().map(|row| (row.reward - row.expected).powi(2)).sum();
    if total > 0.0 { 1.0 - rest / total } else { 0.0 }
}

/// The log so far.
#[derive(Default)]
struct Log {
    arms: Vec<String>,
    places: HashMap<String, u64>,
    units: u64,
    rows: Vec<Row>,
    examples: Vec<Example>,
}

/// A decision beside its example.
struct Row {
    unit: u64,
    propensity: f64,
    target: Vec<(usize, f64)>,
}

impl Row {
    fn logged(&self, example: &Example, guesses: &[f64]) -> Logged {
        let of = |arm: usize| self.target.iter().filter(|(at, _)| *at == arm).map(|(_, p)| p).sum();
        Logged {
            reward: example.reward,
            propensity: self.propensity,
            target: of(example.arm),
            expected: guesses[example.arm],
            expected_of_target: self.target.iter().map(|(arm, p)| p * guesses[*arm]).sum(),
            unit: self.unit,
        }
    }
}

impl Log {
    fn take(&mut self, row: u64, of: Decision, options: &EvaluateOptions) -> Result<(), Error> {
        let wrong = |column, problem: String| Err(Error::Value { row, column, problem });
        if !of.reward.is_finite() {
            return wrong("reward", format!("{} is no number", of.reward));
        }
        if !(of.propensity > 0.0 && of.propensity <= 1.0) {
            return wrong("propensity", format!("{} lies outside (0, 1]", of.propensity));
        }
        if let Some(at) = of.covariates.iter().position(|value| !value.is_finite()) {
            let name = options.covariates.get(at).map_or("", String::as_str);
            return wrong("covariate", format!("`{name}` is {}, no number", of.covariates[at]));
        }
        let sum: f64 = of.target.iter().map(|(_, p)| p).sum();
        let fits = of.target.iter().all(|(_, p)| (0.0..=1.0).contains(p)) && (sum - 1.0).abs() <= 1e-6;
        if !fits {
            return wrong("target probability", format!("probabilities sum to {sum}, not to 1"));
        }
        let unit = match of.unit {
            Some(name) => *self.places.entry(name).or_insert(self.units),
            None => self.units,
        };
        self.units = self.units.max(unit + 1);
        let arm = self.arm(of.arm);
        let target =
            of.target.into_iter().filter(|(_, p)| *p > 0.0).map(|(arm, p)| (self.arm(arm), p)).collect();
        let fold = (unit % options.model.folds as u64) as usize;
        self.examples.push(Example { arm, reward: of.reward, covariates: of.covariates, fold });
        self.rows.push(Row { unit, propensity: of.propensity, target });
        Ok(())
    }

    fn arm(&mut self, name: String) -> usize {
        self.arms.iter().position(|arm| *arm == name).unwrap_or_else(|| {
            self.arms.push(name);
            self.arms.len() - 1
        })
    }
}

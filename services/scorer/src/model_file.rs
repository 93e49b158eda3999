//! `model.toml`: what is to be known of a `model.onnx` to score with it.
//!
//! It lies beside the model, `<root>/<model>/<version>/model.toml`. A full example:
//!
//! ```toml
//! title = "Gradient boosting on the payment features"
//! # Of model.onnx, in hexadecimal. A file that was changed, or only half copied, is refused.
//! sha256 = "5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592"
//!
//! # The model's input columns, in the order of its input tensor (float32, [rows, inputs]). Each name is a column of the
//! # feature view: an integer, a float or a boolean (0 or 1). Each says what becomes of a row in which it is NULL, NaN or
//! # infinite: `default` is taken in its place, or with missing = "reject" the row goes to the dead letters.
//! inputs = [
//!     { name = "amount", missing = "reject" },
//!     { name = "customer_avg_30d", default = 0.0 },
//! ]
//!
//! # Rows of inputs that are scored before the version serves, so that its first events are as fast as later ones. A version
//! # whose score of one of them is not finite is not taken. Without any, a row of the defaults is run.
//! warm_up = [[57.2, 0.0], [220.25, 61.0]]
//!
//! [output]
//! # A tensor of floats: [rows, labels], one column per label; or [rows] or [rows, 1], the score itself.
//! # scikit-learn's converter names it so when it is told zipmap=False.
//! name = "probabilities"
//! # The classes in the order of the tensor's columns, and the one whose column is the score. Both may be left out
//! # where the tensor holds one number per row.
//! labels = ["genuine", "fraud"]
//! positive = "fraud"
//!
//! # The `decision` of a prediction: `above` where score >= threshold, else `below`.
//! [decision]
//! threshold = 0.5
//! above = "review"
//! below = "accept"
//!
//! # Record times of the rows it was trained on: from <= time < to.
//! [training]
//! from = 2018-07-25T00:00:00Z
//! to = 2018-08-01T00:00:00Z
//! rows = 67240
//!
//! # Offline metrics, by any names.
//! [metrics]
//! auc_roc = 0.86
//! average_precision = 0.64
//! ```
//!
//! `title`, `warm_up`, `training` and `metrics` may be left out; unknown keys are refused.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde::Deserialize;

use crate::Error;

/// A checked `model.toml`.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFile {
    /// One line for people; may be empty.
    pub title: String,
    /// SHA-256 of `model.onnx`, 64 hexadecimal digits in lower case.
    pub sha256: String,
    /// The input columns, in the order of the input tensor.
    pub inputs: Vec<ModelInput>,
    /// Rows that are scored before the version serves, each with one finite number per input; may be empty.
    pub warm_up: Vec<Vec<f32>>,
    /// The output tensor's name.
    pub output: String,
    /// The classes, in the order of the output's columns; empty: the output is one number per row.
    pub labels: Vec<String>,
    /// Index in `labels` of the class whose column is the score; 0 without labels.
    pub positive: usize,
    /// What is decided on a score.
    pub decision: Decision,
    /// The rows that the model was trained on.
    pub training: Option<Training>,
    /// Offline metrics.
    pub metrics: BTreeMap<String, f64>,
}

/// One input of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInput {
    /// The feature column.
    pub name: String,
    /// What becomes of a row in which it is NULL or not finite.
    pub missing: Missing,
}

/// The policy for missing values of an input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Missing {
    /// This value is taken.
    Default(f32),
    /// The row is rejected.
    Reject,
}

/// Turns a score into a decision.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Scores from here on are decided as `above`.
    pub threshold: f64,
    /// The decision at or above the threshold.
    pub above: String,
    /// The decision below it.
    pub below: String,
}

impl Decision {
    /// The decision on a score.
    pub fn of(&self, score: f64) -> &str {
        if score >= self.threshold { &self.above } else { &self.below }
    }
}

/// The training window.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Record time of the first row.
    pub from: toml::value::Datetime,
    /// The end, exclusive.
    pub to: toml::value::Datetime,
    /// How many rows there were.
    pub rows: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    title: String,
    sha256: String,
    inputs: Vec<RawInput>,
    #[serde(default)]
    warm_up: Vec<Vec<f64>>,
    output: RawOutput,
    decision: Decision,
    training: Option<Training>,
    #[serde(default)]
    metrics: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawInput {
    name: String,
    default: Option<f64>,
    missing: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOutput {
    name: String,
    #[serde(default)]
    labels: Vec<String>,
    positive: Option<String>,
}

impl ModelFile {
    /// Reads the text of a `model.toml`. An error names the file, and the key or line.
    pub fn parse(file: &Path, text: &str) -> Result<Self, Error> {
        let fail = |message: String| Error::ModelFile { file: file.to_owned(), message };
        let raw: Raw = toml::from_str(text).map_err(|error| fail(error.to_string().trim_end().to_owned()))?;
        check(raw).map_err(fail)
    }

    /// Names of the inputs, in order.
    pub fn input_names(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().map(|input| input.name.as_str())
    }
}

fn check(raw: Raw) -> Result<ModelFile, String> {
    if raw.sha256.len() != 64 || !raw.sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err("sha256: it is not 64 hexadecimal digits; `sha256sum model.onnx` prints them".into());
    }
    if raw.inputs.is_empty() {
        return Err("inputs: a model needs at least one".into());
    }
    let mut seen = HashSet::new();
    if let Some(twice) = raw.inputs.iter().find(|input| !seen.insert(input.name.as_str())) {
        return Err(format!("inputs: `{}` is there twice", twice.name));
    }
    if raw.output.name.is_empty() {
        return Err("output.name: it is empty; name the tensor that holds the score".into());
    }
    if !raw.decision.threshold.is_finite() {
        return Err("decision.threshold: it is not a finite number".into());
    }
    if let Some(name) = raw.metrics.iter().find(|(_, value)| !value.is_finite()).map(|(name, _)| name) {
        return Err(format!("metrics.{name}: it is not a finite number"));
    }
    let positive = positive(&raw.output)?;
    let warm_up = warm_up(&raw.warm_up, raw.inputs.len())?;
    Ok(ModelFile {
        title: raw.title,
        sha256: raw.sha256.to_ascii_lowercase(),
        inputs: raw.inputs.into_iter().map(input).collect::<Result<_, _>>()?,
        warm_up,
        output: raw.output.name,
        labels: raw.output.labels,
        positive,
        decision: raw.decision,
        training: raw.training,
        metrics: raw.metrics,
    })
}

fn input(raw: RawInput) -> Result<ModelInput, String> {
    let name = raw.name;
    let missing = match (raw.default, raw.missing.as_deref()) {
        (Some(value), None) => Missing::Default(
            finite(value)
                .ok_or_else(|| format!("inputs: the default of `{name}` is not a finite 32-bit float"))?,
        ),
        (None, Some("reject")) => Missing::Reject,
        (None, Some(other)) => {
            return Err(format!(
                "inputs: missing = \"{other}\" of `{name}` is unknown; write missing = \"reject\", or default = 0.0"
            ));
        }
        (None, None) => {
            return Err(format!(
                "inputs: `{name}` does not say what becomes of a missing value; add default = 0.0 (the value to \
                 take), or missing = \"reject\""
            ));
        }
        (Some(_), Some(_)) => {
            return Err(format!("inputs: `{name}` has both default and missing; keep one of them"));
        }
    };
    Ok(ModelInput { name, missing })
}

fn warm_up(rows: &[Vec<f64>], inputs: usize) -> Result<Vec<Vec<f32>>, String> {
    let row = |(number, row): (usize, &Vec<f64>)| {
        if row.len() != inputs {
            return Err(format!(
                "warm_up: row {} has {} numbers, and there are {inputs} inputs",
                number + 1,
                row.len()
            ));
        }
        let floats = row.iter().map(|value| finite(*value)).collect::<Option<_>>();
        floats.ok_or_else(|| format!("warm_up: row {} has what is not a finite 32-bit float", number + 1))
    };
    rows.iter().enumerate().map(row).collect()
}

fn finite(value: f64) -> Option<f32> {
    #[allow(clippy::cast_possible_truncation)] // rounds to the nearest, or to infinity beyond the range
    let value = value as f32;
    value.is_finite().then_some(value)
}

fn positive(output: &RawOutput) -> Result<usize, String> {
    let mut seen = HashSet::new();
    if let Some(twice) = output.labels.iter().find(|label| !seen.insert(label.as_str())) {
        return Err(format!("output.labels: `{twice}` is there twice"));
    }
    match (&output.positive, output.labels.as_slice()) {
        (None, []) => Ok(0),
        (Some(_), []) => Err("output.positive: there are no labels it could be one of".into()),
        (None, labels) => Err(format!(
            "output.positive: missing; it says which of the labels {} the score is of",
            labels.join(", ")
        )),
        (Some(positive), labels) => labels.iter().position(|label| label == positive).ok_or_else(|| {
            format!("output.positive: `{positive}` is none of the labels {}", labels.join(", "))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> String {
        let lines = include_str!("model_file.rs").lines().map_while(|line| line.strip_prefix("//!"));
        let code = lines.skip_while(|line| *line != " ```toml").skip(1).take_while(|line| *line != " ```");
        code.map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned() + "\n").collect()
    }

    fn parse(text: &str) -> Result<ModelFile, String> {
        ModelFile::parse(Path::new("m/1/model.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn the_documented_example_is_read() {
        let file = parse(&example()).unwrap();
        assert_eq!(file.input_names().collect::<Vec<_>>(), ["amount", "customer_avg_30d"]);
        assert_eq!(file.inputs[0].missing, Missing::Reject);
        assert_eq!(file.inputs[1].missing, Missing::Default(0.0));
        assert_eq!(file.warm_up, [[57.2, 0.0], [220.25, 61.0]]);
        assert_eq!((file.output.as_str(), file.positive), ("probabilities", 1));
        assert_eq!(file.training.unwrap().rows, Some(67240));
        assert_eq!(file.metrics["auc_roc"], 0.86);
    }

    #[test]
    fn what_may_be_left_out_may_be_left_out() {
        let text = format!(
            "sha256 = \"{}\"\ninputs = [{{ name = \"a\", default = 1 }}]\noutput = {{ name = \"y\" }}\n\
             decision = {{ threshold = 0, above = \"yes\", below = \"no\" }}\n",
            "A".repeat(64)
        );
        let file = parse(&text).unwrap();
        assert_eq!(file.sha256, "a".repeat(64));
        assert!(file.labels.is_empty() && file.training.is_none() && file.metrics.is_empty());
    }

    #[test]
    fn a_score_at_the_threshold_is_above() {
        let decision = parse(&example()).unwrap().decision;
        assert_eq!(decision.of(0.5), "review");
        assert_eq!(decision.of(0.5_f64.next_down()), "accept");
    }

    #[test]
    fn every_mistake_is_refused_with_file_and_key() {
        let mistakes = [
            ("title = ", "titel = ", "titel"),
            ("sha256 = \"5d", "sha256 = \"5", "sha256"),
            (", missing = \"reject\"", "", "`amount` does not say"),
            ("missing = \"reject\"", "missing = \"ignore\"", "missing = \"ignore\""),
            ("missing = \"reject\"", "missing = \"reject\", default = 1.0", "both default and missing"),
            ("default = 0.0", "default = nan", "`customer_avg_30d`"),
            ("default = 0.0", "default = 1e300", "`customer_avg_30d`"),
            ("customer_avg_30d", "amount", "`amount` is there twice"),
            ("[57.2, 0.0]", "[57.2]", "warm_up: row 1 has 1 numbers"),
            ("61.0", "nan", "warm_up: row 2"),
            ("positive = \"fraud\"", "", "output.positive"),
            ("positive = \"fraud\"", "positive = \"Fraud\"", "genuine, fraud"),
            ("[\"genuine\", \"fraud\"]", "[]", "output.positive"),
            ("[\"genuine\", \"fraud\"]", "[\"fraud\", \"fraud\"]", "output.labels"),
            ("threshold = 0.5", "threshold = inf", "decision.threshold"),
            ("threshold = 0.5", "", "threshold"),
            ("auc_roc = 0.86", "auc_roc = nan", "metrics.auc_roc"),
            ("rows = 67240", "row = 67240", "row"),
            ("[output]", "[output]\nzipmap = false", "zipmap"),
        ];
        let example: String = example()
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .map(|line| line.to_owned() + "\n")
            .collect();
        for (from, to, named) in mistakes {
            assert!(example.contains(from), "{from}");
            let parsed = parse(&example.replacen(from, to, 1));
            let error = parsed.err().unwrap_or_else(|| panic!("{from} -> {to} was taken"));
            assert!(error.contains("m/1/model.toml") && error.contains(named), "{from} -> {to}: {error}");
        }
    }
}

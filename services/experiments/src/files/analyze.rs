//! An experiment's rows to its report.

use millrace_statistics::two_sample::correction::holm;

use super::Error;
use super::report::{
    AdjustedDifferences, Answer, ArmReport, Comparison, Conclusion, Differences, Report, SampleRatio, Tests,
};
use super::rows::{Row, Units};
use crate::analysis::always_valid::{ConfidenceSequence, Msprt};
use crate::analysis::estimate::adjusted;
use crate::analysis::{Effect, Estimate, Metric, Scale, Side, Sums, Undefined, fixed, sample_ratio};

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The metric's name.
    pub metric: String,
    /// Its kind.
    pub kind: Metric,
    /// The arm to compare with; by default `control`, else the first one in the file.
    pub control: Option<String>,
    /// The level of conclusions; intervals have 1 - alpha.
    pub alpha: f64,
    /// Expected shares of arms; by default equal ones.
    pub shares: Vec<(String, f64)>,
    /// The p-value of the sample ratio below which nothing is concluded.
    pub sample_ratio_alpha: f64,
    /// The share of units in two arms above which nothing is concluded.
    pub max_mixed_share: f64,
    /// The confidence sequence's tuning.
    pub sequence: ConfidenceSequence,
    /// mSPRT's expected relative effect; without it mSPRT is left out.
    pub expected_relative_effect: Option<f64>,
}

impl Options {
    /// Of a metric, with the field's usual defaults.
    pub fn new(metric: &str, kind: Metric) -> Self {
        Self {
            metric: metric.to_owned(),
            kind,
            control: None,
            alpha: 0.05,
            shares: Vec::new(),
            sample_ratio_alpha: 0.001,
            max_mixed_share: 0.01,
            sequence: ConfidenceSequence::default(),
            expected_relative_effect: None,
        }
    }
}

/// Analyses rows.
///
/// # Errors
/// What the rows' source gives, a value that does not fit, fewer than two arms, an arm that no row has.
pub fn analyze(
    rows: impl IntoIterator<Item = Result<Row, Error>>,
    options: &Options,
) -> Result<Report, Error> {
    check(options)?;
    let mut units = Units::default();
    for (at, row) in rows.into_iter().enumerate() {
        units.take(at as u64 + 1, row?, options.kind)?;
    }
    let mut arms = units.arms();
    if arms.len() < 2 {
        return Err(Error::Arms(arms.len()));
    }
    let named = |name: &str| arms.iter().position(|(arm, _)| arm == name);
    let control = match &options.control {
        Some(name) => named(name).ok_or_else(|| Error::NoSuchArm(name.clone()))?,
        None => named("control").unwrap_or(0),
    };
    arms[..=control].rotate_right(1);
    let ratio = ratio(&arms, options)?;
    let stopped = stopped(&units, &ratio, options);
    let covariate = units.covariate && options.kind != Metric::Ratio;
    let mut comparisons: Vec<Comparison> =
        arms[1..].iter().map(|(name, sums)| compare(name, &arms[0].1, sums, covariate, options)).collect();
    conclude(&mut comparisons, options.alpha, stopped.is_empty());
    Ok(Report {
        metric: options.metric.clone(),
        kind: options.kind,
        alpha: options.alpha,
        control: arms[0].0.clone(),
        mixed_units: units.mixed,
        sample_ratio: ratio,
        comparisons,
        stopped,
        arms: arms
            .into_iter()
            .enumerate()
            .map(|(at, (arm, sums))| describe(arm, &sums, at, options.kind))
            .collect(),
    })
}

fn describe(arm: String, sums: &Sums, at: usize, kind: Metric) -> ArmReport {
    let side = if at == 0 { Side::Control } else { Side::Treatment };
    ArmReport { arm, units: sums.units(), estimate: Estimate::of(kind, sums, side).into() }
}

fn check(options: &Options) -> Result<(), Error> {
    let within = |name, value: f64, holds: bool, needs| {
        if holds { Ok(()) } else { Err(Error::Option { name, value, needs }) }
    };
    let inside = |value: f64| value > 0.0 && value < 1.0;
    let tuned = options.sequence.tuned_for_units;
    within("alpha", options.alpha, inside(options.alpha), "a level lies in (0, 1)")?;
    within("tuned_for_units", tuned, tuned > 0.0 && tuned.is_finite(), "a number of units is above 0")?;
    let expected = options.expected_relative_effect.unwrap_or(1.0);
    within(
        "expected_relative_effect",
        expected,
        expected > 0.0 && expected.is_finite(),
        "an effect is above 0",
    )
}

fn ratio(arms: &[(String, Sums)], options: &Options) -> Result<SampleRatio, Error> {
    for (name, share) in &options.shares {
        if !arms.iter().any(|(arm, _)| arm == name) {
            return Err(Error::NoSuchArm(name.clone()));
        }
        if !(*share > 0.0 && share.is_finite()) {
            return Err(Error::Option { name: "share", value: *share, needs: "a share is above 0" });
        }
    }
    let share = |(arm, _): &(String, Sums)| {
        let declared = options.shares.iter().find(|(name, _)| name == arm);
        declared.map_or(if options.shares.is_empty() { 1.0 } else { 0.0 }, |(_, share)| *share)
    };
    let shares: Vec<f64> = arms.iter().map(share).collect();
    let whole: f64 = shares.iter().sum();
    let counts: Vec<u64> = arms.iter().map(|(_, sums)| sums.units()).collect();
    let p_value = sample_ratio::fixed(&counts, &shares);
    Ok(SampleRatio { shares: shares.iter().map(|share| share / whole).collect(), p_value })
}

fn stopped(units: &Units, ratio: &SampleRatio, options: &Options) -> Vec<String> {
    let mut reasons = Vec::new();
    let all = units.count();
    if units.mixed as f64 > options.max_mixed_share * all as f64 {
        reasons.push(format!(
            "{} of {all} units are in two arms, above {}",
            units.mixed, options.max_mixed_share
        ));
    }
    if ratio.p_value < options.sample_ratio_alpha {
        reasons.push(format!("the arms do not have their shares of units (p = {:.2e})", ratio.p_value));
    }
    reasons
}

fn compare(name: &str, control: &Sums, arm: &Sums, covariate: bool, options: &Options) -> Comparison {
    let raw = || {
        let control = Estimate::of(options.kind, control, Side::Control)?;
        differences(&control, &Estimate::of(options.kind, arm, Side::Treatment)?, options)
    };
    let with_covariate = || {
        let found = adjusted(options.kind, control, arm)?;
        let differences = differences(&found.control, &found.treatment, options)?;
        Ok(AdjustedDifferences {
            theta: found.theta,
            variance_reduction: found.variance_reduction,
            differences,
        })
    };
    let conversion = options.kind == Metric::Conversion;
    Comparison {
        arm: name.to_owned(),
        raw: raw().into(),
        adjusted: covariate.then(|| with_covariate().into()),
        two_proportions: conversion.then(|| fixed::two_proportions(control, arm, options.alpha).into()),
        corrected_p_value: None,
        conclusion: Conclusion::None,
    }
}

fn differences(control: &Estimate, arm: &Estimate, options: &Options) -> Result<Differences, Undefined> {
    let tests = |scale| {
        let effect = Effect::of(control, arm, scale)?;
        let unit = if scale == Scale::Relative { 1.0 } else { control.raw_mean.abs() };
        let expected =
            options.expected_relative_effect.map(|effect| effect * unit).filter(|effect| *effect > 0.0);
        Ok(Tests {
            welch: fixed::welch(&effect, 0.0, options.alpha),
            confidence_sequence: options.sequence.test(&effect, 0.0, options.alpha),
            msprt: expected
                .map(|expected_effect| Msprt { expected_effect }.test(&effect, 0.0, options.alpha)),
        })
    };
    Ok(Differences { absolute: tests(Scale::Absolute)?, relative: Answer::from(tests(Scale::Relative)) })
}

/// Holm over the arms; nothing is concluded where something stops it.
fn conclude(comparisons: &mut [Comparison], alpha: f64, may: bool) {
    let primary = |comparison: &Comparison| {
        let adjusted =
            comparison.adjusted.as_ref().map(|answer| answer.known().map(|found| &found.differences));
        let found = adjusted.unwrap_or_else(|| comparison.raw.known());
        found.map(|found| found.absolute.welch)
    };
    let tested: Vec<_> = comparisons.iter().map(primary).collect();
    let p_values: Vec<f64> = tested.iter().map(|test| test.map_or(f64::NAN, |test| test.p_value)).collect();
    for ((comparison, test), p_value) in comparisons.iter_mut().zip(tested).zip(holm(&p_values)) {
        let Some(test) = test else { continue };
        comparison.corrected_p_value = Some(p_value);
        comparison.conclusion = match (may, p_value <= alpha, test.difference > 0.0) {
            (false, ..) => Conclusion::None,
            (_, false, _) => Conclusion::NotSeen,
            (.., true) => Conclusion::Higher,
            _ => Conclusion::Lower,
        };
    }
}

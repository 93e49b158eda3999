//! An experiment's rows to its report.

use millrace_statistics::two_sample::correction::holm;

use super::Error;
use super::conclude::{conclude, stopped};
use super::looks::{looks, sequential_ratio};
use super::report::{
    AdjustedDifferences, Answer, ArmReport, Comparison, Conclusion, Differences, Report, SampleRatio, Tests,
};
use super::rows::{Row, Units};
use crate::analysis::always_valid::{ConfidenceSequence, Msprt};
use crate::analysis::estimate::adjusted;
use crate::analysis::{Effect, Estimate, Metric, Scale, Side, Sums, Undefined, fixed, sample_ratio};
use crate::range::{OutOfRange, within};

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
    /// How many looks are told, units taken in the order of their first rows; 0 for none but the last.
    pub looks: usize,
    /// Units of both arms below which a look does not count.
    pub burn_in_units: u64,
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
            looks: 0,
            burn_in_units: 200,
        }
    }
}

/// More looks than this are refused: nobody reads them.
const MOST_LOOKS: usize = 10_000;

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
    let order = order(units.arms(), options)?;
    let of = |sums: Vec<Sums>| -> Vec<Sums> { order.iter().map(|arm| sums[*arm].clone()).collect() };
    let parts: Vec<Vec<Sums>> = units.parts(options.looks.max(1)).into_iter().map(of).collect();
    let names: Vec<String> = order.iter().map(|arm| units.arms()[*arm].clone()).collect();
    let sums = whole(&parts, names.len());
    let ratio = ratio(&names, &sums, &parts, options)?;
    let stopped = stopped(&units, &ratio, options);
    let covariate = units.covariate && options.kind != Metric::Ratio;
    let mut comparisons = Vec::with_capacity(names.len() - 1);
    for (at, name) in names.iter().enumerate().skip(1) {
        let mut comparison = compare(name, &sums[0], &sums[at], covariate, options);
        comparison.looks = looks(&parts, at, covariate, options);
        comparisons.push(comparison);
    }
    let p_values: Vec<f64> =
        comparisons.iter().map(|one| one.primary().map_or(f64::NAN, |tests| tests.welch.p_value)).collect();
    for (comparison, p_value) in comparisons.iter_mut().zip(holm(&p_values)) {
        conclude(comparison, p_value, options.alpha, &stopped);
    }
    let describe = |(at, (arm, sums)): (usize, (String, &Sums))| {
        let side = if at == 0 { Side::Control } else { Side::Treatment };
        ArmReport { arm, units: sums.units(), estimate: Estimate::of(options.kind, sums, side).into() }
    };
    Ok(Report {
        metric: options.metric.clone(),
        kind: options.kind,
        alpha: options.alpha,
        control: names[0].clone(),
        rows: units.rows,
        units: units.count() as u64,
        mixed_units: units.mixed,
        sample_ratio: ratio,
        comparisons,
        stopped,
        arms: names.into_iter().zip(&sums).enumerate().map(describe).collect(),
    })
}

/// The metric of all units, whatever their arm: what a plan starts from.
///
/// # Errors
/// What the rows' source gives, a value that does not fit.
pub fn describe(
    rows: impl IntoIterator<Item = Result<Row, Error>>,
    kind: Metric,
) -> Result<Result<Estimate, Undefined>, Error> {
    let mut units = Units::default();
    for (at, row) in rows.into_iter().enumerate() {
        units.take(at as u64 + 1, row?, kind)?;
    }
    let mut sums = Sums::default();
    units.parts(1).iter().flatten().for_each(|arm| sums.merge(arm));
    Ok(Estimate::of(kind, &sums, Side::Control))
}

/// Places of the arms, the control first.
fn order(arms: &[String], options: &Options) -> Result<Vec<usize>, Error> {
    if arms.len() < 2 {
        return Err(Error::Arms(arms.len()));
    }
    let named = |name: &str| arms.iter().position(|arm| arm == name);
    let control = match &options.control {
        Some(name) => named(name).ok_or_else(|| Error::NoSuchArm(name.clone()))?,
        None => named("control").unwrap_or(0),
    };
    let others = (0..arms.len()).filter(|arm| *arm != control);
    Ok(std::iter::once(control).chain(others).collect())
}

fn whole(parts: &[Vec<Sums>], arms: usize) -> Vec<Sums> {
    let mut whole = vec![Sums::default(); arms];
    for part in parts {
        whole.iter_mut().zip(part).for_each(|(whole, part)| whole.merge(part));
    }
    whole
}

fn check(options: &Options) -> Result<(), OutOfRange> {
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
    )?;
    let mixed = options.max_mixed_share;
    within("max_mixed_share", mixed, (0.0..=1.0).contains(&mixed), "a share lies in [0, 1]")?;
    within("looks", options.looks as f64, options.looks <= MOST_LOOKS, "nobody reads more than 10,000 looks")
}

fn ratio(
    names: &[String],
    sums: &[Sums],
    parts: &[Vec<Sums>],
    options: &Options,
) -> Result<SampleRatio, Error> {
    for (name, share) in &options.shares {
        if !names.contains(name) {
            return Err(Error::NoSuchArm(name.clone()));
        }
        within("share", *share, *share > 0.0 && share.is_finite(), "a share is above 0")?;
    }
    let share = |arm: &String| {
        let declared = options.shares.iter().find(|(name, _)| name == arm);
        declared.map_or(if options.shares.is_empty() { 1.0 } else { 0.0 }, |(_, share)| *share)
    };
    let shares: Vec<f64> = names.iter().map(share).collect();
    let whole: f64 = shares.iter().sum();
    let counts: Vec<u64> = sums.iter().map(Sums::units).collect();
    let shares: Vec<f64> = shares.iter().map(|share| share / whole).collect();
    let p_value = sample_ratio::fixed(&counts, &shares);
    let always_valid_p_value = (options.looks > 0).then(|| sequential_ratio(parts, &shares));
    Ok(SampleRatio { shares, p_value, always_valid_p_value })
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
        reason: String::new(),
        looks: Vec::new(),
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

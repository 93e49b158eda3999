//! An experiment's rows to its report.

use millrace_statistics::two_sample::correction::holm;

use super::Error;
use super::conclude::{conclude, stopped};
use super::looks::{looks, sequential_ratio};
use super::options::Options;
use super::report::{
    AdjustedDifferences, Answer, ArmReport, Comparison, Conclusion, Differences, Report, SampleRatio, Tests,
};
use super::rows::{Row, Units};
use crate::analysis::always_valid::Msprt;
use crate::analysis::estimate::adjusted;
use crate::analysis::{Effect, Estimate, Metric, Scale, Side, Sums, Undefined, fixed, sample_ratio};
use crate::range::within;

/// Analyses rows.
///
/// # Errors
/// What the rows' source gives, a value that does not fit, fewer than two arms, an arm that no row has.
pub fn analyze(
    rows: impl IntoIterator<Item = Result<Row, Error>>,
    options: &Options,
) -> Result<Report, Error> {
    options.check()?;
    let units = units(rows, options.kind)?;
    let order = order(units.arms(), options)?;
    let of = |sums: Vec<Sums>| -> Vec<Sums> { order.iter().map(|arm| sums[*arm].clone()).collect() };
    let parts: Vec<Vec<Sums>> = units.parts(options.looks.max(1)).into_iter().map(of).collect();
    let names: Vec<String> = order.iter().map(|arm| units.arms()[*arm].clone()).collect();
    let sums = whole(&parts, names.len());
    let ratio = ratio(&names, &sums, &parts, options)?;
    let stopped = stopped(&units, &ratio, options);
    let covariate = units.covariate && options.kind != Metric::Ratio;
    let compared = |(at, name): (usize, &String)| Comparison {
        looks: looks(&parts, at, covariate, options),
        ..compare(name, &sums[0], &sums[at], covariate, options)
    };
    let mut comparisons: Vec<Comparison> = names.iter().enumerate().skip(1).map(compared).collect();
    let welch = |one: &Comparison| one.primary().map_or(f64::NAN, |tests| tests.welch.p_value);
    let p_values: Vec<f64> = comparisons.iter().map(welch).collect();
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

fn units(rows: impl IntoIterator<Item = Result<Row, Error>>, kind: Metric) -> Result<Units, Error> {
    let mut units = Units::default();
    for (at, row) in rows.into_iter().enumerate() {
        units.take(at as u64 + 1, row?, kind)?;
    }
    Ok(units)
}

/// The metric of all units, whatever their arm: what a plan starts from.
///
/// # Errors
/// What the rows' source gives, a value that does not fit.
pub fn describe(
    rows: impl IntoIterator<Item = Result<Row, Error>>,
    kind: Metric,
) -> Result<Result<Estimate, Undefined>, Error> {
    let mut sums = Sums::default();
    units(rows, kind)?.parts(1).iter().flatten().for_each(|arm| sums.merge(arm));
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
    let declared =
        |arm: &String| options.shares.iter().find(|(name, _)| name == arm).map(|(_, share)| *share);
    let share = |arm: &String| match declared(arm) {
        Some(share) => Ok(share),
        None if options.shares.is_empty() => Ok(1.0),
        None => Err(Error::NoShare(arm.clone())),
    };
    let shares: Vec<f64> = names.iter().map(share).collect::<Result<_, _>>()?;
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

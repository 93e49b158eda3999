//! Power and required size of an experiment before its start.

use serde::{Deserialize, Serialize};

use super::power::{detectable, power, required_units};
use crate::range::{OutOfRange, within};

/// What is planned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The difference that is to be seen, in the metric's unit.
    pub effect: f64,
    /// The variance of one unit of the control, and of the treatment with the effect.
    pub variances: (f64, f64),
    /// Shares of traffic, the control's first; what they leave out takes no part.
    pub shares: Vec<f64>,
    /// The level of the whole experiment.
    pub alpha: f64,
    /// The probability with which the difference is to be seen, in each arm.
    pub power: f64,
    /// New units a day, of all traffic.
    pub units_per_day: f64,
    /// How long after the last exposure until a unit counts: its window and the label horizon, days.
    pub tail_days: f64,
}

/// What it takes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The level at which one arm is compared: the whole one over the number of arms (Holm's strictest step).
    pub alpha_per_arm: f64,
    /// Units of each arm, the control first.
    pub units: Vec<u64>,
    /// How long units are taken in, days.
    pub exposure_days: f64,
    /// Until the last one counts, days.
    pub days: f64,
    /// The power that the smallest arm then has.
    pub power: f64,
    /// What shorter and longer experiments see.
    pub detectable: Vec<Detectable>,
}

/// What an experiment of a length sees with the declared power.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Detectable {
    /// How long units are taken in.
    pub exposure_days: f64,
    /// Units of the control.
    pub control: u64,
    /// Units of the smallest arm.
    pub treatment: u64,
    /// The least difference that is seen.
    pub effect: f64,
}

/// Why nothing is planned.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// A number outside its range.
    #[error(transparent)]
    Number(#[from] OutOfRange),
    /// Nothing to compare.
    #[error("{0} arms: two are needed")]
    Arms(usize),
    /// No number of units is enough.
    #[error("no number of units sees a difference of {0}")]
    Never(f64),
}

/// Lengths of which it is told what they see, days.
const LENGTHS: [f64; 5] = [7.0, 14.0, 28.0, 56.0, 112.0];

/// Sizes an experiment looked at once, at its end, by the normal approximation.
///
/// # Errors
/// A number out of range; a difference that no number of units sees.
pub fn plan(ask: &Ask) -> Result<Plan, Error> {
    check(ask)?;
    let alpha = ask.alpha / (ask.shares.len() - 1) as f64;
    let control = ask.shares[0];
    let smallest = ask.shares[1..].iter().copied().fold(f64::INFINITY, f64::min);
    let (control_units, _) = required_units(ask.effect, ask.variances, smallest / control, alpha, ask.power)
        .ok_or(Error::Never(ask.effect))?;
    let whole = control_units as f64 / control;
    let exposure_days = whole / ask.units_per_day;
    let at = |days: f64, share: f64| days * ask.units_per_day * share;
    let error =
        |days: f64| (ask.variances.0 / at(days, control) + ask.variances.1 / at(days, smallest)).sqrt();
    let seen = |days: f64| Detectable {
        exposure_days: days,
        control: at(days, control) as u64,
        treatment: at(days, smallest) as u64,
        effect: detectable(error(days), alpha, ask.power),
    };
    Ok(Plan {
        alpha_per_arm: alpha,
        units: ask.shares.iter().map(|share| (whole * share).ceil() as u64).collect(),
        exposure_days,
        days: exposure_days + ask.tail_days,
        power: power(ask.effect, error(exposure_days), alpha),
        detectable: LENGTHS.map(seen).to_vec(),
    })
}

fn check(ask: &Ask) -> Result<(), Error> {
    let (inside, above) = (|v: f64| v > 0.0 && v < 1.0, |v: f64| v > 0.0 && v.is_finite());
    if ask.shares.len() < 2 {
        return Err(Error::Arms(ask.shares.len()));
    }
    let size = ask.effect.abs();
    within("effect", ask.effect, above(size), "a difference to be seen is not 0")?;
    within("alpha", ask.alpha, inside(ask.alpha), "a level lies in (0, 1)")?;
    within("power", ask.power, inside(ask.power), "a power lies in (0, 1)")?;
    within("units per day", ask.units_per_day, above(ask.units_per_day), "without units nothing is seen")?;
    within("tail", ask.tail_days, ask.tail_days >= 0.0, "it does not end before it begins")?;
    for share in &ask.shares {
        within("share", *share, *share > 0.0 && *share <= 1.0, "a share lies in (0, 1]")?;
    }
    let sum: f64 = ask.shares.iter().sum();
    within("sum of shares", sum, sum <= 1.0 + 1e-9, "there is no more traffic than all")?;
    let (one, two) = ask.variances;
    Ok(within("variance", one.min(two), above(one) && above(two), "a variance is above 0")?)
}

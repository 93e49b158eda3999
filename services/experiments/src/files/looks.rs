//! What could have been said on the way: the always-valid tests at each of many looks.

use super::options::Options;
use super::report::Look;
use crate::analysis::always_valid::Looks;
use crate::analysis::estimate::adjusted;
use crate::analysis::sample_ratio::Sequential;
use crate::analysis::{Effect, Estimate, Scale, Side, Sums, Undefined};

/// The confidence sequence of one arm against the control after each part; none where no looks are asked for.
pub(super) fn looks(parts: &[Vec<Sums>], arm: usize, covariate: bool, options: &Options) -> Vec<Look> {
    if options.looks == 0 {
        return Vec::new();
    }
    let (mut control, mut treatment) = (Sums::default(), Sums::default());
    let mut held = Looks::new(options.burn_in_units);
    let mut told = Vec::with_capacity(parts.len());
    for part in parts {
        control.merge(&part[0]);
        treatment.merge(&part[arm]);
        let Ok(effect) = effect(&control, &treatment, covariate, options) else { continue };
        let tested = options.sequence.test(&effect, 0.0, options.alpha);
        held.look(effect.units, &tested);
        told.push(Look {
            units: effect.units,
            difference: tested.difference,
            low: tested.low,
            high: tested.high,
            counts: effect.units >= options.burn_in_units,
            p_value: held.p_value,
        });
    }
    told
}

fn effect(control: &Sums, arm: &Sums, covariate: bool, options: &Options) -> Result<Effect, Undefined> {
    let (control, arm) = if covariate {
        let found = adjusted(options.kind, control, arm)?;
        (found.control, found.treatment)
    } else {
        (
            Estimate::of(options.kind, control, Side::Control)?,
            Estimate::of(options.kind, arm, Side::Treatment)?,
        )
    };
    Effect::of(&control, &arm, Scale::Absolute)
}

/// The sequential test of the sample ratio, looked at after each part. Arms without a share do not take part.
pub(super) fn sequential_ratio(parts: &[Vec<Sums>], shares: &[f64]) -> f64 {
    let declared: Vec<usize> = (0..shares.len()).filter(|arm| shares[*arm] > 0.0).collect();
    let shares: Vec<f64> = declared.iter().map(|arm| shares[*arm]).collect();
    let mut test = Sequential::new(&shares, Sequential::CONCENTRATION);
    for part in parts {
        test.look(&declared.iter().map(|arm| part[*arm].units()).collect::<Vec<_>>());
    }
    test.p_value()
}

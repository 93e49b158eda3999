//! Parameters that keep to a rate of false alarms, found on streams without change.

use super::{Detector, Error, Parameters, Signal};

/// How sure it is that the rate is kept: 1 minus this.
const DOUBT: f64 = 0.05;

/// A ladder of strictness has so many steps.
const LEVELS: u32 = 120;

/// `base` with its threshold moved to the least strict step whose false alarms on streams where nothing changes show at
/// 95 % confidence that one comes in `rows_per_alarm` rows at most (an upper bound of a Poisson rate, Garwood 1936), in
/// each group of streams. Each stream is watched by a detector of its own.
///
/// The threshold is `delta` of ADWIN, `drift_threshold` of DDM (warning at two thirds), `beta` of EDDM (warning half way
/// to 1), `drift_confidence` of HDDM (warning at ten times), `threshold` of Page-Hinkley and CUSUM and `alpha` of KSWIN;
/// everything else stays.
///
/// # Errors
/// A group has less than three times `rows_per_alarm` rows, holds a value that the detector refuses, or alarms too often
/// at every step.
pub fn calibrate(
    base: Parameters,
    groups: &[Vec<Vec<f64>>],
    rows_per_alarm: u64,
) -> Result<Parameters, Error> {
    let mut watched = Vec::with_capacity(groups.len());
    for streams in groups {
        let rows: u64 = streams.iter().map(|stream| stream.len() as u64).sum();
        let allowed = most_alarms(rows as f64 / rows_per_alarm.max(1) as f64);
        let needed = (-DOUBT.ln() * rows_per_alarm as f64).ceil() as u64;
        watched.push((streams.as_slice(), allowed.ok_or(Error::TooFewRows { rows, needed })?));
    }
    let keeps = |level| keeps_all(base.at_level(level), &watched);
    if !keeps(LEVELS)? {
        return Err(Error::Uncalibrated { detector: base.name(), rows_per_alarm });
    }
    // Steps below `lenient` alarm too often, `strict` does not.
    let (mut lenient, mut strict) = (0, LEVELS);
    while lenient < strict {
        let middle = lenient.midpoint(strict);
        if keeps(middle)? {
            strict = middle;
        } else {
            lenient = middle + 1;
        }
    }
    Ok(base.at_level(strict))
}

/// The most alarms that still show a rate below the wanted one, `expected` being those of the wanted rate.
fn most_alarms(expected: f64) -> Option<u64> {
    let (mut term, mut sum, mut count) = ((-expected).exp(), 0.0, 0);
    loop {
        sum += term;
        if sum > DOUBT {
            return u64::checked_sub(count, 1);
        }
        count += 1;
        term *= expected / count as f64;
    }
}

/// Whether each group has at most so many alarms.
fn keeps_all(parameters: Parameters, groups: &[(&[Vec<f64>], u64)]) -> Result<bool, Error> {
    for (streams, allowed) in groups {
        if !keeps(parameters, streams, *allowed)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn keeps(parameters: Parameters, streams: &[Vec<f64>], allowed: u64) -> Result<bool, Error> {
    let mut alarms = 0;
    for stream in streams {
        let mut detector = Detector::new(parameters)?;
        for value in stream {
            alarms += u64::from(detector.update(*value)? == Signal::Drift);
            if alarms > allowed {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

impl Parameters {
    /// The threshold at a step of strictness: the higher, the fewer alarms.
    fn at_level(self, level: u32) -> Self {
        let step = f64::from(level);
        // To two digits, so that calibrated parameters can be written down.
        let confidence = two_digits(0.5 * libm::pow(10.0, -step / 8.0));
        let threshold = two_digits(libm::pow(2.0, step / 8.0));
        match self {
            Self::Adwin(p) => Self::Adwin(super::Adwin { delta: confidence, ..p }),
            Self::Kswin(p) => Self::Kswin(super::Kswin { alpha: confidence, ..p }),
            Self::HddmA(mut p) => {
                (p.drift_confidence, p.warning_confidence) = (confidence, warning(confidence));
                Self::HddmA(p)
            }
            Self::HddmW(mut p) => {
                (p.drift_confidence, p.warning_confidence) = (confidence, warning(confidence));
                Self::HddmW(p)
            }
            Self::PageHinkley(p) => Self::PageHinkley(super::PageHinkley { threshold, ..p }),
            Self::Cusum(p) => Self::Cusum(super::Cusum { threshold, ..p }),
            Self::Ddm(mut p) => {
                p.drift_threshold = 1.0 + step / 10.0;
                p.warning_threshold = two_digits(p.drift_threshold / 1.5);
                Self::Ddm(p)
            }
            Self::Eddm(mut p) => {
                p.beta = f64::from(124_u32.saturating_sub(level)) / 125.0;
                p.alpha = 0.5 + p.beta / 2.0;
                Self::Eddm(p)
            }
        }
    }
}

fn warning(confidence: f64) -> f64 {
    (10.0 * confidence).min(0.5)
}

fn two_digits(value: f64) -> f64 {
    format!("{value:.1e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::NAMES;
    use crate::detectors::stream::{Process, values};

    fn streams(process: Process) -> Vec<Vec<f64>> {
        (0..20).map(|seed| values(seed, &[(5_000, process)])).collect()
    }

    #[test]
    fn calibrated_parameters_keep_the_rate_and_a_step_less_does_not() {
        let errors = streams(Process::Bernoulli { rate: 0.2 });
        for name in NAMES {
            let base = Parameters::calibrated(name).unwrap();
            let found = calibrate(base, std::slice::from_ref(&errors), 10_000).unwrap();
            let level = (0..=LEVELS).find(|level| base.at_level(*level) == found).unwrap();
            // 10 alarms are those of the rate, 4 or fewer show that it is lower.
            assert!(keeps(found, &errors, 4).unwrap());
            assert!(level == 0 || !keeps(base.at_level(level - 1), &errors, 4).unwrap(), "{name}: {level}");
        }
    }

    #[test]
    fn every_step_of_the_ladder_is_valid_and_stricter() {
        for name in NAMES {
            let base = Parameters::calibrated(name).unwrap();
            for level in 0..=LEVELS {
                base.at_level(level).validate().unwrap();
                assert_ne!(base.at_level(level), base.at_level(level + 1));
            }
        }
    }

    #[test]
    fn too_short_a_range_is_refused_with_what_is_needed() {
        let base = Parameters::calibrated("cusum").unwrap();
        let error = calibrate(base, &[streams(Process::Bernoulli { rate: 0.2 })], 50_000).unwrap_err();
        assert_eq!(error, Error::TooFewRows { rows: 100_000, needed: 149_787 });
    }

    #[test]
    fn the_bound_is_that_of_poisson_counts() {
        // 1/2 of the 5 % quantiles of chi-square with 2 (k + 1) degrees of freedom: 2.996, 4.744, 6.296, 7.754
        assert_eq!(most_alarms(2.99), None);
        assert_eq!(most_alarms(3.0), Some(0));
        assert_eq!(most_alarms(4.75), Some(1));
        assert_eq!(most_alarms(7.74), Some(2));
        assert_eq!(most_alarms(20.0), Some(12));
    }
}

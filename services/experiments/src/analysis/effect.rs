//! Absolute and relative differences of two arms.

use serde::{Deserialize, Serialize};

use super::{Estimate, Side, Undefined};

/// How a difference is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Treatment less control.
    Absolute,
    /// The same over the control's raw mean.
    Relative,
}

/// A difference with its sampling variance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Effect {
    /// The difference.
    pub difference: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Degrees of freedom by Welch and Satterthwaite.
    pub degrees_of_freedom: f64,
    /// Units of both arms.
    pub units: u64,
}

/// The result of a test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Tested {
    /// The difference.
    pub difference: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// The lower end of the interval at level 1 - alpha.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// The two-sided p-value of the difference asked about.
    pub p_value: f64,
}

impl Effect {
    /// Of two arms.
    ///
    /// Relative: the delta method, var(t) / (n_t c^2) + var(c) t^2 / (n_c c^4), c and t being the raw means.
    ///
    /// # Errors
    /// An arm without variance; a relative effect of a control of mean 0.
    pub fn of(control: &Estimate, treatment: &Estimate, scale: Scale) -> Result<Self, Undefined> {
        for (side, estimate) in [(Side::Control, control), (Side::Treatment, treatment)] {
            if estimate.variance.is_nan() || estimate.variance <= 0.0 {
                return Err(Undefined::NoVariance(side));
            }
        }
        let (c, t) = (control.squared_error(), treatment.squared_error());
        let difference = treatment.mean - control.mean;
        let (difference, variance) = match scale {
            Scale::Absolute => (difference, t + c),
            Scale::Relative if control.raw_mean == 0.0 => return Err(Undefined::ZeroBaseline),
            Scale::Relative => {
                let base = control.raw_mean * control.raw_mean;
                let ratio = treatment.raw_mean / control.raw_mean;
                (difference / control.raw_mean, t / base + c * ratio * ratio / base)
            }
        };
        let freedom = |error: f64, units: u64| error * error / (units as f64 - 1.0);
        Ok(Self {
            difference,
            standard_error: variance.sqrt(),
            degrees_of_freedom: (t + c) * (t + c) / (freedom(t, treatment.units) + freedom(c, control.units)),
            units: control.units + treatment.units,
        })
    }

    /// Of one sample of differences, as of two versions on the same rows.
    ///
    /// # Errors
    /// Differences that are all the same.
    pub fn of_one(estimate: &Estimate) -> Result<Self, Undefined> {
        if estimate.variance.is_nan() || estimate.variance <= 0.0 {
            return Err(Undefined::NoDifference);
        }
        Ok(Self {
            difference: estimate.mean,
            standard_error: estimate.squared_error().sqrt(),
            degrees_of_freedom: estimate.units as f64 - 1.0,
            units: estimate.units,
        })
    }

    /// A result whose interval reaches `width` to both sides.
    pub(super) fn tested(&self, width: f64, p_value: f64) -> Tested {
        Tested {
            difference: self.difference,
            standard_error: self.standard_error,
            low: self.difference - width,
            high: self.difference + width,
            p_value,
        }
    }
}

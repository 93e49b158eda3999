//! Units without and with an effect.

use serde::Serialize;

use crate::analysis::Metric;
use crate::random::Random;

/// What units are like.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Population {
    /// Normal, mean 1, standard deviation 1; x is a covariate, correlated 0.7.
    Normal,
    /// 1 with this probability.
    Conversion(f64),
    /// 0 for 80 % of units, log-normal (sigma 1) for the others: amounts. x is a covariate of the same kind.
    Amounts,
    /// Means per row of units that have 1 to 20 rows and a level of their own.
    RowsOfUnits,
}

impl Population {
    /// The metric that it is of.
    pub fn metric(self) -> Metric {
        match self {
            Self::Normal | Self::Amounts => Metric::Mean,
            Self::Conversion(_) => Metric::Conversion,
            Self::RowsOfUnits => Metric::Ratio,
        }
    }

    /// Its name in tables.
    pub fn name(self) -> String {
        match self {
            Self::Normal => "normal".to_owned(),
            Self::Conversion(rate) => format!("conversion {}%", rate * 100.0),
            Self::Amounts => "amounts".to_owned(),
            Self::RowsOfUnits => "rows of units".to_owned(),
        }
    }

    /// y and x of a unit, the mean of y raised by a share.
    pub fn draw(self, random: &mut Random, raised: f64) -> (f64, f64) {
        match self {
            Self::Normal => {
                let x = random.normal();
                (1.0 + raised + 0.7 * x + 0.51_f64.sqrt() * random.normal(), x)
            }
            Self::Conversion(rate) => (f64::from(u8::from(random.chance(rate * (1.0 + raised)))), 0.0),
            Self::Amounts => {
                let habit = random.normal();
                let mut amount =
                    || if random.chance(0.2) { libm::exp(0.6 * habit + 0.8 * random.normal()) } else { 0.0 };
                let x = amount();
                (amount() * (1.0 + raised), x)
            }
            Self::RowsOfUnits => {
                let rows = 1 + random.below(20);
                let level = 1.0 + raised + 0.5 * random.normal();
                ((0..rows).map(|_| level + random.normal()).sum(), rows as f64)
            }
        }
    }
}

//! What is measured of a column, and of all columns together.

use std::fmt;
use std::str::FromStr;

use millrace_statistics::two_sample::{ColumnKind, Method};

use crate::profile::Kind;

/// A figure that is 0 where nothing changed and grows with the change, whatever the number of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Measure {
    /// The distribution of a column's values.
    Distribution(Method),
    /// The share of rows without a value.
    Missing,
    /// The share of rows whose value the reference does not have.
    NewValues,
    /// The share of rows outside of the reference's range.
    Outside,
    /// Of all columns: the share of rows that lie apart from all of the reference's.
    OutsideJointly,
    /// Of all columns: maximum mean discrepancy.
    Mmd,
    /// Of all columns: how well a classifier tells the windows apart.
    Classifier,
    /// Of labels: by how many standard errors a metric is worse than what the model was deployed with.
    Metric,
}

/// A name that is no measure's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}, missing, new_values, outside, outside_jointly, mmd, classifier")]
pub struct UnknownMeasure(String);

impl Measure {
    /// Those that are no [`Method`].
    const OWN: [Self; 6] =
        [Self::Missing, Self::NewValues, Self::Outside, Self::OutsideJointly, Self::Mmd, Self::Classifier];

    /// Its name in files, on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Distribution(method) => method.name(),
            Self::Missing => "missing",
            Self::NewValues => "new_values",
            Self::Outside => "outside",
            Self::OutsideJointly => "outside_jointly",
            Self::Mmd => "mmd",
            Self::Classifier => "classifier",
            Self::Metric => "metric",
        }
    }

    /// Whether it is of all columns together.
    pub fn is_joint(self) -> bool {
        matches!(self, Self::OutsideJointly | Self::Mmd | Self::Classifier)
    }

    /// Whether it compares the shares of one kind of rows.
    pub fn is_share(self) -> bool {
        matches!(self, Self::Missing | Self::NewValues | Self::Outside | Self::OutsideJointly)
    }

    /// An effect that is too small to matter to anybody: no calibrated threshold lies below it. Of shares it is a
    /// thousandth of the rows that no row of the reference was like; of rows outside of the range a hundredth, since new
    /// extremes come in clumps (of a rolling count, one busy key makes many rows).
    pub fn floor(self) -> f64 {
        match self {
            Self::Distribution(Method::Wasserstein | Method::Energy) => 0.0,
            Self::Distribution(Method::Psi) => 0.005,
            Self::Distribution(_) | Self::Mmd => 0.01,
            Self::Classifier => 0.02,
            Self::Outside => 0.2,
            // An interval of 95 % spans as much.
            Self::Metric => 1.96,
            _ => 0.064,
        }
    }

    /// What practice takes for a notable change, where nothing was calibrated; none where effects have the column's own
    /// unit. PSI: Siddiqi, "Credit Risk Scorecards", 2006 (0.1: some change). Shares: Cohen, "Statistical Power Analysis",
    /// 1988 (h = 0.2: a small effect). The others are set to 0.1, the default of common tools.
    pub fn conventional(self) -> Option<f64> {
        match self {
            Self::Distribution(Method::Wasserstein | Method::Energy | Method::AndersonDarling)
            | Self::Metric => None,
            Self::Distribution(_) | Self::Mmd => Some(0.1),
            _ => Some(0.2),
        }
    }

    /// By which power of the number of rows chance effects shrink: PSI is of second order in the differences, standard
    /// errors have shrunk already.
    pub fn noise_power(self) -> f64 {
        match self {
            Self::Distribution(Method::Psi) => 1.0,
            Self::Metric => 0.0,
            _ => 0.5,
        }
    }

    /// The largest effect there can be, where there is a largest.
    pub fn greatest(self) -> Option<f64> {
        use Method::{AndersonDarling, CramerVonMises, Energy, Psi, Wasserstein, WassersteinNormed};
        match self {
            Self::Distribution(
                AndersonDarling | CramerVonMises | Energy | Psi | Wasserstein | WassersteinNormed,
            )
            | Self::Metric => None,
            Self::Distribution(_) | Self::Classifier => Some(1.0),
            Self::Mmd => Some(std::f64::consts::SQRT_2),
            _ => Some(std::f64::consts::PI),
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Measure {
    type Err = UnknownMeasure;

    fn from_str(name: &str) -> Result<Self, UnknownMeasure> {
        if let Some(own) = Self::OWN.into_iter().find(|measure| measure.name() == name) {
            return Ok(own);
        }
        name.parse()
            .map(Self::Distribution)
            .map_err(|e: millrace_statistics::two_sample::UnknownMethod| UnknownMeasure(e.to_string()))
    }
}

/// What is measured of a column by default, where its windows have that many rows: its distribution by the method that
/// suits kind and size; missing values; new values where there can be any; numbers outside of the reference's range. Ids
/// are watched by their most frequent values and the rest (total variation: a share of rows, whatever the number of
/// values). `methods` are measured beside, where they apply.
pub fn default_measures(kind: Kind, rows: u64, methods: &[Method]) -> Vec<Measure> {
    let of = match kind {
        Kind::Numeric => ColumnKind::Numeric,
        _ => ColumnKind::Category,
    };
    let method = if kind == Kind::Id { Method::TotalVariation } else { Method::default_for(of, rows) };
    let mut measures = vec![Measure::Distribution(method), Measure::Missing];
    match kind {
        Kind::Numeric => measures.push(Measure::Outside),
        Kind::Category | Kind::Id => measures.push(Measure::NewValues),
        Kind::Boolean => {}
    }
    for method in methods.iter().filter(|method| method.applies_to(of)) {
        let asked = Measure::Distribution(*method);
        if !measures.contains(&asked) {
            measures.push(asked);
        }
    }
    measures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measure_is_found_by_its_name() {
        let all = Method::ALL.into_iter().map(Measure::Distribution).chain(Measure::OWN);
        for measure in all {
            assert_eq!(measure.name().parse(), Ok(measure));
        }
        let error = "anderson".parse::<Measure>().unwrap_err().to_string();
        assert!(error.contains("ad") && error.contains("missing"), "{error}");
    }

    #[test]
    fn methods_asked_for_are_added_where_they_apply() {
        let numeric = default_measures(Kind::Numeric, 100, &[Method::Psi, Method::ChiSquare]);
        assert!(numeric.contains(&Measure::Distribution(Method::Psi)) && numeric.contains(&Measure::Outside));
        assert!(!numeric.contains(&Measure::Distribution(Method::ChiSquare)));
        let ids = default_measures(Kind::Id, 100, &[Method::TotalVariation]);
        assert_eq!(
            ids,
            [Measure::Distribution(Method::TotalVariation), Measure::Missing, Measure::NewValues]
        );
    }
}

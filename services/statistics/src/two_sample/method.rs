//! The statistics by name.

use std::fmt;
use std::str::FromStr;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// Numbers.
    Numeric,
    /// Categories: texts, booleans.
    Category,
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Numeric => "numeric",
            Self::Category => "categorical",
        })
    }
}

/// A statistic that tells how a column of two windows differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// Kolmogorov-Smirnov: the greatest difference of the distribution functions.
    KolmogorovSmirnov,
    /// Wasserstein-1 (earth mover's) distance, in the column's unit.
    Wasserstein,
    /// The same in standard deviations of the reference.
    WassersteinNormed,
    /// Population stability index over bins or categories.
    Psi,
    /// Jensen-Shannon distance over bins or categories.
    JensenShannon,
    /// Hellinger distance over bins or categories.
    Hellinger,
    /// Anderson-Darling: differences of the distribution functions, weighted towards the tails.
    AndersonDarling,
    /// Cramer-von Mises: mean squared difference of the distribution functions.
    CramerVonMises,
    /// Energy distance.
    Energy,
    /// Mann-Whitney U: whether one window's values tend to be larger.
    MannWhitney,
    /// Chi-square test of homogeneity over categories.
    ChiSquare,
    /// Total variation: the share of rows that would have to change category.
    TotalVariation,
}

impl Method {
    /// Every method, in the order of the documentation.
    pub const ALL: [Self; 12] = [
        Self::KolmogorovSmirnov,
        Self::Wasserstein,
        Self::WassersteinNormed,
        Self::Psi,
        Self::JensenShannon,
        Self::Hellinger,
        Self::AndersonDarling,
        Self::CramerVonMises,
        Self::Energy,
        Self::MannWhitney,
        Self::ChiSquare,
        Self::TotalVariation,
    ];

    /// Its name in topic files, on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::KolmogorovSmirnov => "ks",
            Self::Wasserstein => "wasserstein",
            Self::WassersteinNormed => "wasserstein_normed",
            Self::Psi => "psi",
            Self::JensenShannon => "js",
            Self::Hellinger => "hellinger",
            Self::AndersonDarling => "ad",
            Self::CramerVonMises => "cvm",
            Self::Energy => "energy",
            Self::MannWhitney => "mann_whitney",
            Self::ChiSquare => "chi_square",
            Self::TotalVariation => "total_variation",
        }
    }

    /// Whether it compares counts in bins or categories.
    pub fn is_binned(self) -> bool {
        matches!(
            self,
            Self::Psi | Self::JensenShannon | Self::Hellinger | Self::ChiSquare | Self::TotalVariation
        )
    }

    /// Whether it compares such columns.
    pub fn applies_to(self, kind: ColumnKind) -> bool {
        match kind {
            ColumnKind::Numeric => !matches!(self, Self::ChiSquare | Self::TotalVariation),
            ColumnKind::Category => self.is_binned(),
        }
    }

    /// Whether it comes with a p-value.
    pub fn is_test(self) -> bool {
        use Method::{AndersonDarling, ChiSquare, CramerVonMises, KolmogorovSmirnov, MannWhitney};
        matches!(self, KolmogorovSmirnov | AndersonDarling | CramerVonMises | MannWhitney | ChiSquare)
    }

    /// The default for a column of such a kind, where the smaller window has this many rows.
    pub fn default_for(kind: ColumnKind, rows: u64) -> Self {
        let _ = (kind, rows);
        Self::KolmogorovSmirnov
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no method's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no method is named `{name}`{hint}")]
pub struct UnknownMethod {
    /// The name as given.
    pub name: String,
    /// Which name was probably meant, or all of them.
    pub hint: String,
}

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(name: &str) -> Result<Self, UnknownMethod> {
        Self::ALL
            .into_iter()
            .find(|m| m.name() == name)
            .ok_or_else(|| UnknownMethod { name: name.to_owned(), hint: String::new() })
    }
}

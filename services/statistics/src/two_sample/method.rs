//! The statistics by name.

use std::fmt;
use std::str::FromStr;

/// From so many rows on a window is large.
const MANY_ROWS: u64 = 1000;

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

    /// The default for a column of such a kind, where the smaller of the two windows has this many rows:
    ///
    /// - numbers, few rows: `ks`. Its p-value is exact, and D means the same for every column; tails hold too few rows to
    ///   be judged;
    /// - numbers, from 1,000 rows on: `wasserstein_normed`. It sees how far values moved, not only how many: a change of
    ///   scale or of the tail, to which D is nearly blind, and says it in a unit that a person can picture;
    /// - categories, few rows: `chi_square`, which pools what is too rare to be judged;
    /// - categories, from 1,000 rows on: `js`, which is bounded, needs no rule for empty cells, and so takes new and
    ///   vanished categories as they are.
    ///
    /// The README has the measurements behind it.
    pub fn default_for(kind: ColumnKind, rows: u64) -> Self {
        match (kind, rows < MANY_ROWS) {
            (ColumnKind::Numeric, true) => Self::KolmogorovSmirnov,
            (ColumnKind::Numeric, false) => Self::WassersteinNormed,
            (ColumnKind::Category, true) => Self::ChiSquare,
            (ColumnKind::Category, false) => Self::JensenShannon,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no method's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no method is named `{name}`: {hint}")]
pub struct UnknownMethod {
    /// The name as given.
    pub name: String,
    /// Which name was probably meant, or all of them.
    pub hint: String,
}

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(name: &str) -> Result<Self, UnknownMethod> {
        Self::ALL.into_iter().find(|method| method.name() == name).ok_or_else(|| UnknownMethod::of(name))
    }
}

impl UnknownMethod {
    /// Letters, digits and signs aside, what people call a method elsewhere.
    const ALIASES: [(&'static str, Method); 15] = [
        ("kolmogorovsmirnov", Method::KolmogorovSmirnov),
        ("kstest", Method::KolmogorovSmirnov),
        ("earthmover", Method::Wasserstein),
        ("emd", Method::Wasserstein),
        ("populationstabilityindex", Method::Psi),
        ("jensenshannon", Method::JensenShannon),
        ("andersondarling", Method::AndersonDarling),
        ("anderson", Method::AndersonDarling),
        ("cramervonmises", Method::CramerVonMises),
        ("energydistance", Method::Energy),
        ("mannwhitneyu", Method::MannWhitney),
        ("mannw", Method::MannWhitney),
        ("chisquared", Method::ChiSquare),
        ("chi2", Method::ChiSquare),
        ("tv", Method::TotalVariation),
    ];

    fn of(name: &str) -> Self {
        let plain: String = name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
        let alias = Self::ALIASES.iter().find(|(alias, _)| *alias == plain).map(|(_, method)| *method);
        let near = || {
            let by_distance = Method::ALL.into_iter().map(|m| (edits(&plain, &m.name().replace('_', "")), m));
            by_distance.filter(|(edits, m)| *edits <= m.name().len() / 3).min().map(|(_, method)| method)
        };
        let hint = match alias.or_else(near) {
            Some(method) => format!("did you mean `{method}`?"),
            None => format!("there are {}", Method::ALL.map(Method::name).join(", ")),
        };
        Self { name: name.to_owned(), hint }
    }
}

/// Levenshtein's distance between two short texts.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

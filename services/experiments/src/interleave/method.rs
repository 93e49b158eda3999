//! The methods by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A method of interleaving, with the credit that belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Radlinski, Kurup and Joachims, "How does clickthrough data reflect retrieval quality?", 2008: in each round the
    /// rankers, in random order, pick their best item that is left; a click is the picker's. More than two rankers:
    /// team-draft multileaving (Schuth et al., 2014).
    TeamDraft,
    /// Joachims, "Evaluating retrieval performance using clickthrough data", 2003: the rankings taken in turns, a coin
    /// says who starts; clicks count for who has them among the first k, k being the depth that the lowest click needs.
    Balanced,
    /// The lists of `Balanced`, credit by inverse propensity: what each ranking would have earned with the click's item at
    /// its own rank, under the examination 1 / log2(rank + 1).
    DebiasedBalanced,
    /// Hofmann, Whiteson and de Rijke, "A probabilistic method for inferring preferences from clicks", 2011: each position
    /// is drawn from a random ranker's softmax, P proportional to rank^-3; a click is divided by the probabilities with
    /// which each ranker would have given the item.
    Probabilistic,
    /// Radlinski and Craswell, "Optimized interleaving for online retrieval evaluation", 2013: of all lists that both
    /// rankings allow in the top 8, the distribution that is unbiased for random clicks and most sensitive; credit: the
    /// difference of inverse ranks.
    Optimized,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::TeamDraft, Self::Balanced, Self::DebiasedBalanced, Self::Probabilistic, Self::Optimized];

    /// Its name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::TeamDraft => "team_draft",
            Self::Balanced => "balanced",
            Self::DebiasedBalanced => "debiased_balanced",
            Self::Probabilistic => "probabilistic",
            Self::Optimized => "optimized",
        }
    }

    /// Whether it compares more than two rankings at once.
    pub fn takes_many(self) -> bool {
        matches!(self, Self::TeamDraft | Self::Probabilistic)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no method's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no interleaving method is named `{0}`: team_draft, balanced, debiased_balanced, probabilistic, optimized"
)]
pub struct UnknownMethod(String);

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(name: &str) -> Result<Self, UnknownMethod> {
        Self::ALL
            .into_iter()
            .find(|method| method.name() == name)
            .ok_or_else(|| UnknownMethod(name.to_owned()))
    }
}

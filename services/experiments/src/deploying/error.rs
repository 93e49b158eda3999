//! Why a deployment is refused.

use crate::assignment;

/// Why a deployment is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// Nothing serves yet, and no champion is named.
    #[error("nothing serves `{0}` yet: name the champion")]
    NoChampion(String),
    /// Arms or shares that are none.
    #[error(transparent)]
    Assignment(#[from] assignment::Error),
    /// An arm's name that is none.
    #[error("`{name}` cannot name an arm: {why}")]
    ArmName {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A share that is less than one bucket.
    #[error("arm `{arm}`: a share of {share} is less than one of 10,000 buckets; leave the arm out")]
    TooSmall {
        /// The arm.
        arm: String,
        /// The share.
        share: f64,
    },
    /// Rankings of a topic that has none.
    #[error("`{0}` has no rankings: there are no lists to interleave")]
    NoRankings(String),
    /// A way to make lists that is unknown.
    #[error(
        "there is no interleaving `{0}`; there are team_draft, balanced, debiased_balanced, probabilistic, optimized"
    )]
    Method(String),
    /// Lists are made of at least two rankings, and some methods take two alone.
    #[error("{method} takes {takes} different versions, not {given}")]
    Rankers {
        /// The method.
        method: String,
        /// How many it takes.
        takes: &'static str,
        /// How many there are.
        given: usize,
    },
    /// The canary is the champion.
    #[error("{0} serves already: a canary is another version")]
    SameVersion(String),
    /// A salt that another experiment has.
    #[error(
        "the salt `{salt}` is that of {other} (deployment {offset}): the same units would meet the same arms; give each its own"
    )]
    SharedSalt {
        /// The salt.
        salt: String,
        /// Which experiment has it.
        other: String,
        /// Where.
        offset: i64,
    },
    /// A part of a namespace that another experiment has.
    #[error("namespace `{namespace}`: {from} to {to} overlaps the part of {other} (deployment {offset})")]
    SharedNamespace {
        /// The namespace.
        namespace: String,
        /// The part's first bucket.
        from: i32,
        /// The first one after it.
        to: i32,
        /// Which experiment has some of it.
        other: String,
        /// Where.
        offset: i64,
    },
    /// A part of a namespace that is none.
    #[error("namespace `{namespace}`: {from} to {to} is no part of 0 to 10000")]
    Part {
        /// The namespace.
        namespace: String,
        /// The part's first bucket.
        from: i32,
        /// The first one after it.
        to: i32,
    },
    /// An earlier deployment that is not there.
    #[error("{0}")]
    NoSuchDeployment(String),
}

//! Which arm a unit belongs to: sticky, by hash, and the same in every process and on every replay.
//!
//! - [`hash`]: the bucket of a unit;
//! - [`buckets`]: sets of buckets;
//! - [`allocation`]: which arm holds which buckets, and how arms grow;
//! - [`namespace`]: experiments that exclude one another.

pub mod allocation;
pub mod buckets;
pub mod hash;
pub mod namespace;

pub use allocation::{Allocation, Arm};
pub use buckets::Buckets;
pub use namespace::Namespace;

use hash::bucket;

/// Why an assignment is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// Not an interval of buckets.
    #[error("buckets {start}..{end}: an interval needs start < end <= {}", hash::BUCKETS)]
    Interval {
        /// The first bucket.
        start: u16,
        /// The first one after.
        end: u16,
    },
    /// Intervals of one set overlap, or those of two arms or experiments.
    #[error("bucket {bucket} belongs to both `{first}` and `{second}`")]
    Overlap {
        /// One of the buckets.
        bucket: u16,
        /// Its one owner.
        first: String,
        /// Its other owner.
        second: String,
    },
    /// No arm, or two of one name.
    #[error("arm `{0}` is declared twice")]
    SameArm(String),
    /// An allocation without a champion.
    #[error("no arm is declared: the first one is the champion")]
    NoArm,
    /// A share that is none.
    #[error("arm `{arm}`: a share of {share} is not within 0 and 1")]
    Share {
        /// Whose.
        arm: String,
        /// The share.
        share: f64,
    },
    /// Shares over 1.
    #[error("the shares of all arms sum to {0}, above 1")]
    Shares(f64),
    /// A coverage that is none.
    #[error("a coverage of {0} is not within 0 and 1")]
    Coverage(f64),
    /// The champion's share follows from the others.
    #[error("`{0}` is the champion: its share is what the other arms leave; resize those")]
    ChampionResized(String),
    /// Growth beyond what may be taken.
    #[error(
        "arm `{arm}` cannot grow to {wanted} of {} buckets: the champion and the free ones leave {available}. No unit moves \
             between two other arms at once: let the others shrink first, then this one grow in a second deployment",
        hash::BUCKETS
    )]
    NoRoom {
        /// Which arm.
        arm: String,
        /// To how many buckets.
        wanted: usize,
        /// How many it could have.
        available: usize,
    },
    /// Two experiments with one salt would split the same units alike.
    #[error("experiments `{first}` and `{second}` share the salt `{salt}`: give each its own")]
    SharedSalt {
        /// One.
        first: String,
        /// The other.
        second: String,
        /// The salt.
        salt: String,
    },
}

/// How an experiment assigns its units.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// The experiment's own salt, the seed of its hash.
    pub salt: String,
    /// The namespace's name and the experiment's part of it; without one every unit may enter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<(String, Buckets)>,
    /// Which arm holds which buckets.
    pub allocation: Allocation,
}

impl Assignment {
    /// The arm of a unit; none for one outside the experiment, whom the champion serves without counting for it.
    pub fn arm_of(&self, unit: &str) -> Option<&Arm> {
        if let Some((name, part)) = &self.within
            && !part.contains(namespace::place(name, unit))
        {
            return None;
        }
        self.allocation.arm_of(bucket(&self.salt, unit))
    }
}

/// Refuses two experiments of one salt.
///
/// # Errors
/// [`Error::SharedSalt`] names them.
pub fn check_salts<'a>(
    experiments: impl IntoIterator<Item = (&'a str, &'a Assignment)>,
) -> Result<(), Error> {
    let mut seen = std::collections::BTreeMap::new();
    for (name, assignment) in experiments {
        if let Some(first) = seen.insert(assignment.salt.as_str(), name) {
            let (first, second) = (first.to_owned(), name.to_owned());
            return Err(Error::SharedSalt { first, second, salt: assignment.salt.clone() });
        }
    }
    Ok(())
}

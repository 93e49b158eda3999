//! One list of several rankings, and credit for clicks on it.
//!
//! - [`rankings`]: what is interleaved;
//! - [`method`]: the methods by name;
//! - [`list`]: the list shown, with the credit that a click on each position earns;
//! - [`choices`]: where randomness comes from: a seed, or a test that enumerates;
//! - [`credit`]: clicks on one list: duplicates, late ones, positions not shown, the final outcome;
//! - [`preference`]: whom users prefer: the sign test and an always-valid sequence.
//!
//! A method is a pure function of rankings, a length and a seed. The seed is a hash of the experiment's salt and the list
//! key, so page two of a list that is keyed by query and session agrees with page one.

mod balanced;
pub mod choices;
pub mod credit;
pub mod list;
pub mod method;
mod optimized;
pub mod preference;
mod probabilistic;
pub mod rankings;
mod simplex;
mod team_draft;

pub use list::{BadRow, List, Row, Slot};
pub use method::Method;
pub use rankings::Rankings;

use crate::random::Random;
use choices::Choices;

/// Why rankings are not interleaved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing to compare.
    #[error("{0} ranking given: interleaving needs two")]
    TooFew(usize),
    /// More than the method takes.
    #[error("{method} compares two rankings, {rankings} given: use team_draft or probabilistic")]
    TooMany {
        /// Which method.
        method: Method,
        /// How many rankings.
        rankings: usize,
    },
    /// A ranking without items.
    #[error("ranking {ranking} is empty")]
    Empty {
        /// Which one, from 1.
        ranking: usize,
    },
    /// An item that one ranking has twice.
    #[error("ranking {ranking}: rank {rank} repeats the item of rank {first}")]
    Repeated {
        /// Which one, from 1.
        ranking: usize,
        /// Where, from 1.
        rank: usize,
        /// Where the item stood first.
        first: usize,
    },
}

/// Interleaves `rankings` into a list of at most `length` items. Pages are cut from the list of all items: a list asked for
/// shorter need not begin alike (the optimized one has another top, debiased credit another depth).
///
/// # Errors
/// If the method takes no more than two rankings and there are more.
pub fn interleave<T>(
    method: Method,
    rankings: &Rankings<'_, T>,
    length: usize,
    seed: Random,
) -> Result<List, Error> {
    interleave_by(method, rankings, length, &mut choices::Seeded(seed))
}

/// The same with the choices of a test.
///
/// # Errors
/// As [`interleave`].
pub fn interleave_by<T>(
    method: Method,
    rankings: &Rankings<'_, T>,
    length: usize,
    choices: &mut impl Choices,
) -> Result<List, Error> {
    let length = length.min(rankings.items().len());
    if rankings.rankers() > 2 && !method.takes_many() {
        return Err(Error::TooMany { method, rankings: rankings.rankers() });
    }
    Ok(match method {
        Method::TeamDraft => team_draft::interleave(rankings, length, choices),
        Method::Balanced => balanced::interleave(rankings, length, false, choices),
        Method::DebiasedBalanced => balanced::interleave(rankings, length, true, choices),
        Method::Probabilistic => probabilistic::interleave(rankings, length, choices),
        Method::Optimized => optimized::interleave(rankings, length, choices),
    })
}

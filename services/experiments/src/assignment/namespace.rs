//! Experiments that exclude one another: each holds its own part of a namespace's buckets.

use serde::{Deserialize, Serialize};

use super::{Buckets, Error, hash};

/// A namespace and what its experiments hold of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// Experiments and their parts.
    pub parts: Vec<(String, Buckets)>,
}

/// The bucket of a unit in a namespace. Its seed is the name behind two underscores, so that it differs from the salt of
/// an experiment of that name.
pub fn place(namespace: &str, unit: &str) -> u16 {
    hash::bucket(&format!("__{namespace}"), unit)
}

impl Namespace {
    /// Without experiments.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), parts: Vec::new() }
    }

    /// What no experiment holds.
    pub fn free(&self) -> Buckets {
        self.parts.iter().fold(Buckets::all(), |free, (_, part)| free.minus(part))
    }

    /// Gives an experiment a part, besides what it may hold already.
    ///
    /// # Errors
    /// If another experiment holds one of the buckets.
    pub fn claim(&mut self, experiment: &str, part: &Buckets) -> Result<(), Error> {
        let others = self.parts.iter().filter(|(name, _)| name != experiment);
        for (name, held) in others {
            if let Some(bucket) = held.first_shared(part) {
                return Err(Error::Overlap { bucket, first: name.clone(), second: experiment.to_owned() });
            }
        }
        match self.parts.iter_mut().find(|(name, _)| name == experiment) {
            Some((_, held)) => *held = held.plus(part),
            None => self.parts.push((experiment.to_owned(), part.clone())),
        }
        Ok(())
    }

    /// Takes an experiment's part back.
    pub fn release(&mut self, experiment: &str) {
        self.parts.retain(|(name, _)| name != experiment);
    }
}

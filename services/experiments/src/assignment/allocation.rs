//! Which arm holds which buckets, and how arms grow.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::hash::BUCKETS;
use super::{Buckets, Error};

/// An arm and its buckets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// The arm's name, unique in its experiment.
    pub name: String,
    /// Its buckets.
    pub buckets: Buckets,
}

impl Arm {
    /// The probability that a unit of the experiment falls into it.
    pub fn share(&self) -> f64 {
        self.buckets.count() as f64 / f64::from(BUCKETS)
    }
}

/// The arms of an experiment, the champion first; no bucket has two. Buckets of no arm are outside the experiment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Arm>", into = "Vec<Arm>")]
pub struct Allocation(Vec<Arm>);

impl Allocation {
    /// Of arms with their buckets.
    ///
    /// # Errors
    /// Without an arm, with two of one name, or with a bucket of two arms.
    pub fn of(arms: Vec<Arm>) -> Result<Self, Error> {
        if arms.is_empty() {
            return Err(Error::NoArm);
        }
        for (at, arm) in arms.iter().enumerate() {
            for other in &arms[..at] {
                if other.name == arm.name {
                    return Err(Error::SameArm(arm.name.clone()));
                }
                if let Some(bucket) = other.buckets.first_shared(&arm.buckets) {
                    let (first, second) = (other.name.clone(), arm.name.clone());
                    return Err(Error::Overlap { bucket, first, second });
                }
            }
        }
        Ok(Self(arms))
    }

    /// Arms one after the other as GrowthBook lays them: arm i from the sum of the shares before it, `coverage` of its
    /// share long, so that a greater coverage only takes units in.
    ///
    /// # Errors
    /// A share or a coverage outside [0, 1], shares over 1, and what [`of`](Self::of) refuses.
    pub fn lay(shares: &[(&str, f64)], coverage: f64) -> Result<Self, Error> {
        if !(0.0..=1.0).contains(&coverage) {
            return Err(Error::Coverage(coverage));
        }
        let mut before = 0.0;
        let mut arms = Vec::with_capacity(shares.len());
        for &(name, share) in shares {
            if !(0.0..=1.0).contains(&share) {
                return Err(Error::Share { arm: name.to_owned(), share });
            }
            let (start, end) = (first_at(before), first_at(before + coverage * share));
            let buckets = if start < end { Buckets::of(&[(start, end)])? } else { Buckets::none() };
            arms.push(Arm { name: name.to_owned(), buckets });
            before += share;
        }
        // Thirds and tenths sum to a rounding error above 1.
        if before > 1.0 + 1e-9 {
            return Err(Error::Shares(before));
        }
        Self::of(arms)
    }

    /// The arms, the champion first.
    pub fn arms(&self) -> &[Arm] {
        &self.0
    }

    /// The arm that holds a bucket.
    pub fn arm_of(&self, bucket: u16) -> Option<&Arm> {
        self.0.iter().find(|arm| arm.buckets.contains(bucket))
    }

    /// The allocation in which the named arms, new or old ones but not the champion, have that many buckets.
    ///
    /// An arm that shrinks gives its highest buckets to the champion. One that grows takes free buckets first, the lowest,
    /// then the champion's highest; never what another arm gives up in the same step: nobody moves between two other arms.
    ///
    /// # Errors
    /// If the champion is named, an arm is named twice, or there is no room.
    pub fn resize(&self, sizes: &[(&str, usize)]) -> Result<Self, Error> {
        let champion = &self.0[0];
        let mut wanted = BTreeMap::new();
        for &(name, size) in sizes {
            if name == champion.name {
                return Err(Error::ChampionResized(name.to_owned()));
            }
            if wanted.insert(name, size).is_some() {
                return Err(Error::SameArm(name.to_owned()));
            }
        }
        let mut pool = Pool::of(self);
        let mut given_up = Buckets::none();
        let mut others = self.0[1..].to_vec();
        let known: BTreeSet<_> = others.iter().map(|arm| arm.name.clone()).collect();
        let new = sizes.iter().filter(|(name, _)| !known.contains(*name));
        others.extend(new.map(|(name, _)| Arm { name: (*name).to_owned(), buckets: Buckets::none() }));
        for arm in &mut others {
            let Some(&size) = wanted.get(arm.name.as_str()) else { continue };
            let has = arm.buckets.count();
            if size <= has {
                let leaving = arm.buckets.highest(has - size);
                arm.buckets = arm.buckets.minus(&leaving);
                given_up = given_up.plus(&leaving);
            } else {
                let taken = pool.take(size - has).ok_or_else(|| Error::NoRoom {
                    arm: arm.name.clone(),
                    wanted: size,
                    available: has + pool.count(),
                })?;
                arm.buckets = arm.buckets.plus(&taken);
            }
        }
        let champion = Arm { name: champion.name.clone(), buckets: pool.champion.plus(&given_up) };
        Self::of(std::iter::once(champion).chain(others).collect())
    }
}

/// What an arm may grow into.
struct Pool {
    free: Buckets,
    champion: Buckets,
}

impl Pool {
    fn of(allocation: &Allocation) -> Self {
        let held = allocation.0.iter().fold(Buckets::none(), |held, arm| held.plus(&arm.buckets));
        Self { free: held.complement(), champion: allocation.0[0].buckets.clone() }
    }

    fn count(&self) -> usize {
        self.free.count() + self.champion.count()
    }

    fn take(&mut self, count: usize) -> Option<Buckets> {
        if count > self.count() {
            return None;
        }
        let free = self.free.lowest(count);
        let champion = self.champion.highest(count - free.count());
        self.free = self.free.minus(&free);
        self.champion = self.champion.minus(&champion);
        Some(free.plus(&champion))
    }
}

/// The first bucket at or above a share: bucket b stands for b / 10,000, as in GrowthBook's comparison of doubles.
fn first_at(share: f64) -> u16 {
    let scale = f64::from(BUCKETS);
    let near = (share * scale).round().clamp(0.0, scale) as u16;
    let from = near.saturating_sub(2);
    (from..BUCKETS).find(|bucket| f64::from(*bucket) / scale >= share).unwrap_or(BUCKETS)
}

impl TryFrom<Vec<Arm>> for Allocation {
    type Error = Error;

    fn try_from(arms: Vec<Arm>) -> Result<Self, Error> {
        Self::of(arms)
    }
}

impl From<Allocation> for Vec<Arm> {
    fn from(allocation: Allocation) -> Self {
        allocation.0
    }
}

//! Summaries of units as bytes, so that a service can send parts.

use std::collections::BTreeMap;

use millrace_statistics::DecodeError;
use millrace_statistics::decode::{Reader, put_block, put_varint};

use super::{ArmUnits, Summary};
use crate::analysis::Sums;

const FORMAT: u8 = 1;

impl Summary {
    /// Takes the summary of other units. Parts must not share a unit: they are partitioned by it.
    pub fn merge(&mut self, other: &Self) {
        for (name, units) in &other.arms {
            let arm = self.arms.entry(name.clone()).or_default();
            arm.mature.merge(&units.mature);
            arm.immature.merge(&units.immature);
        }
        self.mixed += other.mixed;
        self.exposed += other.exposed;
        self.unexposed += other.unexposed;
    }

    /// Equal summaries have equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        for count in [self.mixed, self.exposed, self.unexposed, self.arms.len() as u64] {
            put_varint(&mut bytes, count);
        }
        for (name, units) in &self.arms {
            put_block(&mut bytes, name.as_bytes());
            put_block(&mut bytes, &units.mature.to_bytes());
            put_block(&mut bytes, &units.immature.to_bytes());
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// Anything else, saying where it does not fit.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("summary of units", bytes);
        reader.format(FORMAT)?;
        let [mixed, exposed, unexposed] = [reader.varint()?, reader.varint()?, reader.varint()?];
        let mut arms = BTreeMap::new();
        for _ in 0..reader.count(3)? {
            let name = reader.text()?.to_owned();
            let mature = Sums::from_bytes(reader.block()?)?;
            arms.insert(name, ArmUnits { mature, immature: Sums::from_bytes(reader.block()?)? });
        }
        reader.end()?;
        Ok(Self { arms, mixed, exposed, unexposed })
    }
}

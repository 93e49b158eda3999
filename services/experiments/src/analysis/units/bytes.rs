//! Units and their summaries as bytes, so that a service can send parts and keep its state in the log.

use std::collections::BTreeMap;

use millrace_statistics::DecodeError;
use millrace_statistics::decode::{Reader, put_block, put_varint};

use super::{ArmUnits, Rules, Summary, Totals, Unit, Units, Values};
use crate::analysis::Sums;

const FORMAT: u8 = 1;
/// What kind of values follows.
const EACH: u8 = 0;
const CLOSED: u8 = 1;

impl Units {
    /// As bytes, the rules included: what has been compacted was compacted by them.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        let rules = &self.rules;
        for time in [rules.window_ms, rules.label_horizon_ms, rules.covariate_ms] {
            bytes.extend(time.to_le_bytes());
        }
        bytes.extend(rules.max_mixed_share.to_le_bytes());
        put_varint(&mut bytes, self.units.len() as u64);
        for (name, unit) in &self.units {
            put_block(&mut bytes, name.as_bytes());
            unit.put(&mut bytes);
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// Anything else, saying where it does not fit.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("units", bytes);
        reader.format(FORMAT)?;
        let rules = Rules {
            window_ms: reader.signed()?,
            label_horizon_ms: reader.signed()?,
            covariate_ms: reader.signed()?,
            max_mixed_share: reader.float()?,
        };
        let mut units = BTreeMap::new();
        for _ in 0..reader.count(4)? {
            units.insert(reader.text()?.to_owned(), Unit::take(&mut reader)?);
        }
        reader.end()?;
        Ok(Self { rules, units })
    }
}

impl Unit {
    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend([u8::from(self.mixed), u8::from(self.first.is_some())]);
        if let Some((time, arm)) = &self.first {
            bytes.extend(time.to_le_bytes());
            put_block(bytes, arm.as_bytes());
        }
        match &self.values {
            Values::Each(values) => {
                bytes.push(EACH);
                put_varint(bytes, values.len() as u64);
                for (time, y, denominator) in values {
                    bytes.extend(time.to_le_bytes());
                    bytes.extend([*y, *denominator].iter().flat_map(|value| value.to_le_bytes()));
                }
            }
            Values::Closed(Totals { y, denominator, covariate }) => {
                bytes.push(CLOSED);
                bytes.extend([y, denominator, covariate].iter().flat_map(|value| value.to_le_bytes()));
            }
        }
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mixed = reader.flag()?;
        let first = if reader.flag()? { Some((reader.signed()?, reader.text()?.to_owned())) } else { None };
        let values = match reader.array()? {
            [EACH] => {
                let count = reader.count(24)?;
                let mut one = || Ok((reader.signed()?, reader.float()?, reader.float()?));
                Values::Each((0..count).map(|_| one()).collect::<Result<_, DecodeError>>()?)
            }
            [CLOSED] => Values::Closed(Totals {
                y: reader.float()?,
                denominator: reader.float()?,
                covariate: reader.float()?,
            }),
            _ => return Err(reader.malformed("no values begin like this")),
        };
        Ok(Self { first, mixed, values })
    }
}

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

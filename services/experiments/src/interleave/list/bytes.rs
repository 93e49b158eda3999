//! Lists as bytes.

use millrace_statistics::DecodeError;
use millrace_statistics::decode::{Reader, put_varint};

use super::{List, Rule, Slot};

const FORMAT: u8 = 1;
/// More than anybody interleaves: a bound on what bytes may make this allocate.
const MOST_RANKERS: u64 = 1 << 16;
/// Which rule follows.
const PER_SLOT: u8 = 0;
const DEPTH: u8 = 1;

impl List {
    /// As bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        for count in [self.rankers, self.common_prefix, self.slots.len()] {
            put_varint(&mut bytes, count as u64);
        }
        for slot in &self.slots {
            put_varint(&mut bytes, u64::from(slot.item));
            put_option(&mut bytes, slot.team);
        }
        match &self.rule {
            Rule::PerSlot(credit) => {
                bytes.push(PER_SLOT);
                bytes.extend(credit.iter().flat_map(|credit| credit.to_le_bytes()));
            }
            Rule::Depth(ranks) => {
                bytes.push(DEPTH);
                ranks.iter().flatten().for_each(|rank| put_option(&mut bytes, *rank));
            }
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// Anything else, saying where it does not fit.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("list", bytes);
        reader.format(FORMAT)?;
        let rankers = match reader.varint()? {
            rankers @ 1..=MOST_RANKERS => rankers as usize,
            _ => return Err(reader.malformed("no list has so many rankers")),
        };
        let common_prefix = reader.varint()? as usize;
        let length = reader.count(2)?;
        let mut slots = Vec::with_capacity(length);
        for _ in 0..length {
            slots.push(Slot { item: item(&mut reader)?, team: option(&mut reader)? });
        }
        if slots.iter().any(|slot| slot.team.is_some_and(|team| team as usize >= rankers)) {
            return Err(reader.malformed("a team that is no ranker"));
        }
        let rule = match reader.array()? {
            [PER_SLOT] => {
                let credits = length.saturating_mul(rankers);
                let credit = (0..credits).map(|_| reader.float()).collect::<Result<_, _>>()?;
                Rule::PerSlot(credit)
            }
            [DEPTH] if rankers == 2 => {
                let mut ranks = Vec::with_capacity(length);
                for _ in 0..length {
                    ranks.push([option(&mut reader)?, option(&mut reader)?]);
                }
                Rule::Depth(ranks)
            }
            _ => return Err(reader.malformed("no rule of credit begins like this")),
        };
        reader.end()?;
        Ok(Self { slots, rankers, rule, common_prefix })
    }
}

fn item(reader: &mut Reader<'_>) -> Result<u32, DecodeError> {
    let item = reader.varint()?;
    u32::try_from(item).map_err(|_| reader.malformed("a number of more than 32 bits"))
}

/// None as 0, a number as one more than itself.
fn put_option(bytes: &mut Vec<u8>, number: Option<u32>) {
    put_varint(bytes, number.map_or(0, |number| u64::from(number) + 1));
}

fn option(reader: &mut Reader<'_>) -> Result<Option<u32>, DecodeError> {
    let Some(number) = reader.varint()?.checked_sub(1) else { return Ok(None) };
    u32::try_from(number).map(Some).map_err(|_| reader.malformed("a number of more than 32 bits"))
}

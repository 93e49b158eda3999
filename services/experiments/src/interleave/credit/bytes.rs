//! Ledgers as bytes, so that lists whose horizon is open survive in the log.

use millrace_statistics::DecodeError;
use millrace_statistics::decode::{Reader, put_block, put_varint};

use super::{Ledger, Outcome, Rules};
use crate::interleave::List;

const FORMAT: u8 = 1;

impl Ledger {
    /// As bytes, list and rules included.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        put_block(&mut bytes, &self.list.to_bytes());
        bytes.extend(self.shown_at_ms.to_le_bytes());
        bytes.extend(self.rules.horizon_ms.to_le_bytes());
        bytes.push(u8::from(self.rules.skip_common_prefix));
        put_varint(&mut bytes, self.ids.len() as u64);
        self.ids.iter().for_each(|id| put_block(&mut bytes, id.as_bytes()));
        put_varint(&mut bytes, self.clicked.len() as u64);
        self.clicked.iter().for_each(|position| put_varint(&mut bytes, *position as u64));
        bytes.push(u8::from(self.shown.is_some()));
        bytes.extend(self.shown.iter().flatten().map(|shown| u8::from(*shown)));
        // What is counted while clicks come; the rest is found when the horizon closes.
        let Outcome { duplicate, late, early, not_in_list, .. } = &self.counts;
        [duplicate, late, early, not_in_list].iter().for_each(|count| put_varint(&mut bytes, **count));
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// Anything else, saying where it does not fit.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("ledger", bytes);
        reader.format(FORMAT)?;
        let list = List::from_bytes(reader.block()?)?;
        let length = list.slots().len();
        let shown_at_ms = reader.signed()?;
        let rules = Rules { horizon_ms: reader.signed()?, skip_common_prefix: reader.flag()? };
        let ids = reader.count(1)?;
        let ids = (0..ids).map(|_| Ok(reader.text()?.to_owned())).collect::<Result<_, DecodeError>>()?;
        let mut clicked = Vec::new();
        for _ in 0..reader.count(1)? {
            let position = usize::try_from(reader.varint()?).ok().filter(|position| *position < length);
            clicked.push(position.ok_or_else(|| reader.malformed("a click beyond the list"))?);
        }
        let shown = if reader.flag()? {
            Some((0..length).map(|_| reader.flag()).collect::<Result<_, _>>()?)
        } else {
            None
        };
        let counts = Outcome {
            duplicate: reader.varint()?,
            late: reader.varint()?,
            early: reader.varint()?,
            not_in_list: reader.varint()?,
            ..Outcome::default()
        };
        reader.end()?;
        Ok(Self { list, shown_at_ms, rules, ids, clicked, shown, counts })
    }
}

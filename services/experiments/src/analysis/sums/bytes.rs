//! Sums as bytes, so that parts can be sent and states kept.

use millrace_statistics::DecodeError;
use millrace_statistics::decode::{Reader, put_block, put_varint};
use millrace_statistics::exact_sum::ExactSum;

use super::Sums;

const FORMAT: u8 = 1;

impl Sums {
    /// Equal sums have equal bytes, in whatever order their units came.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        put_varint(&mut bytes, self.units);
        for sum in [&self.y, &self.x, &self.yy, &self.xx, &self.xy] {
            put_block(&mut bytes, &sum.to_bytes());
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// Anything else, saying where it does not fit.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("sums", bytes);
        reader.format(FORMAT)?;
        let units = reader.varint()?;
        let mut sum = || ExactSum::from_bytes(reader.block()?);
        let sums = Self { units, y: sum()?, x: sum()?, yy: sum()?, xx: sum()?, xy: sum()? };
        reader.end()?;
        Ok(sums)
    }
}

//! Saved state: fixed-width little-endian fields in a fixed order.

use super::Error;

/// One pass over a state's fields, which writes each or replaces each by what was written. A state lists its fields
/// once, so that what is read is what was written.
pub(super) trait Codec {
    fn word(&mut self, word: &mut u64) -> Result<(), Error>;

    fn real(&mut self, value: &mut f64) -> Result<(), Error> {
        let mut word = value.to_bits();
        self.word(&mut word)?;
        *value = f64::from_bits(word);
        Ok(())
    }

    fn count(&mut self, value: &mut u32) -> Result<(), Error> {
        let mut word = u64::from(*value);
        self.word(&mut word)?;
        *value = u32::try_from(word).map_err(|_| Error::State { reason: "a count is too large" })?;
        Ok(())
    }

    fn flag(&mut self, value: &mut bool) -> Result<(), Error> {
        let mut word = u64::from(*value);
        self.word(&mut word)?;
        *value = match word {
            0 => false,
            1 => true,
            _ => return Err(Error::State { reason: "a flag is neither 0 nor 1" }),
        };
        Ok(())
    }

    /// A list of at most `bound` values.
    fn reals(&mut self, values: &mut Vec<f64>, bound: usize) -> Result<(), Error> {
        let mut length = values.len() as u64;
        self.word(&mut length)?;
        let length = usize::try_from(length).ok().filter(|n| *n <= bound);
        values.resize(length.ok_or(Error::State { reason: "a list is too long" })?, 0.0);
        values.iter_mut().try_for_each(|value| self.real(value))
    }
}

/// Appends fields.
#[derive(Default)]
pub(super) struct Writer(pub Vec<u8>);

impl Codec for Writer {
    fn word(&mut self, word: &mut u64) -> Result<(), Error> {
        self.0.extend_from_slice(&word.to_le_bytes());
        Ok(())
    }
}

/// Takes fields from the front.
pub(super) struct Reader<'a>(pub &'a [u8]);

impl Codec for Reader<'_> {
    fn word(&mut self, word: &mut u64) -> Result<(), Error> {
        let (first, rest) = self.0.split_first_chunk().ok_or(Error::State { reason: "it ends too early" })?;
        *word = u64::from_le_bytes(*first);
        self.0 = rest;
        Ok(())
    }
}

/// FNV-1a of 64 bits (Fowler, Noll, Vo): tells torn bytes, is no protection against forged ones.
pub(super) fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

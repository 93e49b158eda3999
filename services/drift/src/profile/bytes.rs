//! Bytes of profiles: numbers of variable length in, and out again without trust.

pub(super) use millrace_statistics::decode::{put_block as put_bytes, put_varint as put_int};

/// Why bytes are no profile of a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BytesError {
    /// They are cut off, or something follows, or the checksum does not fit.
    #[error("the bytes of a profile are torn: {0}")]
    Torn(&'static str),
    /// They are of another version of this format.
    #[error("the profile is of format version {0}; this program reads version {1}")]
    Version(u8, u8),
    /// They are of another plan.
    #[error("the profile is of another plan ({0:016x}, expected {1:016x})")]
    Plan(u64, u64),
    /// Parts are missing, double, or of different profiles.
    #[error("the parts of the profile do not make one: {0}")]
    Parts(String),
}

/// Bytes that are read from the front.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

const SHORT: BytesError = BytesError::Torn("cut off");

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], BytesError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(SHORT)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, BytesError> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub(super) fn word(&mut self) -> Result<u64, BytesError> {
        let (word, rest) = self.0.split_first_chunk::<8>().ok_or(SHORT)?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*word))
    }

    pub(super) fn int(&mut self) -> Result<u64, BytesError> {
        let mut value = 0_u64;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(BytesError::Torn("a number too large"));
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(BytesError::Torn("a number too long"))
    }

    /// A number of items of at least `least` bytes each: never more than there are bytes for.
    pub(super) fn length(&mut self, least: usize) -> Result<usize, BytesError> {
        let length = usize::try_from(self.int()?).map_err(|_| SHORT)?;
        if length.saturating_mul(least) > self.0.len() { Err(SHORT) } else { Ok(length) }
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], BytesError> {
        let length = self.length(1)?;
        self.take(length)
    }

    pub(super) fn end(&self) -> Result<(), BytesError> {
        if self.0.is_empty() { Ok(()) } else { Err(BytesError::Torn("bytes after the end")) }
    }
}

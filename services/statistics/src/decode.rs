//! Bytes of states that are kept in the log.

use thiserror::Error;

/// Bytes that are no state of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what}, byte {at}: {why}")]
pub struct DecodeError {
    /// What was being read.
    pub what: &'static str,
    /// Offset of the first byte that does not fit.
    pub at: usize,
    /// What is wrong there.
    pub why: String,
}

/// Reads a state front to back.
pub(crate) struct Reader<'a> {
    what: &'static str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Self { what, bytes, at: 0 }
    }

    pub(crate) fn malformed(&self, why: &str) -> DecodeError {
        DecodeError { what: self.what, at: self.at, why: why.to_owned() }
    }

    pub(crate) fn format(&mut self, expected: u8) -> Result<(), DecodeError> {
        let [format] = self.array()?;
        if format == expected {
            return Ok(());
        }
        Err(self.malformed(&format!("format {format}, this version reads {expected}")))
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let Some((array, _)) = self.bytes[self.at..].split_first_chunk::<N>() else {
            return Err(self.malformed("ends early"));
        };
        self.at += N;
        Ok(*array)
    }

    pub(crate) fn float(&mut self) -> Result<f64, DecodeError> {
        self.array().map(f64::from_le_bytes)
    }

    /// As many bytes as a length before them says.
    pub(crate) fn block(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.varint()?;
        let rest = &self.bytes[self.at..];
        let Some(block) = usize::try_from(length).ok().and_then(|length| rest.get(..length)) else {
            return Err(self.malformed("ends early"));
        };
        self.at += block.len();
        Ok(block)
    }

    pub(crate) fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.malformed("a number of more than 64 bits"))
    }

    pub(crate) fn end(&self) -> Result<(), DecodeError> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(self.malformed("bytes beyond the end")) }
    }
}

/// LEB128: seven bits a byte, the least first.
pub(crate) fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

pub(crate) fn put_block(bytes: &mut Vec<u8>, block: &[u8]) {
    put_varint(bytes, block.len() as u64);
    bytes.extend_from_slice(block);
}

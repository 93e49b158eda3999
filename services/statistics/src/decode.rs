//! Bytes of states that are kept in the log: little-endian numbers, LEB128 for counts, blocks with their length before
//! them. Whoever reads them checks them: bytes may be torn, or of another version.

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
#[derive(Debug)]
pub struct Reader<'a> {
    what: &'static str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads `bytes` as what `what` names in errors.
    pub fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Self { what, bytes, at: 0 }
    }

    /// An error at the present byte.
    pub fn malformed(&self, why: &str) -> DecodeError {
        DecodeError { what: self.what, at: self.at, why: why.to_owned() }
    }

    /// Takes the byte that names the format.
    pub fn format(&mut self, expected: u8) -> Result<(), DecodeError> {
        let [format] = self.array()?;
        if format == expected {
            return Ok(());
        }
        Err(self.malformed(&format!("format {format}, this version reads {expected}")))
    }

    /// Takes so many bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let Some((array, _)) = self.bytes[self.at..].split_first_chunk::<N>() else {
            return Err(self.malformed("ends early"));
        };
        self.at += N;
        Ok(*array)
    }

    /// Takes a double.
    pub fn float(&mut self) -> Result<f64, DecodeError> {
        self.array().map(f64::from_le_bytes)
    }

    /// As many bytes as a length before them says.
    pub fn block(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.varint()?;
        let rest = &self.bytes[self.at..];
        let Some(block) = usize::try_from(length).ok().and_then(|length| rest.get(..length)) else {
            return Err(self.malformed("ends early"));
        };
        self.at += block.len();
        Ok(block)
    }

    /// Takes a signed number of eight bytes.
    pub fn signed(&mut self) -> Result<i64, DecodeError> {
        self.array().map(i64::from_le_bytes)
    }

    /// Takes a block that is UTF-8 text.
    pub fn text(&mut self) -> Result<&'a str, DecodeError> {
        let block = self.block()?;
        std::str::from_utf8(block).map_err(|_| self.malformed("a text that is no UTF-8"))
    }

    /// Takes 0 or 1.
    pub fn flag(&mut self) -> Result<bool, DecodeError> {
        match self.array()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(self.malformed("neither 0 nor 1")),
        }
    }

    /// Takes a count of things that take at least `least` bytes each: no count beyond the bytes at hand is believed.
    pub fn count(&mut self, least: usize) -> Result<usize, DecodeError> {
        let count = self.varint()?;
        let room = (self.bytes.len() - self.at) / least.max(1);
        usize::try_from(count).ok().filter(|count| *count <= room).ok_or_else(|| self.malformed("ends early"))
    }

    /// Takes a LEB128 number.
    pub fn varint(&mut self) -> Result<u64, DecodeError> {
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

    /// Takes the end.
    pub fn end(&self) -> Result<(), DecodeError> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(self.malformed("bytes beyond the end")) }
    }
}

/// LEB128: seven bits a byte, the least first.
pub fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// A block with its length before it.
pub fn put_block(bytes: &mut Vec<u8>, block: &[u8]) {
    put_varint(bytes, block.len() as u64);
    bytes.extend_from_slice(block);
}

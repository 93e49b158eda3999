//! Which way a mean changes.

use std::fmt;

use super::Error;
use super::bytes::Codec;

/// Which changes of a mean are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A rise.
    Up,
    /// A fall.
    Down,
    /// Either.
    Both,
}

const ALL: [(Direction, &str); 3] =
    [(Direction::Up, "up"), (Direction::Down, "down"), (Direction::Both, "both")];

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ALL[*self as usize].1)
    }
}

impl Direction {
    pub(super) fn parse(text: &str) -> Option<Self> {
        ALL.iter().find(|(_, name)| *name == text.trim()).map(|(direction, _)| *direction)
    }

    pub(super) fn visit(&mut self, codec: &mut dyn Codec) -> Result<(), Error> {
        let mut place = *self as u32;
        codec.count(&mut place)?;
        let found = ALL.get(place as usize).ok_or(Error::State { reason: "it has an unknown direction" })?;
        *self = found.0;
        Ok(())
    }
}

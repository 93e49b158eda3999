//! One parameter of a detector: how it is read, written, saved and what it may be.

use super::bytes::Codec;
use super::{Direction, Error, Scale};

/// Which numbers a parameter may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Range {
    /// Above 0 and below 1.
    Confidence,
    /// Above 0, up to 1.
    Share,
    Positive,
    NotNegative,
}

impl Range {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::Confidence => value > 0.0 && value < 1.0,
            Self::Share => value > 0.0 && value <= 1.0,
            Self::Positive => value.is_finite() && value > 0.0,
            Self::NotNegative => value.is_finite() && value >= 0.0,
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Confidence => "it must be a number above 0 and below 1",
            Self::Share => "it must be a number above 0, up to 1",
            Self::Positive => "it must be a finite number above 0",
            Self::NotNegative => "it must be a finite number, not negative",
        }
    }
}

/// A parameter's place in its struct.
pub(super) enum Field<'a> {
    Real(&'a mut f64, Range),
    /// With the least it may be.
    Count(&'a mut u32, u32),
    Seed(&'a mut u64),
    Flag(&'a mut bool),
    Direction(&'a mut Direction),
    Scale(&'a mut Scale),
}

/// A parameter is at most this large where it counts rows: what a detector keeps has a bound.
const MAX_COUNT: u32 = 1_000_000;

impl Field<'_> {
    /// What is wrong with the value, if anything.
    pub fn complaint(&self) -> Option<&'static str> {
        match self {
            Self::Real(value, range) => (!range.holds(**value)).then(|| range.expected()),
            Self::Count(value, least) if **value < *least => Some(match least {
                1 => "it must be at least 1",
                2 => "it must be at least 2",
                _ => "it is too small",
            }),
            Self::Count(value, _) => (**value > MAX_COUNT).then_some("it must be at most 1,000,000"),
            Self::Scale(scale) => (!scale.is_valid()).then_some(Scale::EXPECTED),
            Self::Seed(_) | Self::Flag(_) | Self::Direction(_) => None,
        }
    }

    /// Takes a value from text; else what it must be.
    pub fn parse(&mut self, text: &str) -> Result<(), &'static str> {
        fn put<T: std::str::FromStr>(
            place: &mut T,
            text: &str,
            what: &'static str,
        ) -> Result<(), &'static str> {
            *place = text.trim().parse().map_err(|_| what)?;
            Ok(())
        }
        match self {
            Self::Real(value, range) => put(*value, text, range.expected()),
            Self::Count(value, _) => put(*value, text, "it must be a whole number"),
            Self::Seed(value) => put(*value, text, "it must be a whole number below 2^64"),
            Self::Flag(value) => put(*value, text, "it must be true or false"),
            Self::Direction(value) => {
                **value = Direction::parse(text).ok_or("it must be 'up', 'down' or 'both'")?;
                Ok(())
            }
            Self::Scale(value) => {
                **value = Scale::parse(text).ok_or(Scale::EXPECTED)?;
                Ok(())
            }
        }
    }

    /// The value, as [`Field::parse`] reads it.
    pub fn text(&self) -> String {
        match self {
            Self::Real(value, _) if **value != 0.0 && value.abs() < 1e-4 => format!("{value:e}"),
            Self::Real(value, _) => value.to_string(),
            Self::Count(value, _) => value.to_string(),
            Self::Seed(value) => value.to_string(),
            Self::Flag(value) => value.to_string(),
            Self::Direction(value) => value.to_string(),
            Self::Scale(value) => value.to_string(),
        }
    }

    pub fn visit(&mut self, codec: &mut dyn Codec) -> Result<(), Error> {
        match self {
            Self::Real(value, _) => codec.real(value),
            Self::Count(value, _) => codec.count(value),
            Self::Seed(value) => codec.word(value),
            Self::Flag(value) => codec.flag(value),
            Self::Direction(value) => value.visit(codec),
            Self::Scale(value) => value.visit(codec),
        }
    }
}

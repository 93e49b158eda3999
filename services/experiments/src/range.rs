//! Numbers that are asked for, and their ranges.

/// A number outside its range.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{name} is {value}: {needs}")]
pub struct OutOfRange {
    /// Which one.
    pub name: &'static str,
    /// What it is.
    pub value: f64,
    /// What it must be.
    pub needs: &'static str,
}

/// Refuses a number for which its range does not hold.
pub(crate) fn within(
    name: &'static str,
    value: f64,
    holds: bool,
    needs: &'static str,
) -> Result<(), OutOfRange> {
    if holds { Ok(()) } else { Err(OutOfRange { name, value, needs }) }
}

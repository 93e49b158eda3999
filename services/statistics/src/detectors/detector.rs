//! A detector: parameters and state.

use super::Parameters;

/// What a detector says of the value it has just taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// Nothing.
    None,
    /// A change may be under way.
    Warning,
    /// A change; the detector starts afresh with the next value.
    Drift,
}

/// A change detector.
///
/// `new(Parameters) -> Result<Self, Error>`, `update(&mut self, f64) -> Result<Signal, Error>`,
/// `name(&self) -> &'static str`, `input(&self) -> Input`, `parameters(&self) -> &Parameters`, `observed(&self) -> u64`,
/// `to_bytes(&self) -> Vec<u8>`, `from_bytes(&[u8]) -> Result<Self, Error>`.
#[derive(Debug, Clone, PartialEq)]
pub struct Detector {
    parameters: Parameters,
    observed: u64,
}

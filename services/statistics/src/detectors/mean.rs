//! Running mean and variance.

use super::Error;
use super::bytes::Codec;

/// Mean and sum of squared deviations, one value at a time (Welford 1962).
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Moments {
    pub n: f64,
    pub mean: f64,
    /// Sum of squared deviations from the mean.
    pub squares: f64,
}

impl Moments {
    pub fn add(&mut self, value: f64) {
        self.n += 1.0;
        let before = value - self.mean;
        self.mean += before / self.n;
        self.squares += before * (value - self.mean);
    }

    /// The sample variance; 0 of less than two values.
    pub fn variance(&self) -> f64 {
        if self.n > 1.0 { self.squares / (self.n - 1.0) } else { 0.0 }
    }

    pub fn visit(&mut self, codec: &mut dyn Codec) -> Result<(), Error> {
        codec.real(&mut self.n)?;
        codec.real(&mut self.mean)?;
        codec.real(&mut self.squares)
    }
}

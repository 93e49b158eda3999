//! Drift detection method: Gama, Medas, Castillo, Rodrigues, "Learning with drift detection", SBIA 2004, section 3.

use super::bytes::Codec;
use super::mean::Moments;
use super::{Ddm, Error, Signal};

/// The error rate since the last drift, and where it plus its standard deviation was lowest.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct State {
    rate: Moments,
    rate_min: f64,
    deviation_min: f64,
    sum_min: f64,
}

impl State {
    pub fn new() -> Self {
        let inf = f64::INFINITY;
        Self { rate: Moments::default(), rate_min: inf, deviation_min: inf, sum_min: inf }
    }

    pub fn update(&mut self, p: &Ddm, error: f64) -> Signal {
        self.rate.add(error);
        let (n, rate) = (self.rate.n, self.rate.mean);
        if n <= f64::from(p.warm_start) {
            return Signal::None;
        }
        let deviation = (rate * (1.0 - rate) / n).sqrt();
        let sum = rate + deviation;
        if sum <= self.sum_min {
            (self.rate_min, self.deviation_min, self.sum_min) = (rate, deviation, sum);
        }
        if sum > self.rate_min + p.drift_threshold * self.deviation_min {
            Signal::Drift
        } else if sum > self.rate_min + p.warning_threshold * self.deviation_min {
            Signal::Warning
        } else {
            Signal::None
        }
    }

    pub fn visit(&mut self, codec: &mut dyn Codec) -> Result<(), Error> {
        self.rate.visit(codec)?;
        codec.real(&mut self.rate_min)?;
        codec.real(&mut self.deviation_min)?;
        codec.real(&mut self.sum_min)
    }
}

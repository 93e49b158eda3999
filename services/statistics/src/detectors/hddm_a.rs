//! Drift detection by Hoeffding's bound: Frias-Blanco et al., "Online and non-parametric drift detection methods based on
//! Hoeffding's bounds", IEEE TKDE 27(3), 2015, the A-test (corollary 2).

use super::bytes::Codec;
use super::mean::Moments;
use super::{Error, HddmA, Signal};

/// The mean since the last drift, and its prefixes of the lowest upper and the highest lower bound.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct State {
    all: Moments,
    low: Moments,
    high: Moments,
}

impl State {
    pub fn update(&mut self, p: &HddmA, value: f64) -> Signal {
        self.all.add(value);
        let bound = |prefix: &Moments| (prefix.n.recip() / 2.0 * p.drift_confidence.recip().ln()).sqrt();
        let (all, now) = (&self.all, bound(&self.all));
        if self.low.n == 0.0 || all.mean + now <= self.low.mean + bound(&self.low) {
            self.low = all.clone();
        }
        if self.high.n == 0.0 || all.mean - now >= self.high.mean - bound(&self.high) {
            self.high = all.clone();
        }
        let rise = self.all.mean - self.low.mean;
        let fall = self.high.mean - self.all.mean;
        let beyond = |confidence: f64| {
            (self.low.n < self.all.n && rise >= self.difference(&self.low, confidence))
                || (p.two_sided
                    && self.high.n < self.all.n
                    && fall >= self.difference(&self.high, confidence))
        };
        Signal::of(beyond, p.drift_confidence, p.warning_confidence)
    }

    /// How far the mean of a prefix and of the whole lie apart by chance, at most, at this confidence.
    fn difference(&self, prefix: &Moments, confidence: f64) -> f64 {
        let m = (self.all.n - prefix.n) / prefix.n * self.all.n.recip();
        (m / 2.0 * (2.0 / confidence).ln()).sqrt()
    }

    pub fn visit(&mut self, codec: &mut dyn Codec) -> Result<(), Error> {
        self.all.visit(codec)?;
        self.low.visit(codec)?;
        self.high.visit(codec)
    }
}

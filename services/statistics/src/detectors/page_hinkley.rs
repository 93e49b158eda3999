//! Page-Hinkley test: Page, "Continuous inspection schemes", Biometrika 41, 1954, with the mean estimated (Hinkley,
//! "Inference about the change-point from cumulative sum tests", Biometrika 58, 1971) and a forgetting factor.

use super::bytes::Codec;
use super::mean::Moments;
use super::{Direction, Error, PageHinkley, Signal};

/// The running mean since the last drift, and deviations from it cumulated.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct State {
    mean: Moments,
    up: f64,
    up_lowest: f64,
    down: f64,
    down_highest: f64,
}

impl State {
    pub fn new() -> Self {
        let inf = f64::INFINITY;
        Self { mean: Moments::default(), up: 0.0, up_lowest: inf, down: 0.0, down_highest: -inf }
    }

    pub fn update(&mut self, p: &PageHinkley, value: f64) -> Signal {
        self.mean.add(value);
        let deviation = value - self.mean.mean;
        self.up = p.alpha * self.up + deviation - p.delta;
        self.up_lowest = self.up_lowest.min(self.up);
        self.down = p.alpha * self.down + deviation + p.delta;
        self.down_highest = self.down_highest.max(self.down);
        if self.mean.n < f64::from(p.min_instances) {
            return Signal::None;
        }
        let rise = p.direction != Direction::Down && self.up - self.up_lowest > p.threshold;
        let fall = p.direction != Direction::Up && self.down_highest - self.down > p.threshold;
        if rise || fall { Signal::Drift } else { Signal::None }
    }

    pub fn visit(&mut self, codec: &mut dyn Codec) -> Result<(), Error> {
        self.mean.visit(codec)?;
        codec.real(&mut self.up)?;
        codec.real(&mut self.up_lowest)?;
        codec.real(&mut self.down)?;
        codec.real(&mut self.down_highest)
    }
}

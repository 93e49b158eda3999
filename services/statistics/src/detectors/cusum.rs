//! Cumulative sums: Page, "Continuous inspection schemes", Biometrika 41, 1954.
//!
//! up(t) = max(0, up(t-1) + x(t) - slack) and down(t) = max(0, down(t-1) - x(t) - slack), x in the unit of the scale.

use super::bytes::Codec;
use super::{Cusum, Direction, Error, Signal};

/// Both sums since the last drift.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct State {
    up: f64,
    down: f64,
}

impl State {
    pub fn update(&mut self, p: &Cusum, value: f64) -> Signal {
        self.up = (self.up + value - p.slack).max(0.0);
        self.down = (self.down - value - p.slack).max(0.0);
        let rise = p.direction != Direction::Down && self.up > p.threshold;
        let fall = p.direction != Direction::Up && self.down > p.threshold;
        if rise || fall { Signal::Drift } else { Signal::None }
    }

    pub fn visit(&mut self, codec: &mut dyn Codec) -> Result<(), Error> {
        codec.real(&mut self.up)?;
        codec.real(&mut self.down)
    }
}

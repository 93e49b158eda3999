//! Early drift detection method: Baena-Garcia et al., "Early drift detection method", 2006, section 3.

use super::bytes::Codec;
use super::mean::Moments;
use super::{Eddm, Error, Signal};

/// Rows between errors since the last drift, and the greatest mean plus two standard deviations.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct State {
    row: u64,
    last_error: u64,
    distances: Moments,
    greatest: f64,
    /// Whether there is a warning: it lasts until an error that is no new maximum lifts it, as in River.
    warning: bool,
}

impl State {
    pub fn update(&mut self, p: &Eddm, error: f64) -> Signal {
        self.row = self.row.saturating_add(1);
        if error == 0.0 {
            return self.standing();
        }
        self.distances.add(self.row.saturating_sub(self.last_error) as f64);
        self.last_error = self.row;
        if self.row <= u64::from(p.warm_start) {
            return Signal::None;
        }
        let reach = self.distances.mean + 2.0 * self.distances.variance().sqrt();
        let share = reach / self.greatest;
        if reach > self.greatest {
            self.greatest = reach;
        } else if self.distances.n > f64::from(p.warm_start) {
            self.warning = share < p.alpha;
            if share < p.beta {
                return Signal::Drift;
            }
        }
        self.standing()
    }

    fn standing(&self) -> Signal {
        if self.warning { Signal::Warning } else { Signal::None }
    }

    pub fn visit(&mut self, codec: &mut dyn Codec) -> Result<(), Error> {
        codec.word(&mut self.row)?;
        codec.word(&mut self.last_error)?;
        self.distances.visit(codec)?;
        codec.real(&mut self.greatest)?;
        codec.flag(&mut self.warning)
    }
}

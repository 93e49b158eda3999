//! Kolmogorov-Smirnov windowing: Raab, Heusinger, Schleif, "Reactive soft prototype computing for concept drift streams",
//! Neurocomputing 416, 2020. As in River, the test is exact and distances up to 0.1 are never a drift; the draws are those
//! of CPython's `random.Random(seed).sample`.

mod distance;
mod mersenne;
mod sample;

use std::collections::VecDeque;

use super::bytes::Codec;
use super::{Error, Kswin, Signal};
use mersenne::Mersenne;

/// The last rows, and the generator of draws.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct State {
    window: VecDeque<f64>,
    random: Mersenne,
    /// The smallest distance, in rows, that is a drift; a function of the parameters.
    critical: usize,
}

impl State {
    pub fn new(p: &Kswin) -> Self {
        Self {
            window: VecDeque::with_capacity(p.window_size as usize + 1),
            random: Mersenne::seeded(p.seed),
            critical: distance::critical(p.stat_size as usize, p.alpha),
        }
    }

    pub fn update(&mut self, p: &Kswin, value: f64) -> Signal {
        let (size, compared) = (p.window_size as usize, p.stat_size as usize);
        if self.window.len() == size {
            self.window.pop_front();
        }
        self.window.push_back(value);
        if self.window.len() < size {
            return Signal::None;
        }
        let drawn = sample::indices(&mut self.random, size - compared, compared);
        let mut older: Vec<f64> = drawn.into_iter().map(|i| self.window[i]).collect();
        let mut newest: Vec<f64> = self.window.range(size - compared..).copied().collect();
        if distance::rows_apart(&mut older, &mut newest) >= self.critical {
            Signal::Drift
        } else {
            Signal::None
        }
    }

    pub fn visit(&mut self, p: &Kswin, codec: &mut dyn Codec) -> Result<(), Error> {
        let mut rows: Vec<f64> = self.window.iter().copied().collect();
        codec.reals(&mut rows, p.window_size as usize)?;
        self.window.clear();
        self.window.extend(rows);
        self.random.visit(codec)
    }
}

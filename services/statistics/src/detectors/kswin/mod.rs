//! Kolmogorov-Smirnov windowing: Raab, Heusinger, Schleif, "Reactive soft prototype computing for concept drift streams",
//! Neurocomputing 416, 2020. As in River, the test is exact and distances up to 0.1 are never a drift; the draws are those
//! of CPython's `random.Random(seed).sample`.

mod distance;
mod mersenne;
mod sample;

use std::collections::VecDeque;

use super::bytes::Codec;
use super::{Error, Kswin, Signal};
use distance::Side;
use mersenne::Mersenne;

/// The last rows, and the generator of draws.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct State {
    window: VecDeque<f64>,
    /// The window by value, each with the number of its row: walking it gives both samples in order without a sort.
    ascending: Vec<(f64, u64)>,
    /// The number of the next row.
    next: u64,
    random: Mersenne,
    /// The smallest distance, in rows, that is a drift; a function of the parameters.
    critical: usize,
}

impl State {
    pub fn new(p: &Kswin) -> Self {
        Self {
            window: VecDeque::with_capacity(p.window_size as usize),
            ascending: Vec::with_capacity(p.window_size as usize),
            next: 0,
            random: Mersenne::seeded(p.seed),
            critical: distance::critical(p.stat_size as usize, p.alpha),
        }
    }

    pub fn update(&mut self, p: &Kswin, value: f64) -> Signal {
        let (size, compared) = (p.window_size as usize, p.stat_size as usize);
        if self.window.len() == size {
            self.forget_oldest();
        }
        let place = self.place(value, self.next);
        self.ascending.insert(place, (value, self.next));
        self.window.push_back(value);
        self.next = self.next.wrapping_add(1);
        if self.window.len() < size {
            return Signal::None;
        }
        let older = size - compared;
        let mut drawn = vec![false; older];
        for i in sample::indices(&mut self.random, older, compared) {
            drawn[i] = true;
        }
        let first = self.first();
        let sampled = self.ascending.iter().map(|(value, row)| {
            let i = row.wrapping_sub(first) as usize;
            (
                *value,
                drawn.get(i).map_or(Side::Newest, |drawn| if *drawn { Side::Drawn } else { Side::Neither }),
            )
        });
        if distance::rows_apart(sampled) >= self.critical { Signal::Drift } else { Signal::None }
    }

    fn forget_oldest(&mut self) {
        let row = self.first();
        if let Some(value) = self.window.pop_front() {
            let place = self.place(value, row);
            self.ascending.remove(place);
        }
    }

    /// The number of the window's oldest row.
    fn first(&self) -> u64 {
        self.next.wrapping_sub(self.window.len() as u64)
    }

    /// Where a row stands in ascending order, or would.
    fn place(&self, value: f64, row: u64) -> usize {
        let before = |(v, r): &(f64, u64)| v.total_cmp(&value).then(r.cmp(&row)).is_lt();
        self.ascending.partition_point(before)
    }

    pub fn visit(&mut self, p: &Kswin, codec: &mut dyn Codec) -> Result<(), Error> {
        let mut rows: Vec<f64> = self.window.iter().copied().collect();
        codec.reals(&mut rows, p.window_size as usize)?;
        if rows.iter().any(|value| !value.is_finite()) {
            return Err(Error::State { reason: "a row of the window is no finite number" });
        }
        codec.word(&mut self.next)?;
        if self.next < rows.len() as u64 {
            return Err(Error::State { reason: "a window has more rows than were taken" });
        }
        let first = self.next - rows.len() as u64;
        self.ascending = rows.iter().copied().zip(first..).collect();
        self.ascending.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        self.window = rows.into();
        self.random.visit(codec)
    }
}

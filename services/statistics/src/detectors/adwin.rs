//! Adaptive windowing: Bifet and Gavalda, "Learning from time-changing data with adaptive windowing", SDM 2007, ADWIN2 with
//! the variance bound of section 3.2. After a cut the window is dropped whole, as River does it.

use super::bytes::Codec;
use super::{Adwin, Error, Signal};

/// No window reaches 2^64 rows.
const MAX_LEVELS: usize = 64;

/// The window: sums of 1, 2, 4, ... values, a list per size, oldest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct State {
    width: f64,
    total: f64,
    /// Sum of squared deviations from the mean.
    squares: f64,
    levels: Vec<Vec<f64>>,
}

impl State {
    pub fn update(&mut self, p: &Adwin, value: f64) -> Signal {
        self.insert(p, value);
        let due = self.width % f64::from(p.clock) == 0.0 && self.width > f64::from(p.grace_period);
        if due && self.has_cut(p) { Signal::Drift } else { Signal::None }
    }

    fn insert(&mut self, p: &Adwin, value: f64) {
        self.width += 1.0;
        if self.width > 1.0 {
            let before = self.width - 1.0;
            let deviation = value - self.total / before;
            self.squares += before * (deviation * deviation) / self.width;
        }
        self.total += value;
        let mut carried = Some(value);
        for level in 0..MAX_LEVELS {
            let Some(sum) = carried.take() else { return };
            if level == self.levels.len() {
                self.levels.push(Vec::with_capacity(p.max_buckets as usize + 1));
            }
            let row = &mut self.levels[level];
            row.push(sum);
            if row.len() > p.max_buckets as usize {
                carried = Some(row[0] + row[1]);
                row.drain(..2);
            }
        }
    }

    /// Whether any cut between two buckets parts the window into two of different means.
    fn has_cut(&self, p: &Adwin) -> bool {
        let shortest = f64::from(p.min_window_length);
        let (mut old_rows, mut old_total) = (0.0, 0.0);
        for (level, row) in self.levels.iter().enumerate().rev() {
            let size = (1_u64 << level) as f64;
            for sum in row {
                old_rows += size;
                old_total += sum;
                let new_rows = self.width - old_rows;
                if new_rows < shortest {
                    return false;
                }
                let difference = old_total / old_rows - (self.total - old_total) / new_rows;
                if old_rows >= shortest && difference.abs() > self.bound(p, old_rows, new_rows) {
                    return true;
                }
            }
        }
        false
    }

    /// How far the means of both parts lie apart by chance, at most.
    fn bound(&self, p: &Adwin, old_rows: f64, new_rows: f64) -> f64 {
        let shortest = f64::from(p.min_window_length);
        let delta = (2.0 * self.width.ln() / p.delta).ln();
        let m = (old_rows - shortest + 1.0).recip() + (new_rows - shortest + 1.0).recip();
        let variance = self.squares / self.width;
        (2.0 * m * variance * delta).sqrt() + 2.0 / 3.0 * delta * m
    }

    pub fn visit(&mut self, p: &Adwin, codec: &mut dyn Codec) -> Result<(), Error> {
        codec.real(&mut self.width)?;
        codec.real(&mut self.total)?;
        codec.real(&mut self.squares)?;
        let mut levels = self.levels.len() as u64;
        codec.word(&mut levels)?;
        let levels = usize::try_from(levels).ok().filter(|n| *n <= MAX_LEVELS);
        self.levels
            .resize(levels.ok_or(Error::State { reason: "a window has too many levels" })?, Vec::new());
        self.levels.iter_mut().try_for_each(|row| codec.reals(row, p.max_buckets as usize))
    }
}

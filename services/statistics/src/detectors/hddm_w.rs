//! Drift detection by McDiarmid's bound: Frias-Blanco et al., "Online and non-parametric drift detection methods based on
//! Hoeffding's bounds", IEEE TKDE 27(3), 2015, the W-test (corollary 4).

use super::bytes::Codec;
use super::{Error, HddmW, Signal};

/// An exponentially weighted mean with the sum of its squared weights.
#[derive(Debug, Clone, PartialEq)]
struct Weighted {
    seen: bool,
    mean: f64,
    squares: f64,
}

impl Weighted {
    const EMPTY: Self = Self { seen: false, mean: 0.0, squares: 1.0 };

    fn add(&mut self, value: f64, lambda: f64) {
        let kept = 1.0 - lambda;
        self.mean = if self.seen { lambda * value + kept * self.mean } else { value };
        self.seen = true;
        self.squares = lambda * lambda + kept * kept * self.squares;
    }

    fn visit(&mut self, codec: &mut dyn Codec) -> Result<(), Error> {
        codec.flag(&mut self.seen)?;
        codec.real(&mut self.mean)?;
        codec.real(&mut self.squares)
    }
}

/// One direction: the mean up to the cut point, and that of the rows after it.
#[derive(Debug, Clone, PartialEq)]
struct Side {
    before: Weighted,
    after: Weighted,
    /// The lowest upper bound (a rise) or the highest lower bound (a fall) of the mean so far.
    cut: f64,
}

impl Side {
    const EMPTY: Self = Self { before: Weighted::EMPTY, after: Weighted::EMPTY, cut: 0.0 };

    fn add(&mut self, all: &Weighted, value: f64, p: &HddmW, sign: f64) {
        let bound = all.mean + sign * mcdiarmid(all.squares, p.drift_confidence);
        if !self.before.seen || sign * bound < sign * self.cut {
            *self = Self { before: all.clone(), after: Weighted::EMPTY, cut: bound };
        } else {
            self.after.add(value, p.lambda);
        }
    }

    fn changed(&self, confidence: f64, sign: f64) -> bool {
        let seen = self.before.seen && self.after.seen;
        let bound = mcdiarmid(self.before.squares + self.after.squares, confidence);
        seen && sign * (self.after.mean - self.before.mean) > bound
    }

    fn visit(&mut self, codec: &mut dyn Codec) -> Result<(), Error> {
        self.before.visit(codec)?;
        self.after.visit(codec)?;
        codec.real(&mut self.cut)
    }
}

fn mcdiarmid(squares: f64, confidence: f64) -> f64 {
    (squares * confidence.recip().ln() / 2.0).sqrt()
}

const RISE: f64 = 1.0;
const FALL: f64 = -1.0;

/// The weighted mean since the last drift, and both directions.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct State {
    all: Weighted,
    rise: Side,
    fall: Side,
}

impl State {
    pub fn new() -> Self {
        Self { all: Weighted::EMPTY, rise: Side::EMPTY, fall: Side::EMPTY }
    }

    pub fn update(&mut self, p: &HddmW, value: f64) -> Signal {
        self.all.add(value, p.lambda);
        self.rise.add(&self.all, value, p, RISE);
        self.fall.add(&self.all, value, p, FALL);
        let beyond = |confidence: f64| {
            self.rise.changed(confidence, RISE) || (p.two_sided && self.fall.changed(confidence, FALL))
        };
        Signal::of(beyond, p.drift_confidence, p.warning_confidence)
    }

    pub fn visit(&mut self, codec: &mut dyn Codec) -> Result<(), Error> {
        self.all.visit(codec)?;
        self.rise.visit(codec)?;
        self.fall.visit(codec)
    }
}

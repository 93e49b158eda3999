//! What is kept of an arm: mergeable sums over its units.

mod bytes;

use std::fmt;
use std::str::FromStr;

use millrace_statistics::exact_sum::ExactSum;
use serde::{Deserialize, Serialize};

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The mean over units of each unit's sum.
    Mean,
    /// The share of units with a value of 1.
    Conversion,
    /// The sum of values over the sum of denominators, a mean per row for instance; units are still what is independent.
    Ratio,
}

impl Metric {
    /// Its name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Conversion => "conversion",
            Self::Ratio => "ratio",
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no metric's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no kind of metric is named `{0}`: mean, conversion, ratio")]
pub struct UnknownMetric(String);

impl FromStr for Metric {
    type Err = UnknownMetric;

    fn from_str(name: &str) -> Result<Self, UnknownMetric> {
        let all = [Self::Mean, Self::Conversion, Self::Ratio];
        all.into_iter().find(|metric| metric.name() == name).ok_or_else(|| UnknownMetric(name.to_owned()))
    }
}

/// Sums over units of y and x and their products; x is a ratio's denominator or a covariate, 0 where there is none.
///
/// Merging is commutative and associative, bit for bit: products are kept with what their rounding dropped, and nothing is
/// rounded before a moment is asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sums {
    units: u64,
    y: ExactSum,
    x: ExactSum,
    yy: ExactSum,
    xx: ExactSum,
    xy: ExactSum,
}

impl Sums {
    /// Takes one unit.
    pub fn add(&mut self, y: f64, x: f64) {
        self.units += 1;
        self.y.step(y, false);
        self.x.step(x, false);
        add_product(&mut self.yy, y, y);
        add_product(&mut self.xx, x, x);
        add_product(&mut self.xy, x, y);
    }

    /// Takes the units of another part.
    pub fn merge(&mut self, other: &Self) {
        self.units += other.units;
        self.y.merge(&other.y);
        self.x.merge(&other.x);
        self.yy.merge(&other.yy);
        self.xx.merge(&other.xx);
        self.xy.merge(&other.xy);
    }

    /// How many units.
    pub fn units(&self) -> u64 {
        self.units
    }

    /// The sum of y.
    pub fn sum_y(&self) -> f64 {
        self.y.round()
    }

    /// The sum of x.
    pub fn sum_x(&self) -> f64 {
        self.x.round()
    }

    /// The sample variance of y (n - 1), NaN with fewer than two units.
    pub fn variance_y(&self) -> f64 {
        self.covariance(&self.yy, &self.y, &self.y)
    }

    /// The sample variance of x.
    pub fn variance_x(&self) -> f64 {
        self.covariance(&self.xx, &self.x, &self.x)
    }

    /// The sample covariance.
    pub fn covariance_xy(&self) -> f64 {
        self.covariance(&self.xy, &self.x, &self.y)
    }

    fn covariance(&self, products: &ExactSum, one: &ExactSum, two: &ExactSum) -> f64 {
        if self.units < 2 {
            return f64::NAN;
        }
        centred(products, one, two, self.units as f64) / (self.units as f64 - 1.0)
    }
}

/// Adds a * b without rounding it: the product and what its rounding dropped.
fn add_product(sum: &mut ExactSum, a: f64, b: f64) {
    let product = a * b;
    sum.step(product, false);
    if product.is_finite() {
        sum.step(a.mul_add(b, -product), false);
    }
}

/// The sum of (a - ma)(b - mb), ma and mb being the means rounded: exact up to the last division, so a large mean beside a
/// small variance costs no digits.
fn centred(products: &ExactSum, a: &ExactSum, b: &ExactSum, n: f64) -> f64 {
    let (a, b) = (Split::of(a), Split::of(b));
    let (ma, mb) = (a.high / n, b.high / n);
    let mut sum = products.clone();
    for part in [b.high, b.low] {
        add_product(&mut sum, -ma, part);
    }
    for part in [a.high, a.low] {
        add_product(&mut sum, -mb, part);
    }
    let square = ma * mb;
    add_product(&mut sum, n, square);
    if square.is_finite() {
        add_product(&mut sum, n, ma.mul_add(mb, -square));
    }
    // What the rounding of the means moved.
    let off = |sum: &Split, mean: f64| n.mul_add(-mean, sum.high) + sum.low;
    sum.round() - off(&a, ma) * off(&b, mb) / n
}

/// A sum as a double and the double that its rounding dropped.
struct Split {
    high: f64,
    low: f64,
}

impl Split {
    fn of(sum: &ExactSum) -> Self {
        let high = sum.round();
        let mut rest = sum.clone();
        rest.step(high, true);
        Self { high, low: rest.round() }
    }
}

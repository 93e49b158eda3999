//! Parameters of every detector: explicit, checked, readable and settable by name.

use super::Scale;

/// The detectors' names.
pub const NAMES: [&str; 8] = ["adwin", "ddm", "eddm", "hddm_a", "hddm_w", "page_hinkley", "kswin", "cusum"];

/// Which changes of a mean are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A rise.
    Up,
    /// A fall.
    Down,
    /// Either.
    Both,
}

/// Adaptive windowing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adwin {
    /// Confidence of a cut, between 0 and 1: the smaller, the fewer alarms.
    pub delta: f64,
    /// Cuts are looked for at every so many rows.
    pub clock: u32,
    /// Buckets of each size that are kept before two are merged; at least 1.
    pub max_buckets: u32,
    /// The shortest part of a cut, in rows; at least 1.
    pub min_window_length: u32,
    /// No cut is looked for in a window of at most so many rows.
    pub grace_period: u32,
    /// The unit of the values.
    pub scale: Scale,
}

/// Drift detection method.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ddm {
    /// Nothing is signalled in the first rows.
    pub warm_start: u32,
    /// Warning above the minimum, in standard deviations; above 0.
    pub warning_threshold: f64,
    /// Drift above the minimum, in standard deviations; not below the warning threshold.
    pub drift_threshold: f64,
}

/// Early drift detection method.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Eddm {
    /// Nothing is signalled in the first errors.
    pub warm_start: u32,
    /// Warning below this share of the maximum, between 0 and 1.
    pub alpha: f64,
    /// Drift below this share of the maximum, between 0 and alpha.
    pub beta: f64,
}

/// Drift detection by Hoeffding's bound on moving averages.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HddmA {
    /// Confidence of a drift, between 0 and 1: the smaller, the fewer alarms.
    pub drift_confidence: f64,
    /// Confidence of a warning, not below that of a drift.
    pub warning_confidence: f64,
    /// Whether a fall is a drift too.
    pub two_sided: bool,
}

/// Drift detection by McDiarmid's bound on exponentially weighted moving averages.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HddmW {
    /// Confidence of a drift, between 0 and 1: the smaller, the fewer alarms.
    pub drift_confidence: f64,
    /// Confidence of a warning, not below that of a drift.
    pub warning_confidence: f64,
    /// The weight of the newest row, between 0 and 1.
    pub lambda: f64,
    /// Whether a fall is a drift too.
    pub two_sided: bool,
}

/// Page-Hinkley test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PageHinkley {
    /// Nothing is signalled in the first rows.
    pub min_instances: u32,
    /// The deviation that is allowed, in the unit of the scale; not negative.
    pub delta: f64,
    /// Drift where the cumulated deviation exceeds this; above 0.
    pub threshold: f64,
    /// How much of the cumulated deviation is kept at each row, above 0 and up to 1.
    pub alpha: f64,
    /// Which changes are looked for.
    pub direction: Direction,
    /// The unit of the values.
    pub scale: Scale,
}

/// Kolmogorov-Smirnov windowing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kswin {
    /// Drift where the test's p-value is at most this, between 0 and 1.
    pub alpha: f64,
    /// Rows kept.
    pub window_size: u32,
    /// Newest rows, and as many drawn from the older ones, that are compared; at most half of the window.
    pub stat_size: u32,
    /// Seed of the draws, as in Python's `random.Random(seed)`.
    pub seed: u64,
}

/// Cumulative sums against a fixed mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cusum {
    /// The deviation that is allowed, in the unit of the scale; not negative. Half of the shift to be found is optimal.
    pub slack: f64,
    /// Drift where the cumulated deviation exceeds this; above 0.
    pub threshold: f64,
    /// Which changes are looked for.
    pub direction: Direction,
    /// The mean and the unit; `none` measures from 0.
    pub scale: Scale,
}

/// A detector with its parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "each is named as its struct")]
pub enum Parameters {
    Adwin(Adwin),
    Ddm(Ddm),
    Eddm(Eddm),
    HddmA(HddmA),
    HddmW(HddmW),
    PageHinkley(PageHinkley),
    Kswin(Kswin),
    Cusum(Cusum),
}

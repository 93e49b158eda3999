//! Parameters of every detector: explicit, checked, readable and settable by name.

use super::field::{Field, Range};
use super::{Direction, Error, Input, Scale};

/// The detectors' names.
pub const NAMES: [&str; 8] = ["adwin", "ddm", "eddm", "hddm_a", "hddm_w", "page_hinkley", "kswin", "cusum"];

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
    /// The maximum is looked for after so many rows, changes after as many errors.
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

impl Parameters {
    /// The detector's name, one of [`NAMES`].
    pub fn name(&self) -> &'static str {
        match self {
            Self::Adwin(_) => "adwin",
            Self::Ddm(_) => "ddm",
            Self::Eddm(_) => "eddm",
            Self::HddmA(_) => "hddm_a",
            Self::HddmW(_) => "hddm_w",
            Self::PageHinkley(_) => "page_hinkley",
            Self::Kswin(_) => "kswin",
            Self::Cusum(_) => "cusum",
        }
    }

    /// Which values the detector takes.
    pub fn input(&self) -> Input {
        match self {
            Self::Ddm(_) | Self::Eddm(_) => Input::Binary,
            Self::HddmA(_) | Self::HddmW(_) => Input::Unit,
            Self::Adwin(_) | Self::PageHinkley(_) | Self::Kswin(_) | Self::Cusum(_) => Input::Finite,
        }
    }

    /// Every parameter with its value as text, in a fixed order.
    pub fn entries(&self) -> Vec<(&'static str, String)> {
        { *self }.fields().into_iter().map(|(name, field)| (name, field.text())).collect()
    }

    /// Sets one parameter from text, such as `delta` from `0.002`, `direction` from `up` or `scale` from `warm-up 200`.
    /// Whether the parameters fit together is checked by [`Parameters::validate`].
    ///
    /// # Errors
    /// There is no such parameter, or it cannot have this value; nothing is changed then.
    pub fn set(&mut self, parameter: &str, text: &str) -> Result<(), Error> {
        let detector = self.name();
        let mut changed = *self;
        let mut fields = changed.fields();
        let known: Vec<&'static str> = fields.iter().map(|(name, _)| *name).collect();
        let Some((name, field)) = fields.iter_mut().find(|(name, _)| *name == parameter) else {
            return Err(Error::UnknownParameter { detector, parameter: parameter.to_owned(), known });
        };
        let parsed = field.parse(text).err().or_else(|| field.complaint());
        if let Some(expected) = parsed {
            return Err(Error::Parameter { detector, parameter: name, value: text.to_owned(), expected });
        }
        *self = changed;
        Ok(())
    }

    /// # Errors
    /// A parameter is out of its range, or two do not fit together.
    pub fn validate(&self) -> Result<(), Error> {
        let complaint =
            { *self }.fields().into_iter().find_map(|(name, field)| Some((name, field.complaint()?)));
        match complaint.or_else(|| self.misfit()) {
            Some((parameter, expected)) => {
                let entries = self.entries();
                let value = entries.into_iter().find(|(name, _)| *name == parameter).unwrap_or_default().1;
                Err(Error::Parameter { detector: self.name(), parameter, value, expected })
            }
            None => Ok(()),
        }
    }

    /// A parameter that does not fit another.
    fn misfit(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Ddm(p) => (p.drift_threshold < p.warning_threshold)
                .then_some(("drift_threshold", "it must not be below warning_threshold")),
            Self::Eddm(p) => (p.beta > p.alpha).then_some(("beta", "it must not be above alpha")),
            Self::HddmA(HddmA { drift_confidence, warning_confidence, .. })
            | Self::HddmW(HddmW { drift_confidence, warning_confidence, .. }) => (drift_confidence
                > warning_confidence)
                .then_some(("drift_confidence", "it must not be above warning_confidence")),
            Self::Kswin(p) => (p.stat_size > p.window_size / 2)
                .then_some(("stat_size", "it must be at most half of window_size")),
            Self::Adwin(_) | Self::PageHinkley(_) | Self::Cusum(_) => None,
        }
    }

    /// Every parameter's name and place, in the order in which they are saved.
    pub(super) fn fields(&mut self) -> Vec<(&'static str, Field<'_>)> {
        use Field::{Count, Flag, Real, Seed};
        match self {
            Self::Adwin(p) => vec![
                ("delta", Real(&mut p.delta, Range::Confidence)),
                ("clock", Count(&mut p.clock, 1)),
                ("max_buckets", Count(&mut p.max_buckets, 1)),
                ("min_window_length", Count(&mut p.min_window_length, 1)),
                ("grace_period", Count(&mut p.grace_period, 0)),
                ("scale", Field::Scale(&mut p.scale)),
            ],
            Self::Ddm(p) => vec![
                ("warm_start", Count(&mut p.warm_start, 0)),
                ("warning_threshold", Real(&mut p.warning_threshold, Range::Positive)),
                ("drift_threshold", Real(&mut p.drift_threshold, Range::Positive)),
            ],
            Self::Eddm(p) => vec![
                ("warm_start", Count(&mut p.warm_start, 0)),
                ("alpha", Real(&mut p.alpha, Range::Share)),
                ("beta", Real(&mut p.beta, Range::Share)),
            ],
            Self::HddmA(p) => vec![
                ("drift_confidence", Real(&mut p.drift_confidence, Range::Confidence)),
                ("warning_confidence", Real(&mut p.warning_confidence, Range::Confidence)),
                ("two_sided", Flag(&mut p.two_sided)),
            ],
            Self::HddmW(p) => vec![
                ("drift_confidence", Real(&mut p.drift_confidence, Range::Confidence)),
                ("warning_confidence", Real(&mut p.warning_confidence, Range::Confidence)),
                ("lambda", Real(&mut p.lambda, Range::Confidence)),
                ("two_sided", Flag(&mut p.two_sided)),
            ],
            Self::PageHinkley(p) => vec![
                ("min_instances", Count(&mut p.min_instances, 0)),
                ("delta", Real(&mut p.delta, Range::NotNegative)),
                ("threshold", Real(&mut p.threshold, Range::Positive)),
                ("alpha", Real(&mut p.alpha, Range::Share)),
                ("direction", Field::Direction(&mut p.direction)),
                ("scale", Field::Scale(&mut p.scale)),
            ],
            Self::Kswin(p) => vec![
                ("alpha", Real(&mut p.alpha, Range::Confidence)),
                ("window_size", Count(&mut p.window_size, 2)),
                ("stat_size", Count(&mut p.stat_size, 1)),
                ("seed", Seed(&mut p.seed)),
            ],
            Self::Cusum(p) => vec![
                ("slack", Real(&mut p.slack, Range::NotNegative)),
                ("threshold", Real(&mut p.threshold, Range::Positive)),
                ("direction", Field::Direction(&mut p.direction)),
                ("scale", Field::Scale(&mut p.scale)),
            ],
        }
    }
}

//! Thresholds from windows held out of the reference, so that false alarms are as rare as was asked for.
//!
//! The reference is cut in two halves. Every window-sized group of days in one half is compared with the whole other
//! half, as a live window is compared with the reference: the days between them, and days that resemble their
//! neighbours (rolling features), are part of what is measured; independent rows are nowhere assumed. What remains is
//! the tail. Per window the largest effect over all columns, segments and measures, each in units of its own spread, is
//! one number; a Gumbel distribution is fitted to these numbers, and its upper confidence limit at the wanted rate gives
//! all thresholds at once (the maximum over dependent tests: Westfall and Young, "Resampling-Based Multiple Testing",
//! 1993). By what the halves differ from each other, columns that drift slowly get room. A reference too short for the wanted rate is refused.

mod effects;
mod folds;
mod metrics;
mod prior;
mod series;
mod tail;

use std::sync::Arc;

use millrace_statistics::two_sample::Method;

use crate::judge::{Calibration, Measure, Thresholds};
use crate::reference::{Reference, Season, of_scores, score_plan};
use crate::window::WindowSpec;

pub use metrics::Performance;

use folds::Folds;

/// What part of the false alarms findings of columns, of all columns together and of scores may raise.
pub const DATA_SHARE: f64 = 0.7;
/// That of constraints on data quality.
pub const QUALITY_SHARE: f64 = 0.1;
/// That of metrics on labels.
pub const METRICS_SHARE: f64 = 0.2;

/// How thresholds are calibrated.
#[derive(Debug, Clone)]
pub struct Options {
    /// The declared window.
    pub window: WindowSpec,
    /// The wanted time between false alarms, over all columns, segments and windows together, in ms of record time.
    pub expected_time_between_alarms_ms: i64,
    /// The share of these alarms that this topic may raise, where several are watched; 1 for all.
    pub share: f64,
    /// The season that windows are compared within.
    pub season: Option<Season>,
    /// How far after the reference's end windows will lie, in ms; none: as far as the reference is long. Columns that
    /// drift slowly in the reference get room for as much.
    pub horizon_ms: Option<i64>,
    /// Methods that get thresholds beside the default ones.
    pub methods: Vec<Method>,
    /// Whether all columns together get thresholds too.
    pub joint: bool,
    /// Whether the scores that the reference counts get thresholds too, out of the same share.
    pub scores: bool,
    /// The model whose metrics on labels get thresholds, out of a share of their own; none: no metrics.
    pub performance: Option<Performance>,
    /// Rows with a value that a window needs.
    pub min_rows: u64,
    /// Of random features and trees.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            window: WindowSpec::Tumbling { length_ms: 86_400_000 },
            expected_time_between_alarms_ms: 180 * 86_400_000,
            share: 1.0,
            season: None,
            horizon_ms: None,
            methods: Vec::new(),
            joint: true,
            scores: true,
            performance: None,
            min_rows: 100,
            seed: 0,
        }
    }
}

/// What was calibrated.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibrated {
    /// The thresholds.
    pub thresholds: Thresholds,
    /// What got none and is judged by convention, with the reason; where the reference is too short, how much is needed.
    pub left: Vec<String>,
}

/// Why thresholds cannot be calibrated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The reference is too short for the wanted rate.
    #[error(
        "the reference holds {windows} windows of {window}; an expected time between alarms of {wanted} needs {needed}, \
         that is {range} of data. Build the reference from a longer range, or ask for {possible} or less"
    )]
    TooShort {
        /// Windows in it.
        windows: usize,
        /// The declared window.
        window: String,
        /// The wanted time.
        wanted: String,
        /// How many windows it takes.
        needed: usize,
        /// How long a range that is.
        range: String,
        /// The longest time that the reference is good for.
        possible: String,
    },
    /// Windows cannot be made of the reference's blocks.
    #[error("windows of {window} cannot be held out of a reference of blocks of {block}: {hint}")]
    Blocks {
        /// The declared window.
        window: String,
        /// The length of a block.
        block: String,
        /// What to do.
        hint: String,
    },
    /// The options contradict themselves.
    #[error("{0}")]
    Options(String),
}

/// How many times longer than the held-out windows the wanted time may be. Beyond the data a fitted tail is a guess
/// that grows wilder with the distance; hydrologists, who live from it, rarely go further (Hosking and Wallis,
/// "Regional Frequency Analysis", 1997, section 2.5).
const EXTRAPOLATION: f64 = 8.0;

/// Windows below which no tail is fitted.
const MIN_WINDOWS: usize = 14;

/// Calibrates thresholds for windows of a topic on its reference: of columns, of all columns together, of the scores that
/// the reference counts, and of metrics on labels.
///
/// # Errors
/// A reference that is too short for the wanted time (the error says how much is needed), or whose blocks do not make
/// windows.
pub fn calibrate(reference: &Reference, options: &Options) -> Result<Calibrated, Error> {
    let shares = [options.share, options.performance.as_ref().map_or(options.share, |of| of.share)];
    if options.expected_time_between_alarms_ms <= 0 || shares.iter().any(|s| *s <= 0.0 || *s > 1.0) {
        let message = "the expected time between alarms must be positive, and the share in (0, 1]";
        return Err(Error::Options(message.into()));
    }
    let folds = Folds::of(reference, options)?;
    let rate = folds.rate(options, options.share);
    enough(&folds, rate, options, options.share)?;
    let mut series = effects::all(&folds, options);
    let columns = series.len();
    series.extend(scores(reference, options)?);
    let horizon_ms = options.horizon_ms.unwrap_or(folds.range_ms).max(0);
    let reach = 1.0 + horizon_ms as f64 / (folds.range_ms.max(1) as f64 / 2.0);
    let tail = tail::fit(&series, rate, reach);
    let performance = options.performance.as_ref().map(|of| metrics::bounds(&folds, of, options));
    let (metrics, left) = performance.unwrap_or_default();
    let calibration = Calibration {
        window: options.window.text(),
        expected_time_between_alarms_ms: options.expected_time_between_alarms_ms,
        windows: folds.windows.len() as u64,
        independent_windows: (tail.independent * 10.0).round() / 10.0,
        subjects: (tail.subjects + metrics.len()) as u64,
        horizon_ms,
    };
    let mut bounds = series.into_iter().map(|series| series.key).zip(tail.bounds);
    let thresholds = Thresholds {
        calibration: Some(calibration),
        drifted_share: None,
        bounds: bounds.by_ref().take(columns).collect(),
        predictions: bounds.collect(),
        metrics,
    };
    Ok(Calibrated { thresholds, left })
}

/// The effects of scores in the same windows: of their distribution, and of rows without one. Scores outside of the
/// reference's range say nothing: models give few that are as high as the highest.
fn scores(reference: &Reference, options: &Options) -> Result<Vec<series::Series>, Error> {
    if !options.scores || reference.blocks.iter().all(|block| block.scored.is_empty()) {
        return Ok(Vec::new());
    }
    let plan = Arc::new(score_plan(Some(reference), reference.plan.segments.clone()));
    let found = of_scores(reference, &plan).map_err(|error| Error::Options(error.to_string()))?;
    let Some(scores) = found else { return Ok(Vec::new()) };
    let folds = Folds::of(&scores, options)?;
    let mut series = effects::all(&folds, &Options { joint: false, ..options.clone() });
    series.retain(|series| matches!(series.key.measure, Measure::Distribution(_) | Measure::Missing));
    Ok(series)
}

fn enough(folds: &Folds, rate: f64, options: &Options, share: f64) -> Result<(), Error> {
    let needed = (1.0 / (EXTRAPOLATION * rate)).ceil().max(MIN_WINDOWS as f64);
    let windows = folds.windows.len();
    if windows as f64 >= needed {
        return Ok(());
    }
    let show = |ms: f64| millrace_topics::show_duration(((ms / 3_600_000.0).round() * 3_600_000.0) as i64);
    let possible = match windows < MIN_WINDOWS {
        true => "nothing".to_owned(),
        false => show(EXTRAPOLATION * windows as f64 * folds.step_ms * share),
    };
    Err(Error::TooShort {
        windows,
        window: options.window.text(),
        wanted: millrace_topics::show_duration(options.expected_time_between_alarms_ms),
        needed: needed as usize,
        range: show(needed * folds.length_ms as f64),
        possible,
    })
}

#[cfg(test)]
mod tests;

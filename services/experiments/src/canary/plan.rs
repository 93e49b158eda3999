//! How long steps must be to see what they are to see.

use serde::{Deserialize, Serialize};

use super::release::Step;
use crate::analysis::power::{conversion_variance, required_positives, required_units};
use crate::range::{OutOfRange, within};

const DAY_MS: f64 = 86_400_000.0;

/// What a step is judged by, and what is known of it beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Judged {
    /// AUC of both versions on the same rows.
    PairedAuc {
        /// The champion's.
        auc: f64,
        /// How the two estimates are correlated: near 1 for versions that order rows alike.
        correlation: f64,
        /// The share of rows that are positive.
        positive_rate: f64,
    },
    /// A mean of differences on the same rows: log loss, Brier score.
    PairedMean {
        /// The standard deviation of one row's difference.
        deviation: f64,
    },
    /// A conversion rate of two arms.
    Conversion {
        /// The champion's.
        rate: f64,
    },
    /// A mean of two arms.
    Mean {
        /// The standard deviation of one unit.
        deviation: f64,
    },
}

/// What is to be seen, and how surely.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aim {
    /// The difference that must be seen, in the metric's unit.
    pub bound: f64,
    /// The level of the two-sided interval.
    pub alpha: f64,
    /// The probability with which the bound is seen.
    pub power: f64,
}

/// What comes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// Rows (paired metrics) or units (arms) a day, of all arms together.
    pub per_day: f64,
    /// The share of rows that get a label in time.
    pub labelled: f64,
    /// How long labels take, milliseconds; 0 for metrics that need none.
    pub label_horizon_ms: i64,
}

/// A step that can see the bound.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// The canary's share.
    pub share: f64,
    /// The share of the baseline arm that it is compared with: as large as the canary, above one half the rest; 1 where both
    /// versions score the same rows.
    pub baseline: f64,
    /// Labelled positives (AUC), rows (paired means) or units of the canary (arms) that a window needs.
    pub required: u64,
    /// How long that takes, milliseconds, without the label horizon.
    pub window_ms: i64,
}

/// Why a plan is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// A number outside its range.
    #[error(transparent)]
    Number(#[from] OutOfRange),
    /// A step that is too short.
    #[error(
        "step {step} (share {share}) cannot see a difference of {bound}: it needs {required} {what}, which take {days:.1} days \
             with the label horizon; it may take {max_days:.1}. Give it more time, a larger share, or a larger bound"
    )]
    TooShort {
        /// Which one, from 1.
        step: usize,
        /// Its share.
        share: f64,
        /// The difference.
        bound: f64,
        /// How many it needs.
        required: u64,
        /// Of what.
        what: &'static str,
        /// How long they take.
        days: f64,
        /// How long the step may take.
        max_days: f64,
    },
    /// No number of rows is enough.
    #[error("step {step}: no number of rows sees a difference of {bound}")]
    Never {
        /// Which one, from 1.
        step: usize,
        /// The difference.
        bound: f64,
    },
}

/// Sizes the window of each step for the declared power.
///
/// # Errors
/// A number out of range, or a step in which the window and the label horizon do not fit.
pub fn plan(judged: &Judged, aim: &Aim, traffic: &Traffic, steps: &[Step]) -> Result<Vec<Planned>, Error> {
    check(judged, aim, traffic)?;
    let fit = |(at, step): (usize, &Step)| {
        let planned =
            size(judged, aim, traffic, step).ok_or(Error::Never { step: at + 1, bound: aim.bound })?;
        let whole = planned.window_ms.saturating_add(traffic.label_horizon_ms);
        if whole > step.max_ms {
            let (share, bound, required) = (step.share, aim.bound, planned.required);
            let (days, max_days) = (whole as f64 / DAY_MS, step.max_ms as f64 / DAY_MS);
            return Err(Error::TooShort {
                step: at + 1,
                share,
                bound,
                required,
                what: judged.counts(),
                days,
                max_days,
            });
        }
        Ok(planned)
    };
    for step in steps {
        within("share", step.share, step.share > 0.0 && step.share <= 1.0, "a share lies in (0, 1]")?;
    }
    steps.iter().enumerate().map(fit).collect()
}

impl Judged {
    fn counts(&self) -> &'static str {
        match self {
            Self::PairedAuc { .. } => "labelled positives",
            Self::PairedMean { .. } => "labelled rows",
            Self::Conversion { .. } | Self::Mean { .. } => "units of the canary",
        }
    }
}

fn size(judged: &Judged, aim: &Aim, traffic: &Traffic, step: &Step) -> Option<Planned> {
    let (share, Aim { bound, alpha, power }) = (step.share, *aim);
    let rows = traffic.per_day * traffic.labelled;
    let planned = |baseline, required: u64, per_day: f64| {
        Some(Planned {
            share,
            baseline,
            required,
            window_ms: (required as f64 / per_day * DAY_MS).ceil() as i64,
        })
    };
    let arms = |variances| {
        let baseline = if share <= 0.5 { share } else { 1.0 - share };
        // A step of all traffic has nobody to compare with.
        let (_, canary) =
            (baseline > 0.0).then(|| required_units(bound, variances, share / baseline, alpha, power))??;
        planned(baseline, canary, rows * share)
    };
    match *judged {
        Judged::PairedAuc { auc, correlation, positive_rate } => {
            let negatives = (1.0 - positive_rate) / positive_rate;
            let positives = required_positives(auc, bound, negatives, correlation, alpha, power)?;
            planned(1.0, positives, rows * positive_rate)
        }
        Judged::PairedMean { deviation } => {
            // One sample of differences: two arms of which one has no spread.
            let (rows_needed, _) = required_units(bound, (deviation * deviation, 0.0), 1.0, alpha, power)?;
            planned(1.0, rows_needed, rows)
        }
        Judged::Conversion { rate } => {
            arms((conversion_variance(rate), conversion_variance((rate + bound).min(1.0))))
        }
        Judged::Mean { deviation } => arms((deviation * deviation, deviation * deviation)),
    }
}

fn check(judged: &Judged, aim: &Aim, traffic: &Traffic) -> Result<(), OutOfRange> {
    let inside = |value: f64| value > 0.0 && value < 1.0;
    within(
        "bound",
        aim.bound,
        aim.bound > 0.0 && aim.bound.is_finite(),
        "a difference to be seen is above 0",
    )?;
    within("alpha", aim.alpha, inside(aim.alpha), "a level lies in (0, 1)")?;
    within("power", aim.power, inside(aim.power), "a power lies in (0, 1)")?;
    within("per_day", traffic.per_day, traffic.per_day > 0.0, "without traffic nothing is seen")?;
    let labelled = traffic.labelled;
    within("labelled", labelled, labelled > 0.0 && labelled <= 1.0, "a share lies in (0, 1]")?;
    match *judged {
        Judged::PairedAuc { auc, correlation, positive_rate } => {
            within("auc", auc, inside(auc), "an area lies in (0, 1)")?;
            within(
                "correlation",
                correlation,
                (0.0..1.0).contains(&correlation),
                "a correlation here lies in [0, 1)",
            )?;
            within("positive_rate", positive_rate, inside(positive_rate), "a rate lies in (0, 1)")
        }
        Judged::Conversion { rate } => within("rate", rate, inside(rate), "a rate lies in (0, 1)"),
        Judged::PairedMean { deviation } | Judged::Mean { deviation } => {
            within("deviation", deviation, deviation > 0.0, "a standard deviation is above 0")
        }
    }
}

//! Declared triggers, as those that fire.

use millrace_schemas::envelope::{Subject, TrainMode};
use millrace_topics::{DriftTable, RetrainTable, TriggerOn, TriggerTable, show_duration};

use super::Error;
use crate::retrain::{Direction, Schedule, TrainRange, Trigger, When};

/// Metrics that are better where they are less.
const ERRORS: [&str; 5] = ["log_loss", "brier", "ece", "mae", "rmse"];

/// The triggers of an application.
pub fn of(table: &DriftTable, retrain: &RetrainTable) -> Result<Vec<Trigger>, Error> {
    retrain.triggers.iter().map(|trigger| one(table, trigger)).collect()
}

fn one(table: &DriftTable, trigger: &TriggerTable) -> Result<Trigger, Error> {
    Ok(Trigger {
        name: trigger.name.clone(),
        when: when(table, &trigger.on)?,
        cool_down_ms: trigger.cool_down_ms,
        mode: Some(if trigger.stateful { TrainMode::Stateful } else { TrainMode::Stateless }),
        range: TrainRange { length_ms: trigger.training_ms, delay_ms: table.maturity_ms },
    })
}

fn when(table: &DriftTable, on: &TriggerOn) -> Result<When, Error> {
    Ok(match on {
        TriggerOn::Drift { severity, windows } => When::Drift {
            subjects: vec![Subject::Data, Subject::Prediction, Subject::Domain, Subject::Dataset],
            severity: *severity,
            windows: *windows,
        },
        TriggerOn::Performance { metric, bound, margin, windows } => When::Performance {
            metric: metric.clone(),
            segment: None,
            better: if ERRORS.contains(&metric.as_str()) { Direction::Lower } else { Direction::Higher },
            bound: *bound,
            margin: *margin,
            windows: *windows,
            coverage: table.coverage,
            maturity: 0.0,
        },
        TriggerOn::Volume { labels, growth_percent } => {
            When::Volume { labels: *labels, growth_percent: *growth_percent }
        }
        TriggerOn::Time { every_ms, cron } => {
            let text =
                cron.as_ref().map(ToString::to_string).or(every_ms.map(show_duration)).unwrap_or_default();
            When::Time(Schedule::parse(&text).map_err(|error| Error::Internal(error.to_string()))?)
        }
    })
}

/// The schedules among them, for the clock.
pub fn schedules(triggers: &[Trigger]) -> Vec<Schedule> {
    let schedule = |trigger: &Trigger| match &trigger.when {
        When::Time(schedule) => Some(schedule.clone()),
        _ => None,
    };
    triggers.iter().filter_map(schedule).collect()
}

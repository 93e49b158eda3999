//! Keeps the states of alarms and triggers, and writes reports and requests. Its state is all that it was ever told.

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace_runtime::task::{Batch, Effects, Output, Progress, Task, TaskError};
use millrace_schemas::envelope::{DriftCommand, DriftEvent, DriftKind, Record as _, RetrainRequest};
use serde::{Deserialize, Serialize};

use super::Error;
use super::alarms::AlarmBook;
use super::detect::WindowDetectors;
use super::measures::Measures;
use super::message::{Assembler, Message};
use super::notes::{Entry, Span};
use super::past::{PastCauses, is_of_outcomes};
use super::shared::Clocks;
use crate::alarm::{Action, Alarms, Command, Rules};
use crate::cause::{self, Depends};
use crate::retrain::{LabelCount, Measurement, Served, Tick, Trigger, Triggers, Window};

/// The output topic of reports, among those of the stage.
pub const REPORTS: usize = 0;
/// The output topic of requests.
pub const REQUESTS: usize = 1;

/// What a judge says of a window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// Findings, drifted or not, and the summary.
    pub events: Vec<DriftEvent>,
    /// What was measured on labels.
    #[serde(default)]
    pub measurements: Vec<Measurement>,
    /// Labels of the window, where it is of predictions.
    #[serde(default)]
    pub labels: u64,
    /// Means of columns that detectors watch from window to window.
    #[serde(default)]
    pub means: BTreeMap<String, f64>,
    /// The model and version that served.
    #[serde(default)]
    pub served: Option<(String, String)>,
}

impl Said {
    /// As JSON. JSON knows no infinite numbers: a severity beyond all bounds is the greatest there is.
    pub fn into_bytes(mut self) -> Result<Vec<u8>, Error> {
        for event in &mut self.events {
            if !event.severity.is_finite() {
                event.severity = f64::MAX;
            }
            event.values.retain(|_, value| value.is_finite());
        }
        serde_json::to_vec(&self).map_err(|error| Error::Internal(error.to_string()))
    }
}

/// How many rows a model version was trained on, where its model file says so.
pub type Trained = Arc<dyn Fn(&str, &str) -> Option<u64> + Send + Sync>;

/// What the task knows from the application.
#[derive(Clone)]
pub struct ReportPlan {
    /// The triggers.
    pub triggers: Vec<Trigger>,
    /// Which columns move because of which.
    pub depends: Depends,
    /// Onsets no further apart than this are not told apart, in ms.
    pub tolerance_ms: i64,
    /// How many rows a version was trained on, where its model file says so.
    pub trained: Trained,
    /// Whether requests are written.
    pub requests: bool,
    /// Detectors of windows, before the first one.
    pub detectors: WindowDetectors,
    /// Where windows of rows are judged beside outcomes: how long after a window's end its outcomes may still be told, in
    /// ms.
    pub outcomes_ms: Option<i64>,
}

/// The task. There is one.
pub struct Report {
    plan: ReportPlan,
    assembler: Assembler<Entry>,
    alarms: Alarms,
    triggers: Triggers,
    detectors: WindowDetectors,
    past: PastCauses,
    /// Outcomes of windows whose rows are not judged yet, in the order in which they were told.
    waiting: Vec<(Span, Said)>,
    /// The end of the last window of rows that was judged for good, in ms.
    rows_ms: Option<i64>,
    served: Served,
    labels: u64,
    /// The end of the last window, in ms: what the stream's clock shows.
    time_ms: Option<i64>,
    first: Option<i64>,
    clocks: Arc<Clocks>,
    measures: Arc<Measures>,
}

/// What one batch makes the task write.
#[derive(Default)]
struct Written {
    events: Vec<(u32, DriftEvent)>,
    requests: Vec<(u32, RetrainRequest)>,
}

impl Report {
    /// The task.
    pub fn new(plan: ReportPlan, clocks: Arc<Clocks>, measures: Arc<Measures>) -> Self {
        Self {
            alarms: Alarms::new(Rules::default()),
            triggers: Triggers::new(plan.triggers.clone()),
            detectors: plan.detectors.clone(),
            past: PastCauses::new(plan.outcomes_ms.unwrap_or(0)),
            waiting: Vec::new(),
            rows_ms: None,
            plan,
            assembler: Assembler::default(),
            served: Served::default(),
            labels: 0,
            time_ms: None,
            first: None,
            clocks,
            measures,
        }
    }

    /// The alarms, and what the stream's clock shows.
    pub fn book(&self) -> AlarmBook {
        let alarms = self.alarms.iter().map(|(key, alarm)| (key.clone(), alarm.clone())).collect();
        AlarmBook { time_ms: self.time_ms, alarms }
    }

    fn take(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), Error> {
        let Some(input) = batch.inputs.first() else { return Ok(()) };
        let mut written = Written::default();
        for (row, meta) in input.meta.iter().enumerate() {
            self.first = self.first.or(Some(meta.offset));
            let Some((message, _)) = self.assembler.take(&input.rows, row, meta.offset)? else { continue };
            self.take_one(super::observe::cause(row), message, &mut written)?;
        }
        if batch.phase.is_new() {
            let events: Vec<DriftEvent> = written.events.iter().map(|(_, event)| event.clone()).collect();
            self.measures.reported(&events, written.requests.len());
            let time_ms = self.time_ms.unwrap_or_default();
            self.measures.alarms(self.alarms.iter().map(|(_, alarm)| alarm.shown(time_ms)));
        }
        self.write(written, effects)
    }

    fn take_one(&mut self, row: u32, message: Message<Entry>, written: &mut Written) -> Result<(), Error> {
        match message.head {
            Entry::Judged { topic, window, provisional, revision, .. } => {
                let mut said: Said = read(&message.body)?;
                if !provisional && revision == 0 {
                    let found = self.detectors.take(&said.events, &said.means, said.served.as_ref());
                    said.events.extend(found);
                }
                // The judge of rows names no topic: it judges all of them together.
                match topic.is_empty() && self.plan.outcomes_ms.is_some() {
                    true => self.rows_judged(row, window, provisional, said, written),
                    false if self.waits(window, provisional, &said) => self.waiting.push((window, said)),
                    false => self.judged(row, window, provisional, said, written),
                }
            }
            Entry::Command { .. } => self.command(&read(&message.body)?),
            Entry::Tick { time_ms } => {
                self.clocks.ticked(time_ms);
                let requests = self.triggers.tick(&self.served, Tick { time_ms });
                written.requests.extend(requests.into_iter().map(|request| (row, request)));
            }
        }
        Ok(())
    }

    /// Whether outcomes wait for the rows of their window: what drifted there may be behind them.
    fn waits(&self, window: Span, provisional: bool, said: &Said) -> bool {
        let known = self.plan.outcomes_ms.is_none() || self.rows_ms >= Some(window.end_ms);
        !provisional && !known && is_of_outcomes(&said.events)
    }

    /// A window of rows was judged: the outcomes of windows up to it need not wait any more.
    fn rows_judged(&mut self, row: u32, window: Span, provisional: bool, said: Said, written: &mut Written) {
        self.judged(row, window, provisional, said, written);
        if provisional {
            return;
        }
        self.rows_ms = self.rows_ms.max(Some(window.end_ms));
        let ready = |waiting: &mut (Span, Said)| waiting.0.end_ms <= window.end_ms;
        let ready: Vec<(Span, Said)> = self.waiting.extract_if(.., ready).collect();
        for (window, said) in ready {
            self.judged(row, window, false, said, written);
        }
    }

    /// Groups what drifted under its causes, also those that were told of the same window before.
    fn group(&mut self, window: Span, provisional: bool, events: &mut [DriftEvent]) {
        let (alarms, depends, tolerance_ms) = (&self.alarms, &self.plan.depends, self.plan.tolerance_ms);
        let since = |event: &DriftEvent| alarms.since_ms(event);
        if !is_of_outcomes(events) {
            cause::group(events, depends, since, tolerance_ms);
            if !provisional {
                self.past.take(window, events, since);
            }
            return;
        }
        let concerns = |cause: &&super::past::PastCause| {
            events.iter().filter(|event| event.drifted).all(|event| cause.concerns(event))
        };
        let past = self.past.overlapping(window).filter(concerns);
        let past: Vec<(DriftEvent, i64)> = past.map(|cause| (cause.event.clone(), cause.since_ms)).collect();
        cause::group_after(events, &past, depends, since, tolerance_ms);
    }

    fn judged(&mut self, row: u32, window: Span, provisional: bool, said: Said, written: &mut Written) {
        let Said { mut events, measurements, labels, served, .. } = said;
        for event in &mut events {
            event.alarm = self.alarms.observe(event);
        }
        self.group(window, provisional, &mut events);
        events.iter_mut().for_each(DriftEvent::seal);
        events.retain(|event| event.drifted || event.kind == DriftKind::Summary);
        if !provisional {
            self.time_ms = self.time_ms.max(Some(window.end_ms));
            if let Some((model, version)) = served {
                self.served = Served { model, version, new_columns: Vec::new() };
            }
            self.labels += labels;
            let requests = self.fire(window, &events, &measurements);
            written.requests.extend(requests.into_iter().map(|request| (row, request)));
        }
        written.events.extend(events.into_iter().map(|event| (row, event)));
    }

    fn fire(
        &mut self,
        window: Span,
        events: &[DriftEvent],
        measurements: &[Measurement],
    ) -> Vec<RetrainRequest> {
        if self.served.model.is_empty() {
            return Vec::new();
        }
        let trained = (self.plan.trained)(&self.served.model, &self.served.version);
        let labels = trained.map(|trained| LabelCount { total: self.labels, trained });
        let (start_ms, end_ms) = (window.start_ms, window.end_ms);
        let window = Window { start_ms, end_ms, events, measurements, labels };
        self.triggers.window(&self.served, &window)
    }

    fn command(&mut self, command: &DriftCommand) {
        let action = match (command.action.as_str(), command.until_ms) {
            (DriftCommand::ACK, _) => Action::Acknowledge,
            (DriftCommand::MUTE, Some(until_ms)) => Action::Mute { until_ms },
            (DriftCommand::UNMUTE, _) => Action::Unmute,
            (DriftCommand::CLOSE, _) => Action::Close,
            _ => return,
        };
        // Alarms live in the stream's time, whenever that is.
        let told = Command {
            time_ms: self.time_ms.unwrap_or(command.time_ms),
            alarm: command.alarm.clone(),
            action,
            by: command.by.clone(),
            note: command.reason.clone(),
        };
        // What cannot be done is told by the command line, which knows the alarms; here it changes nothing.
        let _ = self.alarms.command(&told);
    }

    fn write(&self, written: Written, effects: &mut Effects) -> Result<(), Error> {
        let wrong = |error: millrace_schemas::Error| Error::Internal(error.to_string());
        if !written.events.is_empty() {
            let (cause, events): (Vec<u32>, Vec<DriftEvent>) = written.events.into_iter().unzip();
            let rows = DriftEvent::to_batch(&events).map_err(wrong)?;
            effects.outputs.push(Output { topic: REPORTS, rows, cause, late: Vec::new() });
        }
        if !written.requests.is_empty() && self.plan.requests {
            let (cause, requests): (Vec<u32>, Vec<RetrainRequest>) = written.requests.into_iter().unzip();
            let rows = RetrainRequest::to_batch(&requests).map_err(wrong)?;
            effects.outputs.push(Output { topic: REQUESTS, rows, cause, late: Vec::new() });
        }
        Ok(())
    }
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| Error::Internal(format!("an entry cannot be read: {error}")))
}

impl Task for Report {
    fn apply(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), TaskError> {
        Ok(self.take(batch, effects)?)
    }

    fn progress(&self) -> Progress {
        Progress { task_time_ms: self.time_ms, rebuild_from: vec![self.first] }
    }

    /// All of its history is taken again.
    fn restore(&mut self, _: &Progress) {}

    fn state_size(&self) -> (u64, u64) {
        (self.alarms.iter().count() as u64, 0)
    }
}

#[cfg(test)]
mod tests;

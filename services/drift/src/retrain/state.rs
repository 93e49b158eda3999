//! Triggers at work.

mod fire;

use std::collections::BTreeMap;

use millrace_schemas::envelope::RetrainRequest;
use serde::{Deserialize, Serialize};

use super::{Tick, Trigger, When, Window};
use fire::Fired;

/// What serves, and what it was trained on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Served {
    /// The model.
    pub model: String,
    /// Its version.
    pub version: String,
    /// Columns of the feature topic now that the model does not know, and that it should: they force a fresh start.
    pub new_columns: Vec<String>,
}

/// The triggers of an application, with what they remember.
#[derive(Debug, Clone)]
pub struct Triggers {
    triggers: Vec<Trigger>,
    memories: BTreeMap<String, Memory>,
}

/// What one trigger remembers of one model version.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Memory {
    /// Windows in a row that met the condition.
    run: u32,
    /// The evidence of that run.
    evidence: Vec<String>,
    /// The end of the last window counted.
    counted_ms: Option<i64>,
    /// When it fired last.
    fired_ms: Option<i64>,
    /// The labels there were when it fired last.
    labels: Option<u64>,
    /// The moment from which a schedule counts.
    since_ms: Option<i64>,
}

/// Why bytes are no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the state of triggers: {0}")]
pub struct StateError(String);

/// How many ids of drift events a request carries: the last ones.
const EVIDENCE_MAX: usize = 32;

impl Triggers {
    /// Triggers that remember nothing.
    pub fn new(triggers: Vec<Trigger>) -> Self {
        Self { triggers, memories: BTreeMap::new() }
    }

    /// Takes a final window of a model version; one that was taken before fires nothing.
    pub fn window(&mut self, served: &Served, window: &Window<'_>) -> Vec<RetrainRequest> {
        let mut requests = Vec::new();
        for trigger in &self.triggers {
            let memory = self.memories.entry(place(trigger, served)).or_default();
            if memory.counted_ms.is_some_and(|counted| window.end_ms <= counted) {
                continue;
            }
            memory.counted_ms = Some(window.end_ms);
            let met = match &trigger.when {
                When::Drift { subjects, severity, windows } => {
                    let fired = fire::drift(window, subjects, *severity);
                    memory.lasts(fired, *windows)
                }
                When::Performance { windows, .. } => match fire::performance(window, &trigger.when) {
                    fire::Judged::No => None,
                    fire::Judged::Good => memory.lasts(None, *windows),
                    fire::Judged::Bad(fired) => memory.lasts(Some(fired), *windows),
                },
                When::Volume { labels, growth_percent } => memory.volume(window, *labels, *growth_percent),
                When::Time(_) => None,
            };
            let Some(fired) = met else { continue };
            if memory.cools(trigger, window.end_ms) {
                continue;
            }
            memory.fire(window.end_ms, window.labels.map(|l| l.total));
            requests.push(fired.request(trigger, served, (window.start_ms, window.end_ms)));
        }
        requests
    }

    /// Takes a tick. The first one of a model version starts its intervals.
    pub fn tick(&mut self, served: &Served, tick: Tick) -> Vec<RetrainRequest> {
        let mut requests = Vec::new();
        for trigger in &self.triggers {
            let When::Time(schedule) = &trigger.when else { continue };
            let memory = self.memories.entry(place(trigger, served)).or_default();
            let since_ms = *memory.since_ms.get_or_insert(tick.time_ms);
            let Some(due_ms) = schedule.due(since_ms, tick.time_ms) else { continue };
            memory.since_ms = Some(due_ms);
            if memory.cools(trigger, due_ms) {
                continue;
            }
            memory.fire(due_ms, None);
            let fired = Fired { reason: format!("It is time: {}.", schedule.text()), evidence: Vec::new() };
            requests.push(fired.request(trigger, served, (since_ms, due_ms)));
        }
        requests
    }

    /// Equal bytes for equal states.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(&self.memories).unwrap_or_default()
    }

    /// Back from [`Triggers::to_bytes`], with these triggers: what others remembered is dropped.
    ///
    /// # Errors
    /// Bytes that are no state.
    pub fn from_bytes(triggers: Vec<Trigger>, bytes: &[u8]) -> Result<Self, StateError> {
        let mut memories: BTreeMap<String, Memory> =
            serde_json::from_slice(bytes).map_err(|e| StateError(e.to_string()))?;
        memories.retain(|place, _| triggers.iter().any(|t| place.starts_with(&format!("{}\u{0}", t.name))));
        Ok(Self { triggers, memories })
    }
}

/// Where a trigger's memory of a model version lies. No name holds a NUL.
fn place(trigger: &Trigger, served: &Served) -> String {
    format!("{}\u{0}{}\u{0}{}", trigger.name, served.model, served.version)
}

impl Memory {
    fn cools(&self, trigger: &Trigger, time_ms: i64) -> bool {
        self.fired_ms.is_some_and(|fired| time_ms.saturating_sub(fired) < trigger.cool_down_ms)
    }

    fn fire(&mut self, time_ms: i64, labels: Option<u64>) {
        self.fired_ms = Some(time_ms);
        self.labels = labels.or(self.labels);
        (self.run, self.evidence) = (0, Vec::new());
    }

    /// Counts a window; what fired, with the whole run's evidence, once it has lasted.
    fn lasts(&mut self, fired: Option<Fired>, windows: u32) -> Option<Fired> {
        let Some(mut fired) = fired else {
            (self.run, self.evidence) = (0, Vec::new());
            return None;
        };
        self.run += 1;
        self.evidence.append(&mut fired.evidence);
        let surplus = self.evidence.len().saturating_sub(EVIDENCE_MAX);
        self.evidence.drain(..surplus);
        if self.run < windows {
            return None;
        }
        if windows > 1 {
            fired.reason = format!("{} So for {} windows in a row.", fired.reason, self.run);
        }
        fired.evidence = self.evidence.clone();
        Some(fired)
    }

    fn volume(
        &mut self,
        window: &Window<'_>,
        labels: Option<u64>,
        growth_percent: Option<f64>,
    ) -> Option<Fired> {
        let count = window.labels?;
        let before = self.labels.unwrap_or(count.trained);
        let new = count.total.saturating_sub(before);
        let enough = labels.is_some_and(|wanted| new >= wanted);
        let grown =
            growth_percent.is_some_and(|percent| new > 0 && new as f64 >= before as f64 * percent / 100.0);
        let reason = format!("{new} new labels since {before}.");
        (enough || grown).then_some(Fired { reason, evidence: Vec::new() })
    }
}

#[cfg(test)]
mod tests;

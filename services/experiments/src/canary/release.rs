//! The steps one after the other: time, pauses, commands.

use serde::{Deserialize, Serialize};

use super::decision::{Action, Criterion, Decision, Evidence, decide};

/// A step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The canary's share of traffic, in (0, 1].
    pub share: f64,
    /// How long it may take, milliseconds, pauses not counted.
    pub max_ms: i64,
}

/// Where a release stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A step is being judged.
    Running,
    /// Nothing came since the last look; it goes on by itself.
    WaitingForData,
    /// By command, until resumed.
    Paused,
    /// All steps are passed: the canary becomes champion.
    Promoted,
    /// The canary was worse.
    RolledBack,
    /// A step took too long: the champion stays.
    Kept,
    /// By command.
    Aborted,
}

/// A canary release. Times are of the stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Release {
    steps: Vec<Step>,
    criteria: Vec<Criterion>,
    at: usize,
    state: State,
    /// How long the present step has run, pauses not counted.
    active_ms: i64,
    last_ms: i64,
}

impl Release {
    /// Starts with the first step. Without steps or without criteria there is nothing to judge: None.
    pub fn start(steps: Vec<Step>, criteria: Vec<Criterion>, now_ms: i64) -> Option<Self> {
        let complete = !steps.is_empty() && !criteria.is_empty();
        complete.then_some(Self {
            steps,
            criteria,
            at: 0,
            state: State::Running,
            active_ms: 0,
            last_ms: now_ms,
        })
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// The step, from 0.
    pub fn step(&self) -> usize {
        self.at
    }

    /// The canary's share now: that of the step, also while paused; all if promoted, none if it ended otherwise.
    pub fn share(&self) -> f64 {
        match self.state {
            State::Running | State::WaitingForData | State::Paused => self.steps[self.at].share,
            State::Promoted => 1.0,
            State::RolledBack | State::Kept | State::Aborted => 0.0,
        }
    }

    /// Looks at a step: how many rows came since the last look, and what is known of the criteria. A look without new rows
    /// decides nothing and its time does not count. None once the release has ended.
    pub fn look(&mut self, now_ms: i64, new_rows: u64, evidence: &[Option<Evidence>]) -> Option<Decision> {
        if !self.is_open() {
            return None;
        }
        let since = now_ms.saturating_sub(self.last_ms).max(0);
        self.last_ms = self.last_ms.max(now_ms);
        if self.state == State::Paused {
            return Some(Decision { action: Action::Pause, standings: Vec::new() });
        }
        if new_rows == 0 {
            self.state = State::WaitingForData;
            return Some(Decision { action: Action::Pause, standings: Vec::new() });
        }
        self.active_ms += since;
        let over = self.active_ms >= self.steps[self.at].max_ms;
        let decision = decide(&self.criteria, evidence, over);
        self.state = match decision.action {
            Action::Promote if self.at + 1 == self.steps.len() => State::Promoted,
            Action::Promote => {
                (self.at, self.active_ms) = (self.at + 1, 0);
                State::Running
            }
            Action::RollBack => State::RolledBack,
            Action::KeepChampion => State::Kept,
            Action::Extend => State::Running,
            Action::Pause => State::WaitingForData,
        };
        Some(decision)
    }

    /// Holds the release by command. False if it has ended.
    pub fn pause(&mut self) -> bool {
        self.command(State::Paused)
    }

    /// Goes on after a pause by command; the time in between does not count.
    pub fn resume(&mut self, now_ms: i64) -> bool {
        self.last_ms = self.last_ms.max(now_ms);
        self.state == State::Paused && self.command(State::Running)
    }

    /// Ends the release by command: the champion stays.
    pub fn abort(&mut self) -> bool {
        self.command(State::Aborted)
    }

    fn is_open(&self) -> bool {
        matches!(self.state, State::Running | State::WaitingForData | State::Paused)
    }

    fn command(&mut self, to: State) -> bool {
        let open = self.is_open();
        if open {
            self.state = to;
        }
        open
    }
}

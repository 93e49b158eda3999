//! One run of an experiment: its state, what is known of it, and what follows at each window's end.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use millrace_report::text::day_and_minute;
use millrace_schemas::envelope::{
    Decided, Deployment, ExperimentCommand, ExperimentResult, ExperimentState, ResultKind, ScorerStats,
};
use millrace_topics::{ExperimentArm, ExperimentDefinition, ExperimentKind};

use super::arms::Arms;
use super::commands::unfit;
use super::deploy::{alone, serving};
use super::looks::Looks;
use super::release::Canary;
use super::result::{decision, status};
use super::scores::{Requests, Scores};
use crate::interleave::preference::Preference;
use crate::service::counted::{Counted, Pair, Won};
use crate::service::note::{Place, Teller};
use crate::service::observe::BASELINE;

/// One run.
pub struct Experiment {
    /// The run: the id of the command that started it.
    pub run: String,
    /// What it is.
    pub definition: ExperimentDefinition,
    /// Where it stands.
    pub state: ExperimentState,
    /// The phase that is counted.
    pub phase: i32,
    /// Who started it.
    by: String,
    reason: String,
    started_ms: i64,
    /// Where its state begins in the journal.
    pub offset: i64,
    /// The observers that count for it.
    known: BTreeSet<Place>,
    /// Up to which window's end each observer has told.
    reached: BTreeMap<Place, i64>,
    /// What they told and was not judged yet, by window's end; per place the last that was judged.
    told: BTreeMap<Place, BTreeMap<i64, (i32, Counted)>>,
    last: BTreeMap<Place, (i32, Counted)>,
    closed_ms: Option<i64>,
    /// The first window's end at which it was told of, and the first after its arms served.
    seen_ms: Option<i64>,
    begun_ms: Option<i64>,
    /// The decision whose deployment is awaited.
    asked: Option<String>,
    /// The deployment with which it began, and the last one of its own.
    pub since: Option<i64>,
    pub deployment: Option<(i64, Deployment)>,
    /// Comparisons of units.
    pub arms: Arms,
    /// Of a canary.
    pub canary: Option<Canary>,
    /// Of a shadow.
    pub scores: Scores,
    pub requests: [Requests; 2],
    /// At the criteria of a shadow's gate.
    pub looks: Looks,
    /// Of interleaving, and how many lists have ended.
    pub preference: Preference,
    pub ended: u64,
    /// Final outcomes of lists that no judged window has taken, and up to when each partition has told all.
    won: BTreeMap<(i64, Place), Vec<Won>>,
    final_ms: BTreeMap<Place, i64>,
    /// Of a bandit: when its shares were drawn last.
    pub drawn_ms: Option<i64>,
    /// Whether observers were told that it ended.
    pub let_go: bool,
}

/// What is known besides: the last deployment of the topic.
pub type InForce<'a> = Option<&'a (i64, Deployment)>;

impl Experiment {
    /// A run that a command starts.
    pub fn new(command: &ExperimentCommand, definition: ExperimentDefinition, offset: i64) -> Self {
        let looks = Looks::of(definition.canary.as_ref().map_or(0, |canary| canary.criteria.len()));
        Self {
            run: command.id.clone(),
            definition,
            state: ExperimentState::Running,
            phase: 0,
            by: command.by.clone(),
            reason: command.reason.clone(),
            started_ms: command.time_ms,
            offset,
            known: BTreeSet::new(),
            reached: BTreeMap::new(),
            told: BTreeMap::new(),
            last: BTreeMap::new(),
            closed_ms: None,
            seen_ms: None,
            begun_ms: None,
            asked: None,
            since: None,
            deployment: None,
            arms: Arms::default(),
            canary: None,
            scores: Scores::default(),
            requests: Default::default(),
            looks,
            preference: Preference::default(),
            ended: 0,
            won: BTreeMap::new(),
            final_ms: BTreeMap::new(),
            drawn_ms: None,
            let_go: false,
        }
    }

    /// Whether anything may still become of it.
    pub fn is_open(&self) -> bool {
        self.state.is_open()
    }

    /// The last window's end that was judged, in ms; 0 before any.
    pub fn closed_ms(&self) -> i64 {
        self.closed_ms.unwrap_or(0)
    }

    /// Whether its arms serve.
    pub fn serves(&self) -> bool {
        self.since.is_some()
    }

    /// Whether a deployment that it asked for is not there yet.
    pub fn waits(&self) -> bool {
        self.asked.is_some()
    }

    /// What every event at this time says: what is counted ends with the last window, whenever a person speaks.
    pub fn frame(&self, time_ms: i64, in_force: InForce<'_>) -> ExperimentResult {
        let end_ms = self.closed_ms.unwrap_or(time_ms);
        ExperimentResult {
            // Comparisons and decisions take it into their own.
            id: self.run.clone(),
            time_ms,
            kind: ResultKind::Status,
            experiment: self.definition.name.clone(),
            topic: self.definition.topic.clone(),
            mode: self.definition.kind.name().to_owned(),
            state: self.state,
            phase: self.phase,
            step: i32::try_from(self.canary.as_ref().map_or(0, |canary| canary.release.step())).unwrap_or(0),
            // Rows may be ahead of the window by the lateness bound.
            window_start_ms: self.first_ms().map_or(end_ms, |first_ms| first_ms.min(end_ms)),
            window_end_ms: end_ms,
            deployment: in_force.map_or(-1, |(offset, _)| *offset),
            by: "experiments".to_owned(),
            ..Default::default()
        }
    }

    fn first_ms(&self) -> Option<i64> {
        self.of_phase().filter_map(|counted| counted.first_ms).min()
    }

    /// An observer counts from now on; with the last of `all` the arms may be deployed.
    pub fn known(&mut self, place: Place, all: usize, in_force: InForce<'_>) -> Vec<ExperimentResult> {
        self.known.insert(place);
        let ready = self.known.len() >= all && self.definition.covariate_ms == 0;
        if ready { self.begin(in_force) } else { Vec::new() }
    }

    /// Asks for the deployment of its arms. The decision is the person's, and is dated as they spoke.
    fn begin(&mut self, in_force: InForce<'_>) -> Vec<ExperimentResult> {
        if self.serves() || self.waits() || !self.is_open() {
            return Vec::new();
        }
        let names: Vec<String> =
            self.definition.arms.iter().map(|arm| format!("{} = {}", arm.name, arm.model_ref())).collect();
        let why = if self.reason.is_empty() { String::new() } else { format!(": {}", self.reason) };
        let before = self.closed_ms.map_or(String::new(), |end_ms| {
            format!("; units' values before exposure were collected until {}", day_and_minute(end_ms))
        });
        let detail = format!("started by {}{why}; {}{before}", self.by, names.join(", "));
        let deployment = serving(&self.definition, 0, None, None, 0);
        let asked = self.ask(Decided::Start, detail, Vec::new(), deployment.ok(), self.started_ms, in_force);
        vec![ExperimentResult { by: self.by.clone(), ..asked }]
    }

    /// A decision with the deployment that it asks for.
    pub fn ask(
        &mut self,
        decided: Decided,
        detail: String,
        evidence: Vec<String>,
        deployment: Option<Deployment>,
        time_ms: i64,
        in_force: InForce<'_>,
    ) -> ExperimentResult {
        let mut event = decision(&self.frame(time_ms, in_force), decided, detail, evidence);
        if let Some(deployment) = deployment {
            let wanted = Deployment {
                cause: event.id.clone(),
                set_by: "experiments".to_owned(),
                reason: event.detail.clone(),
                ..deployment
            };
            self.asked = Some(event.id.clone());
            event.deploys = serde_json::to_string(&wanted).ok();
        }
        event
    }

    /// Ends it: one arm for everybody, or what serves goes on.
    pub fn end(
        &mut self,
        decided: Decided,
        detail: String,
        evidence: Vec<String>,
        serves: Option<&ExperimentArm>,
        time_ms: i64,
        in_force: InForce<'_>,
    ) -> ExperimentResult {
        self.state = match decided {
            Decided::Stop | Decided::Abort => ExperimentState::Stopped,
            _ => ExperimentState::Decided,
        };
        // Before its arms served nothing has changed that would have to be put back.
        let serves = serves.filter(|_| self.serves() || decided == Decided::Promote);
        let deployment = serves.map(|arm| alone(&self.definition, arm, self.phase));
        self.ask(decided, detail, evidence, deployment, time_ms, in_force)
    }

    /// A deployment of its topic was written.
    pub fn deployed(&mut self, offset: i64, deployment: &Deployment, time_ms: i64) -> Vec<ExperimentResult> {
        if !self.is_open() {
            return Vec::new();
        }
        let idle = self.asked.is_none() && !self.serves();
        if idle && unfit(&self.definition, Some(&(offset, deployment.clone()))).is_none() {
            return Vec::new();
        }
        if self.asked.as_deref() != Some(&deployment.cause) {
            // Another hand took over: its arms serve no longer as it counts.
            let detail =
                format!("deployment {offset} by {} took its place: {}", deployment.set_by, deployment.reason);
            let in_force = (offset, deployment.clone());
            return vec![self.end(Decided::Stop, detail, Vec::new(), None, time_ms, Some(&in_force))];
        }
        self.asked = None;
        if deployment.phase > self.phase {
            self.arms = Arms::default();
        }
        self.phase = deployment.phase;
        let first = self.since.is_none();
        self.since.get_or_insert(offset);
        self.deployment = Some((offset, deployment.clone()));
        match &mut self.canary {
            Some(canary) if !first => canary.step_deployed(offset),
            _ if self.definition.kind == ExperimentKind::Canary => {
                self.canary = Canary::start(&self.definition, offset);
            }
            _ => {}
        }
        Vec::new()
    }

    /// Takes what a partition counted.
    pub fn counted(&mut self, place: Place, end_ms: i64, phase: i32, counted: Counted) {
        let reached = self.reached.entry(place.clone()).or_insert(end_ms);
        *reached = end_ms.max(*reached);
        if self.closed_ms.is_none_or(|closed| end_ms > closed) {
            self.told.entry(place).or_default().insert(end_ms, (phase, counted));
        }
    }

    /// Takes final outcomes of lists until a window's end.
    pub fn outcomes(&mut self, place: Place, end_ms: i64, won: Vec<Won>) {
        self.won.entry((end_ms, place.clone())).or_default().extend(won);
        let reached = self.final_ms.entry(place).or_insert(end_ms);
        *reached = end_ms.max(*reached);
    }

    /// Nothing comes from a partition: windows up to this end go on without it, with what it told last. What it tells
    /// later is of later windows.
    pub fn silent(&mut self, teller: &Teller, end_ms: i64) {
        let reached = if teller.outcomes { &mut self.final_ms } else { &mut self.reached };
        let reached = reached.entry(teller.place.clone()).or_insert(end_ms);
        *reached = end_ms.max(*reached);
    }

    /// The last window's end that a partition has told of.
    pub fn reached_ms(&self, teller: &Teller) -> Option<i64> {
        let reached = if teller.outcomes { &self.final_ms } else { &self.reached };
        reached.get(&teller.place).copied()
    }

    /// Up to when it is known how lists ended. Before its arms serve nothing is waited for.
    fn outcomes_ms(&self, partitions: usize) -> Option<i64> {
        if partitions == 0 || !self.serves() {
            return Some(i64::MAX);
        }
        let told = self.final_ms.len() >= partitions;
        self.final_ms.values().copied().min().filter(|_| told)
    }

    /// Counts the outcomes that are known by a window's end.
    fn prefer(&mut self, end_ms: i64) {
        let Some(since) = self.since else { return };
        let later = self.won.split_off(&(end_ms + 1, Place::first()));
        let due = std::mem::replace(&mut self.won, later).into_values().flatten();
        for one in due.filter(|one| one.deployment >= since) {
            let outcome = match one.winner {
                1 => Ordering::Greater,
                2 => Ordering::Less,
                _ => Ordering::Equal,
            };
            self.ended += 1;
            self.preference.add(&one.user, outcome);
        }
    }

    /// The next window that every partition has told of, with what all counted: those of the phase. `outcomes`: how many
    /// partitions must have told how lists ended; 0: none.
    pub fn next_window(&mut self, all: usize, outcomes: usize) -> Option<(i64, Counted)> {
        if self.reached.len() < all {
            return None;
        }
        let reached = self.reached.values().copied().min()?;
        let reached = reached.min(self.outcomes_ms(outcomes)?);
        let end_ms = self.told.values().filter_map(|ends| ends.keys().next().copied()).min()?;
        if end_ms > reached {
            return None;
        }
        for (place, ends) in &mut self.told {
            if let Some(counted) = ends.remove(&end_ms) {
                self.last.insert(place.clone(), counted);
            }
        }
        self.closed_ms = Some(end_ms);
        self.prefer(end_ms);
        self.seen_ms.get_or_insert(end_ms);
        let mut all = Counted::default();
        self.of_phase().for_each(|counted| all.merge(counted));
        Some((end_ms, all))
    }

    /// What each partition told last, where it is of the phase.
    fn of_phase(&self) -> impl Iterator<Item = &Counted> {
        let now = self.last.values().filter(|(phase, _)| *phase == self.phase || self.is_bandit());
        now.map(|(_, counted)| counted)
    }

    fn is_bandit(&self) -> bool {
        self.definition.kind == ExperimentKind::Bandit
    }

    /// Whether the covariate's time is over, so that arms may serve.
    pub fn warm(&mut self, end_ms: i64, all: usize, in_force: InForce<'_>) -> Vec<ExperimentResult> {
        let collected = end_ms.saturating_sub(self.seen_ms.unwrap_or(end_ms)) >= self.definition.covariate_ms;
        if self.known.len() >= all && collected { self.begin(in_force) } else { Vec::new() }
    }

    /// How long its arms have served at a window's end, in ms.
    pub fn age_ms(&mut self, end_ms: i64) -> i64 {
        end_ms.saturating_sub(*self.begun_ms.get_or_insert(end_ms))
    }

    /// Rows that both versions scored.
    pub fn scored(&mut self, pairs: Vec<Pair>) {
        match (&mut self.canary, self.since) {
            (Some(canary), _) => canary.scored(pairs),
            (None, Some(since)) => self.scores.add(pairs, since),
            (None, None) => {}
        }
    }

    /// How a version did.
    pub fn stats(&mut self, stats: &ScorerStats) {
        let is = |arm: &ExperimentArm| arm.model == stats.model && arm.version == stats.version;
        let Some(side) = self.definition.arms.iter().take(2).position(is) else { return };
        match (&mut self.canary, self.since) {
            (Some(canary), _) => canary.stats(side, stats),
            (None, Some(since)) if stats.deployment >= since => self.requests[side].add(stats),
            (None, _) => {}
        }
    }

    /// The arms that are compared, the control first, with the shares of units that they should have.
    pub fn shares(&self) -> Vec<(String, f64)> {
        match self.definition.kind {
            ExperimentKind::Canary => {
                let arm = self.definition.arms.get(1).map_or(String::new(), |arm| arm.name.clone());
                let buckets = |name: &str| self.buckets(name);
                vec![(BASELINE.to_owned(), buckets(BASELINE)), (arm.clone(), buckets(&arm))]
            }
            // Where shares change all the time, none is expected.
            ExperimentKind::Bandit => {
                self.definition.arms.iter().map(|arm| (arm.name.clone(), 0.0)).collect()
            }
            _ => self.definition.arms.iter().map(|arm| (arm.name.clone(), arm.share)).collect(),
        }
    }

    fn buckets(&self, name: &str) -> f64 {
        let arms = self.deployment.iter().flat_map(|(_, deployment)| &deployment.arms);
        let of = arms.filter(|arm| arm.arm == name).flat_map(|arm| &arm.buckets);
        of.map(|(from, to)| f64::from(to - from)).sum()
    }

    /// One sentence for a person.
    pub fn status(
        &self,
        end_ms: i64,
        detail: String,
        values: BTreeMap<String, Option<f64>>,
        in_force: InForce<'_>,
    ) -> ExperimentResult {
        status(&self.frame(end_ms, in_force), detail, values)
    }
}

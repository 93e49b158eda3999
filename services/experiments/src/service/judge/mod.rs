//! Judges experiments: commands, deployments and what was counted go in, in the order of the journal; events and orders
//! come out. It depends on that order alone.

mod arms;
mod commands;
pub(super) mod deploy;
mod experiment;
mod looks;
mod release;
pub(super) mod result;
mod scores;
mod window;

use std::collections::BTreeMap;

use millrace_schemas::envelope::{
    CommandKind, Deployment, ExperimentCommand, ExperimentResult, ExperimentState,
};
use millrace_topics::ExperimentKind;

use super::Error;
use super::counted::{Counted, outcomes_from_bytes, pairs_from_bytes};
use super::note::{Note, Order, Place, Teller};
use super::silence::Waited;
use experiment::Experiment;

/// What a note leads to.
#[derive(Debug, Default)]
pub struct Said {
    /// Comparisons, status, decisions.
    pub results: Vec<ExperimentResult>,
    /// What observers are to do.
    pub orders: Vec<Order>,
}

/// The judge. There is one.
pub struct Judge {
    /// Per topic of predictions or rankings, how many partitions count.
    places: BTreeMap<String, usize>,
    /// Per topic of rankings, how many partitions tell how its lists ended.
    feedback: BTreeMap<String, usize>,
    /// Open experiments by name, and those that ended last.
    experiments: BTreeMap<String, Experiment>,
    /// Per topic the last deployment, and where it was told.
    deployed: BTreeMap<String, (i64, Deployment)>,
    told: BTreeMap<String, i64>,
    /// Starts that came before any deployment was told of.
    waiting: Vec<(ExperimentCommand, i64)>,
}

impl Judge {
    /// Of an application with so many partitions of each topic of predictions or rankings, and of the feedback on each
    /// topic of rankings.
    pub fn new(places: BTreeMap<String, usize>, feedback: BTreeMap<String, usize>) -> Self {
        let (experiments, deployed, told) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { places, feedback, experiments, deployed, told, waiting: Vec::new() }
    }

    /// Takes the note at an offset of the journal.
    ///
    /// # Errors
    /// A note that this version cannot read.
    pub fn take(&mut self, note: Note, body: &[u8], offset: i64) -> Result<Said, Error> {
        let mut said = Said::default();
        match note {
            Note::Command(command) => self.command(&command, offset, &mut said),
            Note::Deployed { offset: at, deployment } => self.deployed(at, *deployment, offset, &mut said),
            Note::Known { run, place } => self.known(&run, place, &mut said),
            Note::Counted { run, place, end_ms, phase } => {
                let counted = Counted::from_bytes(body).map_err(Error::internal)?;
                if let Some(experiment) = by_run(&mut self.experiments, &run) {
                    experiment.counted(place, end_ms, phase, counted);
                }
                self.close(&run, &mut said);
            }
            Note::Scored { run, .. } => {
                let pairs = pairs_from_bytes(body).map_err(Error::internal)?;
                if let Some(experiment) = by_run(&mut self.experiments, &run) {
                    experiment.scored(pairs);
                }
            }
            Note::Outcomes { place, end_ms } => self.outcomes(place, end_ms, body, &mut said)?,
            Note::Silent { teller, end_ms } => self.silent(&teller, end_ms, &mut said),
            Note::Stats(stats) => {
                let own = self.experiments.values_mut().filter(|one| one.definition.topic == stats.topic);
                own.filter(|one| one.is_open()).for_each(|one| one.stats(&stats));
            }
        }
        Ok(said)
    }

    /// The first offset that the state is made of.
    pub fn first_needed(&self) -> Option<i64> {
        let open = self.experiments.values().filter(|one| one.is_open()).map(|one| one.offset);
        let waiting = self.waiting.iter().map(|(_, offset)| *offset);
        open.chain(self.told.values().copied()).chain(waiting).min()
    }

    /// Open experiments.
    pub fn open(&self) -> usize {
        self.experiments.values().filter(|one| one.is_open()).count()
    }

    fn command(&mut self, command: &ExperimentCommand, offset: i64, said: &mut Said) {
        let known = self.experiments.get_mut(&command.experiment);
        if command.command == CommandKind::Start && !known.as_ref().is_some_and(|one| one.is_open()) {
            return self.start(command, offset, said);
        }
        let Some(experiment) = known else { return };
        let in_force = self.deployed.get(&experiment.definition.topic);
        said.results.extend(commands::carry_out(experiment, command, in_force));
        ended(experiment, said);
    }

    fn start(&mut self, command: &ExperimentCommand, offset: i64, said: &mut Said) {
        // Nobody can be told what a definition that cannot be read is about, but its name.
        let definition = match commands::definition(command) {
            Ok(definition) => definition,
            Err(why) => {
                tracing::warn!(experiment = command.experiment, "an experiment was not started: {why}");
                return;
            }
        };
        let in_force = self.deployed.get(&definition.topic);
        if in_force.is_none() && self.places.contains_key(&definition.topic) {
            // Commands and deployments are read side by side: which comes first says nothing.
            self.waiting.push((command.clone(), offset));
            return;
        }
        let other = self
            .experiments
            .values()
            .find(|one| one.is_open() && one.definition.topic == definition.topic)
            .map(|one| format!("`{}` runs on {} already", one.definition.name, definition.topic));
        let unknown = (!self.places.contains_key(&definition.topic))
            .then(|| format!("no topic of predictions is named {}", definition.topic));
        let unjudged = (definition.kind == ExperimentKind::Interleave
            && !self.feedback.contains_key(&definition.topic))
        .then(|| format!("no topic of click feedback tells how lists of {} end", definition.topic));
        let why = unknown.or(unjudged).or(other).or_else(|| commands::unfit(&definition, in_force));
        // A replay must know what was in force.
        let from = self.told.get(&definition.topic).map_or(offset, |told| offset.min(*told));
        let mut experiment = Experiment::new(command, definition, from);
        if let Some(why) = why {
            experiment.state = ExperimentState::Draft;
            said.results.push(commands::refused(&experiment, command, &why, in_force));
            return;
        }
        let definition = Box::new(experiment.definition.clone());
        said.orders.push(Order::Start { run: experiment.run.clone(), definition });
        self.experiments.insert(experiment.definition.name.clone(), experiment);
    }

    fn known(&mut self, run: &str, place: Place, said: &mut Said) {
        let Some(experiment) = by_run(&mut self.experiments, run) else { return };
        let topic = experiment.definition.topic.clone();
        let all = self.places.get(&topic).copied().unwrap_or(1);
        let results = experiment.known(place, all, self.deployed.get(&topic));
        said.results.extend(results);
    }

    fn deployed(&mut self, at: i64, deployment: Deployment, offset: i64, said: &mut Said) {
        let topic = deployment.topic.clone();
        for experiment in self.experiments.values_mut().filter(|one| one.definition.topic == topic) {
            said.results.extend(experiment.deployed(at, &deployment, deployment.time_ms));
            ended(experiment, said);
        }
        said.orders.push(Order::Deployed {
            offset: at,
            topic: topic.clone(),
            experiment: deployment.experiment.clone(),
            phase: deployment.phase,
        });
        self.told.insert(topic.clone(), offset);
        self.deployed.insert(topic, (at, deployment));
        for (command, offset) in std::mem::take(&mut self.waiting) {
            self.start(&command, offset, said);
        }
    }

    /// Judges every window that all partitions have told of.
    fn close(&mut self, run: &str, said: &mut Said) {
        let found = self.experiments.values().find(|one| one.run == run);
        let outcomes = found.map_or(0, |one| self.outcomes_of(one));
        let Some(experiment) = by_run(&mut self.experiments, run) else { return };
        let topic = experiment.definition.topic.clone();
        let all = self.places.get(&topic).copied().unwrap_or(1);
        let in_force = self.deployed.get(&topic);
        while experiment.is_open() {
            let Some((end_ms, counted)) = experiment.next_window(all, outcomes) else { break };
            let results = match experiment.serves() {
                // Deployments on the way: what comes under the old one is no longer judged.
                true if experiment.waits() => Vec::new(),
                true => window::judge(experiment, end_ms, &counted, in_force),
                false => experiment.warm(end_ms, all, in_force),
            };
            said.results.extend(results);
        }
        ended(experiment, said);
    }

    fn outcomes(&mut self, place: Place, end_ms: i64, body: &[u8], said: &mut Said) -> Result<(), Error> {
        let won = outcomes_from_bytes(body).map_err(Error::internal)?;
        let topic = place.topic.clone();
        let interleaves = |one: &&mut Experiment| one.definition.kind == ExperimentKind::Interleave;
        let Some(experiment) = self.open_on(&topic).filter(interleaves) else { return Ok(()) };
        experiment.outcomes(place, end_ms, won);
        let run = experiment.run.clone();
        self.close(&run, said);
        Ok(())
    }

    fn silent(&mut self, teller: &Teller, end_ms: i64, said: &mut Said) {
        let Some(experiment) = self.open_on(&teller.place.topic) else { return };
        experiment.silent(teller, end_ms);
        let run = experiment.run.clone();
        self.close(&run, said);
    }

    /// At most one is open per topic: others are not started.
    fn open_on(&mut self, topic: &str) -> Option<&mut Experiment> {
        self.experiments.values_mut().find(|one| one.is_open() && one.definition.topic == topic)
    }

    /// Whom open experiments wait for, with the last window's end that each has told of.
    pub fn waited(&self) -> Waited {
        let mut waited = Waited::new();
        for experiment in self.experiments.values().filter(|one| one.is_open()) {
            let topic = &experiment.definition.topic;
            let observers = self.places.get(topic).copied().unwrap_or(1);
            let tellers = [(false, observers), (true, self.outcomes_of(experiment))];
            for (outcomes, partitions) in tellers {
                for partition in 0..i32::try_from(partitions).unwrap_or(i32::MAX) {
                    let place = Place { topic: topic.clone(), partition };
                    let teller = Teller { place, outcomes };
                    let told_ms = experiment.reached_ms(&teller);
                    waited.insert(teller, told_ms);
                }
            }
        }
        waited
    }

    /// How many partitions must tell how an experiment's lists ended; 0: none.
    fn outcomes_of(&self, experiment: &Experiment) -> usize {
        match experiment.definition.kind {
            ExperimentKind::Interleave => {
                self.feedback.get(&experiment.definition.topic).copied().unwrap_or(0)
            }
            _ => 0,
        }
    }
}

fn by_run<'a>(experiments: &'a mut BTreeMap<String, Experiment>, run: &str) -> Option<&'a mut Experiment> {
    experiments.values_mut().find(|one| one.run == run && one.is_open())
}

/// Observers count no longer for what has ended; that it ended is told once.
fn ended(experiment: &mut Experiment, said: &mut Said) {
    if !experiment.is_open() && !std::mem::replace(&mut experiment.let_go, true) {
        said.orders.push(Order::End { run: experiment.run.clone() });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests;

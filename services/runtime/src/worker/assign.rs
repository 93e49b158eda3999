//! What a worker does when partitions come and go.

use rdkafka::consumer::Consumer;

use super::Worker;
use crate::environment::Assignment;
use crate::error::Error;
use crate::input::PartitionBuffer;
use crate::kafka::consumer::Rebalance;
use crate::output::TaskKey;
use crate::recovery::{Found, Known, TaskStart, check_partitions, look_up, plan};
use crate::running::RunningTask;

impl Worker {
    /// Handles what the group decided.
    pub(super) fn rebalance(&mut self) -> Result<(), Error> {
        if matches!(self.environment.assignment, Assignment::Fixed(_)) && !self.assigned {
            return self.assign_fixed();
        }
        while let Some(event) = self.inlet.rebalance() {
            match event {
                Rebalance::Revoke => self.revoke()?,
                Rebalance::Assign(partitions) => self.assign(&partitions)?,
            }
        }
        Ok(())
    }

    /// Finishes and commits what is under way, parks the tasks and gives the partitions back. Where the partitions are lost
    /// already, nothing can be committed any more: what is not, another worker does again.
    fn revoke(&mut self) -> Result<(), Error> {
        let lost = self.inlet.client().assignment_lost();
        if !lost && self.uncommitted() && !self.commit()? {
            tracing::warn!(
                worker = self.number,
                "partitions are given back before their last rows are committed"
            );
        }
        let complete = !lost && self.store.flush(true)?;
        let behind = self.store.behind();
        for (key, task) in std::mem::take(&mut self.tasks) {
            if let Some(parked) = task.park(complete || !behind.contains(&key)) {
                self.parked.insert(key, parked);
            }
        }
        self.forget_uncommitted();
        self.store.forget();
        for aligner in self.stages.iter().filter_map(|stage| stage.aligner.as_ref()) {
            aligner.revoke(self.number);
        }
        self.assigned = false;
        self.metrics.tasks.set(0.0);
        tracing::info!(worker = self.number, service = self.service.name, lost, "partitions revoked");
        self.inlet.unassign()
    }

    /// Takes partitions over: tasks go on where the last commit says.
    fn assign(&mut self, partitions: &[(String, i32)]) -> Result<(), Error> {
        let keys = self.keys(partitions);
        self.check_partitions()?;
        let Some(known) = self.known(&keys)? else { return Ok(()) };
        let now_ms = crate::clock::now_ms();
        let mut resumed = 0;
        for (key, known) in keys.iter().zip(known) {
            let stage = &self.stages[key.0];
            let start = plan(&known, stage.stage.stateful, stage.stage.start, now_ms).map_err(Error::Lost)?;
            for rows in &start.forgotten {
                tracing::warn!(
                    rows,
                    stage = stage.stage.name,
                    "the log no longer holds rows that the state had"
                );
            }
            let task = match self.parked.remove(key).and_then(|parked| parked.resume(&start)) {
                Some(task) => {
                    resumed += 1;
                    task
                }
                None => self.new_task(*key, &start)?,
            };
            self.tasks.insert(*key, task);
        }
        self.parked.clear();
        tracing::info!(
            worker = self.number,
            service = self.service.name,
            tasks = self.tasks.len(),
            resumed,
            "partitions assigned"
        );
        self.consume(false)
    }

    /// Takes this worker's fixed share over, from the first offset on.
    fn assign_fixed(&mut self) -> Result<(), Error> {
        let workers = self.environment.configuration.workers;
        let inputs = self.service.stages.iter().flat_map(|stage| &stage.inputs);
        let mine: Vec<_> = inputs
            .flat_map(|input| {
                let count = i32::try_from(input.topic.partitions).unwrap_or(i32::MAX);
                (0..count).map(|partition| (input.topic.name.clone(), partition))
            })
            .filter(|(_, p)| usize::try_from(*p).is_ok_and(|p| p % workers == self.number))
            .collect();
        let now_ms = crate::clock::now_ms();
        for key in self.keys(&mine) {
            let stage = &self.stages[key.0];
            let empty = |topic: &str| Known { name: topic.to_owned(), committed: None, low: 0, high: 0 };
            let known: Vec<_> = stage.inputs.iter().map(|input| empty(&input.topic)).collect();
            let start = plan(&known, stage.stage.stateful, stage.stage.start, now_ms).map_err(Error::Lost)?;
            let task = self.new_task(key, &start)?;
            self.tasks.insert(key, task);
        }
        self.consume(true)
    }

    /// The topics are as the application says, once.
    fn check_partitions(&mut self) -> Result<(), Error> {
        if std::mem::replace(&mut self.checked, true) {
            return Ok(());
        }
        let stages = self.service.stages.iter();
        let topics = stages.flat_map(|s| s.inputs.iter().map(|i| &i.topic).chain(&s.outputs));
        for topic in topics.chain([&self.service.dead_letters]) {
            check_partitions(&self.inlet, &topic.name, topic.partitions)?;
        }
        Ok(())
    }

    fn new_task(&self, key: TaskKey, start: &TaskStart) -> Result<RunningTask, Error> {
        let stage = &self.stages[key.0];
        let task = (stage.stage.task)(key.1).map_err(|source| Error::Task {
            stage: stage.stage.name.clone(),
            partition: key.1,
            source,
        })?;
        Ok(RunningTask::new(key, task, stage, start))
    }

    /// The tasks all of whose partitions are there.
    fn keys(&self, partitions: &[(String, i32)]) -> Vec<TaskKey> {
        let stages = self.stages.iter().enumerate();
        stages.flat_map(|(i, stage)| stage.complete(partitions).into_iter().map(move |p| (i, p))).collect()
    }

    /// Asks Kafka where the inputs of tasks stand, until it answers. `None`: another rebalance, or the end, came first.
    fn known(&mut self, keys: &[TaskKey]) -> Result<Option<Vec<Vec<Known>>>, Error> {
        let names: Vec<(String, i32)> = keys
            .iter()
            .flat_map(|key| self.stages[key.0].inputs.iter().map(|i| (i.topic.to_string(), key.1)))
            .collect();
        let partitions: Vec<_> =
            names.iter().map(|(topic, partition)| (topic.as_str(), *partition)).collect();
        loop {
            let found = if partitions.is_empty() {
                Found::All(Vec::new())
            } else {
                look_up(&self.inlet, &partitions)?
            };
            match found {
                Found::All(known) => {
                    let mut known = known.into_iter();
                    let of_task =
                        |key: &TaskKey| known.by_ref().take(self.stages[key.0].inputs.len()).collect();
                    return Ok(Some(keys.iter().map(of_task).collect()));
                }
                Found::NotYet(why) => tracing::info!(why, "waiting for committed offsets"),
            }
            self.pause();
            self.inlet.serve()?;
            if self.inlet.rebalancing() || self.ending() {
                return Ok(None);
            }
        }
    }

    /// Starts consuming what the tasks need. `gapless`: offsets have no gaps.
    fn consume(&mut self, gapless: bool) -> Result<(), Error> {
        let mut list = Vec::new();
        for task in self.tasks.values() {
            for (input, position) in task.inputs().iter().zip(task.positions()) {
                list.push((input.topic.clone(), task.key.1, position));
            }
        }
        let partitions: Vec<_> = list.iter().map(|(t, p, o)| (t.as_ref(), *p, *o)).collect();
        let mut queues = self.inlet.assign(&partitions)?.into_iter();
        for task in self.tasks.values_mut() {
            let partition = task.key.1;
            for input in task.inputs_mut() {
                if let Some(queue) = queues.next() {
                    let (topic, begin) = (input.topic.clone(), input.offsets.taken());
                    input.buffer = Some(PartitionBuffer::new(topic, partition, queue, begin, gapless));
                }
            }
        }
        for (i, stage) in self.stages.iter().enumerate() {
            let owned: Vec<_> = self.tasks.keys().filter(|k| k.0 == i).map(|k| k.1).collect();
            if let Some(aligner) = &stage.aligner {
                aligner.assign(self.number, &owned);
            }
        }
        #[allow(clippy::cast_precision_loss)]
        self.metrics.tasks.set(self.tasks.len() as f64);
        self.assigned = true;
        Ok(())
    }
}

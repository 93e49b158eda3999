//! From effects to a commit: store first, then Kafka.

use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::topic_partition_list::TopicPartitionList;

use super::Worker;
use crate::environment::Assignment;
use crate::error::{Error, is_lost_membership, is_transient};
use crate::kafka::producer::{FLUSH, Failure, Fault};
use crate::output::{to_list, unnumbered};
use crate::run::Report;

impl Worker {
    /// Whether anything taken is not committed.
    pub(super) fn uncommitted(&self) -> bool {
        !self.pending.is_empty() || self.tasks.values().any(crate::running::RunningTask::dirty)
    }

    /// Tries to commit everything that was taken; whether it is. What was not is kept, for another call.
    pub(super) fn commit(&mut self) -> Result<bool, Error> {
        self.store.flush(false)?;
        if !self.uncommitted() {
            return Ok(true);
        }
        let done = match &self.environment.assignment {
            Assignment::Fixed(_) => self.deliver()?,
            Assignment::Group if self.outlet.transactional_id().is_some() => self.transact()?,
            Assignment::Group => self.deliver()? && self.commit_offsets()?,
        };
        if done {
            self.settle();
        } else {
            self.metrics.aborts.increment(1);
        }
        Ok(done)
    }

    /// Everything is committed: it is counted, and forgotten.
    fn settle(&mut self) {
        let now_ms = crate::clock::now_ms();
        for batch in &self.pending {
            let metrics = &self.stage_metrics[batch.task.0];
            for cause in &batch.causes {
                #[allow(clippy::cast_precision_loss)]
                metrics.latency.record((now_ms - cause.origin_ms).max(0) as f64 / 1000.0);
            }
            metrics.rows_in.increment(batch.causes.len() as u64);
            let rows = batch.rows();
            metrics.rows_out.increment(rows);
            self.report.rows_out += rows;
            for letter in &batch.letters {
                metrics.rejected(&letter.envelope.reason);
            }
            self.report.rejected += batch.letters.len() as u64;
        }
        let flow = match &self.environment.assignment {
            Assignment::Fixed(flow) => Some(flow),
            Assignment::Group => None,
        };
        for task in self.tasks.values_mut() {
            task.committed();
            let partition = task.key.1;
            for input in task.inputs_mut() {
                let read = std::mem::take(&mut input.unread);
                if let Some(flow) = flow
                    && read.rows > 0
                {
                    flow.read(&self.service.group, &input.topic, partition, read);
                }
            }
        }
        self.report.add(self.uncommitted);
        self.metrics.commits.increment(1);
        self.forget_uncommitted();
    }

    /// Nothing is under way.
    pub(super) fn forget_uncommitted(&mut self) {
        self.pending.clear();
        self.outlet.apart.clear();
        self.delivered = false;
        self.uncommitted = Report::default();
    }

    /// What a commit of everything taken says.
    fn offsets(&mut self) -> Result<TopicPartitionList, Error> {
        let behind = self.store.behind();
        let dirty = self.tasks.values_mut().filter(|task| task.dirty());
        let commits: Vec<_> = dirty
            .map(|task| {
                let complete = !behind.contains(&task.key);
                task.commit(complete)
            })
            .collect();
        to_list(&commits)
    }

    /// At least once: sends everything and waits until all of it has arrived.
    fn deliver(&mut self) -> Result<bool, Error> {
        if !self.delivered {
            let flow = match &self.environment.assignment {
                Assignment::Fixed(flow) => Some(flow),
                Assignment::Group => None,
            };
            for (number, batch) in self.pending.iter_mut().enumerate() {
                batch.produce(number, &self.outlet, &mut self.letters, flow)?;
            }
            self.delivered = true;
        }
        let mut refused = 0;
        loop {
            let arrived = self.outlet.flush(FLUSH);
            let failures = self.outlet.take_failures();
            if failures.is_empty() {
                // The topics may take less than when the producer was made.
                if arrived && refused > 1 {
                    tracing::warn!(records = refused, "the broker refuses records as too large");
                    self.outlet.fit_sets()?;
                }
                return Ok(arrived);
            }
            for (number, code) in failures {
                let too_large = self.judge((number, code))?;
                refused += usize::from(too_large);
                if let Some(batch) = self.pending.get_mut(unnumbered(number).0) {
                    batch.produce_again(number, too_large, &self.outlet, &mut self.letters)?;
                }
            }
        }
    }

    /// Whether a record failed because it is too large; an error where sending it again would not help.
    fn judge(&self, (number, code): Failure) -> Result<bool, Error> {
        if code == RDKafkaErrorCode::MessageSizeTooLarge {
            return Ok(true);
        }
        let source = rdkafka::error::KafkaError::MessageProduction(code);
        let purged = matches!(code, RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight);
        if purged || is_transient(&source) {
            return Ok(false);
        }
        let (batch, output, _) = unnumbered(number);
        let topic = self.pending.get(batch).and_then(|b| b.outputs.get(output)).map(|o| o.topic.as_ref());
        let what = format!("cannot write to {}", topic.unwrap_or(self.letters.topic()));
        Err(Error::Kafka { what, source })
    }

    fn commit_offsets(&mut self) -> Result<bool, Error> {
        let offsets = self.offsets()?;
        match self.inlet.client().commit(&offsets, CommitMode::Sync) {
            Ok(()) => Ok(true),
            Err(e) if is_transient(&e) || is_lost_membership(&e) => {
                tracing::warn!(error = %e, "offsets are not committed yet");
                Ok(false)
            }
            Err(source) => Err(Error::Kafka { what: "cannot commit offsets".into(), source }),
        }
    }

    /// Exactly once: one transaction with everything.
    fn transact(&mut self) -> Result<bool, Error> {
        if !self.initialised {
            self.initialised = self.outlet.initialise()?;
            if !self.initialised {
                return Ok(false);
            }
        }
        self.outlet.take_disturbed();
        let committed = match self.attempt()? {
            Ok(committed) => committed,
            Err(fault) => self.abort(fault)?,
        };
        if self.outlet.take_disturbed() && self.initialised {
            self.replace()?;
        }
        Ok(committed)
    }

    /// One transaction; `Ok(false)`: aborted to go on without what the broker refused.
    fn attempt(&mut self) -> Result<Result<bool, Fault>, Error> {
        if let Err(fault) = self.outlet.begin() {
            return Ok(Err(fault));
        }
        let mut whole = true;
        for (number, batch) in self.pending.iter_mut().enumerate() {
            whole &= batch.produce(number, &self.outlet, &mut self.letters, None)?;
        }
        let arrived = self.outlet.flush(FLUSH);
        let failures = self.outlet.take_failures();
        whole &= failures.is_empty();
        self.take_apart(failures)?;
        if !whole || !arrived {
            return Ok(self.outlet.abort().map(|()| false));
        }
        let offsets = self.offsets()?;
        let Some(group) = self.inlet.client().group_metadata() else {
            return Err(Error::Configuration("the consumer has no group".into()));
        };
        Ok(self.outlet.commit(&offsets, &group).map(|()| true))
    }

    /// Refuses what is too large by itself; what was refused together with it is sent apart the next time. Other failures
    /// beside those only follow from them.
    fn take_apart(&mut self, failures: Vec<Failure>) -> Result<(), Error> {
        let too_large = |(_, code): &&Failure| *code == RDKafkaErrorCode::MessageSizeTooLarge;
        let refused: Vec<usize> = failures.iter().filter(too_large).map(|(number, _)| *number).collect();
        if refused.is_empty() {
            return failures.into_iter().try_for_each(|failure| self.judge(failure).map(drop));
        }
        let place = |&number: &usize| {
            let (batch, output, row) = unnumbered(number);
            let batch = self.pending.get(batch);
            let topic = batch.and_then(|b| b.outputs.get(output)).map_or(self.letters.topic(), |o| &o.topic);
            (number, topic, batch.and_then(|b| b.partition(output, row)).unwrap_or(-1))
        };
        let places: Vec<_> = refused.iter().map(place).collect();
        if let Some((_, topic, _)) = places.first() {
            tracing::warn!(topic, records = places.len(), "the broker refuses records as too large");
        }
        for number in self.outlet.apart.judge(&places) {
            let (batch, output, row) = unnumbered(number);
            if let Some(batch) = self.pending.get_mut(batch) {
                batch.refuse(output, row);
            }
        }
        Ok(())
    }

    /// Ends a transaction that failed; its effects are kept.
    fn abort(&mut self, fault: Fault) -> Result<bool, Error> {
        let fault = match fault {
            Fault::Abort(error) => {
                tracing::warn!(%error, worker = self.number, "the transaction is aborted");
                match self.outlet.abort() {
                    Ok(()) => return Ok(false),
                    Err(fault) => fault,
                }
            }
            other => other,
        };
        match fault {
            Fault::Fenced => {
                Err(Error::Fenced(self.outlet.transactional_id().unwrap_or_default().to_owned()))
            }
            Fault::Abort(error) | Fault::Replace(error) => {
                tracing::warn!(%error, worker = self.number, "the transaction failed");
                self.replace()?;
                Ok(false)
            }
        }
    }

    fn replace(&mut self) -> Result<(), Error> {
        self.outlet.replace()?;
        self.initialised = false;
        Ok(())
    }
}

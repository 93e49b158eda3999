//! From polled records to effects: what a worker does in one round.

use std::time::Duration;

use super::Worker;
use crate::alignment::Limit;
use crate::error::Error;
use crate::input::Bounds;
use crate::output::TaskKey;
use crate::running::{Drawn, Hindrance};
use crate::task::Phase;

/// How long an input is waited for where the stage does not say.
const MAX_WAIT: Duration = Duration::from_secs(600);

impl Worker {
    /// Lets every task take what is at hand; whether anything came or moved.
    pub(super) fn advance(&mut self) -> Result<bool, Error> {
        if self.store.full() && !self.store.flush(false)? {
            return Ok(false);
        }
        let configuration = &self.environment.configuration;
        let bounds = Bounds { rows: 2 * configuration.batch_rows, bytes: configuration.buffer_bytes };
        let mut busy = false;
        for task in self.tasks.values_mut() {
            let Some(stage) = self.stages.get_mut(task.key.0) else { continue };
            busy |= task.fill(bounds)? > 0;
            if !task.decode(stage)? {
                return Ok(false);
            }
            if let Some(aligner) = &stage.aligner {
                // All that was taken is committed here. A row that is taken and not yet written would let others pass it in
                // the log of the next stage.
                aligner.publish(task.key.1, task.places());
            }
        }
        let keys: Vec<TaskKey> = self.tasks.keys().copied().collect();
        for key in keys {
            busy |= self.advance_task(key)?;
        }
        self.confirm_ends()?;
        Ok(busy)
    }

    /// Looks again for the ends of partitions that others wait to hear of. librdkafka tells an end once and then keeps
    /// silent, and what another partition's fetch brings may be days of record time ahead of an end told just before it.
    fn confirm_ends(&mut self) -> Result<(), Error> {
        for task in self.tasks.values_mut() {
            let aligner = self.stages.get(task.key.0).and_then(|stage| stage.aligner.as_ref());
            let Some(aligner) = aligner.filter(|_| !task.rebuilding()) else { continue };
            let partition = task.key.1;
            for (index, input) in task.inputs_mut().iter_mut().enumerate() {
                let asked = aligner.asked(index, partition).max(input.asked.take());
                let (Some(time_ms), Some(buffer)) = (asked, &mut input.buffer) else { continue };
                if let Some(offset) = buffer.confirm(time_ms) {
                    self.inlet.look_again(&input.topic, partition, offset)?;
                }
            }
        }
        Ok(())
    }

    /// Lets one task take what is at hand, a batch at most; whether it moved.
    fn advance_task(&mut self, key: TaskKey) -> Result<bool, Error> {
        let most = self.environment.configuration.batch_rows;
        let mut taken = 0;
        let mut moved = false;
        while taken < most {
            let (Some(task), Some(stage)) = (self.tasks.get_mut(&key), self.stages.get_mut(key.0)) else {
                break;
            };
            let limit = stage.aligner.as_ref().map_or(Limit::Free, |aligner| aligner.limit(key.1));
            let drawn = task.draw(stage, limit, most - taken)?;
            let hindrance = drawn.hindrance;
            let now_moved = drawn.moved;
            taken += drawn.batch.order.len();
            moved |= now_moved;
            self.run_batch(key, drawn)?;
            self.watch(key, hindrance, now_moved);
            if !now_moved {
                break;
            }
        }
        Ok(moved)
    }

    /// Runs the task over a batch and keeps its effects.
    fn run_batch(&mut self, key: TaskKey, drawn: Drawn) -> Result<(), Error> {
        let (Some(task), Some(stage)) = (self.tasks.get_mut(&key), self.stages.get_mut(key.0)) else {
            return Ok(());
        };
        if !drawn.moved {
            return Ok(());
        }
        let metrics = &self.stage_metrics[key.0];
        let rows = drawn.batch.order.len() as u64;
        let live = drawn.batch.phase == Phase::Live;
        match drawn.batch.phase {
            Phase::Rebuild | Phase::RebuildStore => metrics.rebuilt.increment(rows),
            Phase::Warm => metrics.warmed.increment(rows),
            Phase::Live => {}
        }
        metrics.repeated.increment(drawn.repeats);
        let applied = task.apply(stage, drawn)?;
        self.store.add(key, applied.writes);
        if live {
            #[allow(clippy::cast_precision_loss)]
            metrics.batch_rows.record(rows as f64);
            metrics.filtered.increment(applied.filtered);
            metrics.late.increment(applied.late);
            self.uncommitted.rows_in += rows;
            self.uncommitted.filtered += applied.filtered;
        }
        if !applied.pending.is_empty() {
            self.pending.push(applied.pending);
        }
        Ok(())
    }

    /// Ends a wait that takes too long: what is waited for is left out until it moves.
    fn watch(&mut self, key: TaskKey, hindrance: Option<Hindrance>, moved: bool) {
        let (Some(task), Some(stage)) = (self.tasks.get_mut(&key), self.stages.get(key.0)) else { return };
        let metrics = &self.stage_metrics[key.0];
        let aligner = stage.aligner.as_ref();
        if let (Some(Hindrance::Others(time_ms)), Some(aligner)) = (hindrance, aligner) {
            aligner.ask(key.1, time_ms);
        }
        if matches!(hindrance, Some(Hindrance::Others(_))) && moved {
            metrics.waits.increment(1);
        }
        let bound =
            aligner.and_then(|a| u64::try_from(a.max_wait_ms()).ok()).map_or(MAX_WAIT, Duration::from_millis);
        let Some(overdue) = task.overdue(hindrance, moved, bound) else { return };
        match overdue {
            Hindrance::Input(input) => {
                let topic = stage.inputs[input].topic.as_ref();
                tracing::warn!(
                    topic,
                    partition = key.1,
                    "no record came for too long: it is no longer waited for"
                );
                metrics.overdue.increment(1);
            }
            Hindrance::Others(time_ms) => {
                let dropped = aligner.map_or(0, |aligner| aligner.drop_blockers(key.1, time_ms));
                tracing::warn!(
                    stage = stage.stage.name,
                    partition = key.1,
                    dropped,
                    "partitions lag behind for too long: they are no longer waited for"
                );
                metrics.overdue.increment(dropped as u64);
            }
        }
    }
}

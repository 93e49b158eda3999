//! How scorers do, as far as an experiment that runs is judged by it.

use millrace_runtime::task::{Batch, Effects, Progress, Task, TaskError};
use millrace_schemas::envelope::{Record as _, ScorerStats};
use millrace_topics::{ExperimentArm, ExperimentDefinition, ExperimentKind};

use super::runs::Runs;
use crate::service::Error;
use crate::service::note::{Message, Note, Order, Outgoing, cause, head};

/// Inputs: orders, then what scorers tell.
const ORDERS: usize = 0;

/// The task of one partition.
#[derive(Default)]
pub struct Stats {
    runs: Runs,
}

impl Stats {
    fn take(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), Error> {
        let mut out = Outgoing::default();
        for (at, taken) in batch.order.iter().enumerate() {
            let (input, row) = (taken.input as usize, taken.row as usize);
            let Some(rows) = batch.inputs.get(input) else { continue };
            let meta = &rows.meta[row];
            if input == ORDERS {
                self.runs.take(head::<Order>(&rows.rows, row)?, meta.offset);
                continue;
            }
            // One by one: one that cannot be read must not hide the others.
            match ScorerStats::from_batch(&rows.rows.slice(row, 1)) {
                Ok(mut all) => {
                    let wanted = all.pop().filter(|stats| self.runs.open().any(|one| needs(one, stats)));
                    let message = wanted.map(|stats| Message::of(meta.time_ms, Note::Stats(stats)));
                    message.into_iter().for_each(|message| out.push(cause(at), message));
                }
                Err(error) => {
                    tracing::warn!(offset = meta.offset, %error, "what a scorer told is passed over")
                }
            }
        }
        if batch.phase.is_new() { out.finish(0, effects) } else { Ok(()) }
    }
}

/// Whether an experiment is judged by how a version does.
fn needs(definition: &ExperimentDefinition, stats: &ScorerStats) -> bool {
    let is = |arm: &ExperimentArm| (&arm.model, &arm.version) == (&stats.model, &stats.version);
    matches!(definition.kind, ExperimentKind::Canary | ExperimentKind::Shadow)
        && definition.topic == stats.topic
        && definition.arms.iter().any(is)
}

impl Task for Stats {
    fn apply(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), TaskError> {
        Ok(self.take(batch, effects)?)
    }

    fn progress(&self) -> Progress {
        Progress { task_time_ms: None, rebuild_from: vec![self.runs.since(), None] }
    }

    fn restore(&mut self, _: &Progress) {}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use millrace_runtime::task::{Input, Origin, Phase, RowMeta, Taken};

    use super::*;
    use crate::service::judge::tests::definition;
    use crate::service::note::{Assembler, encode};

    fn stats(topic: &str, version: &str) -> ScorerStats {
        ScorerStats {
            time_ms: 0,
            wall_time_ms: 0,
            topic: topic.into(),
            partition: 0,
            deployment: 1,
            model: "m".into(),
            version: version.into(),
            arm: String::new(),
            role: String::new(),
            rows: 5,
            scored: 5,
            missing: 0,
            defaulted: 0,
            errors: 0,
            seconds: 1.0,
            latencies: vec![0; 96],
            squares: 0,
        }
    }

    fn meta(offset: i64) -> RowMeta {
        let origin = Origin { topic: Arc::from("t"), partition: 0, offset };
        RowMeta { offset, time_ms: 0, origin, traceparent: None, late: false }
    }

    /// An order, then what scorers told of three versions; the versions that are passed on.
    fn told(task: &mut Stats, order: &[Order]) -> Vec<String> {
        let orders: Vec<_> = order.iter().map(|order| Message::of(0, order.clone())).collect();
        let all = [stats("predictions", "1"), stats("predictions", "9"), stats("others", "2")];
        let inputs = vec![
            Input { rows: encode(&orders).unwrap().0, meta: order.iter().map(|_| meta(4)).collect() },
            Input { rows: ScorerStats::to_batch(&all).unwrap(), meta: (0..3).map(meta).collect() },
        ];
        let order = order.iter().map(|_| Taken { input: 0, row: 0 });
        let order = order.chain((0..3).map(|row| Taken { input: 1, row })).collect();
        let mut effects = Effects::default();
        task.apply(&Batch { inputs, order, phase: Phase::Live }, &mut effects).unwrap();
        let mut assembler = Assembler::<Note>::default();
        let rows = effects.outputs.iter().flat_map(|out| (0..out.rows.num_rows()).map(move |row| (out, row)));
        let notes = rows.filter_map(|(out, row)| assembler.take(&out.rows, row, 0).unwrap());
        notes
            .map(
                |(message, _)| {
                    if let Note::Stats(stats) = message.head { stats.version } else { String::new() }
                },
            )
            .collect()
    }

    #[test]
    fn what_scorers_tell_is_passed_on_while_an_experiment_needs_it_and_of_its_versions_alone() {
        for (kind, needs) in [(ExperimentKind::Canary, true), (ExperimentKind::Ab, false)] {
            let mut task = Stats::default();
            assert_eq!(told(&mut task, &[]), [""; 0]);
            let definition = Box::new(definition(kind, &[("a", 0.5), ("b", 0.5)]));
            let passed = told(&mut task, &[Order::Start { run: "r".into(), definition }]);
            assert_eq!(passed, if needs { vec!["1"] } else { vec![] });
            assert_eq!(task.progress().rebuild_from, [Some(4), None]);
            assert_eq!(told(&mut task, &[Order::End { run: "r".into() }]), [""; 0]);
            assert_eq!(task.progress().rebuild_from, [None, None]);
        }
    }
}

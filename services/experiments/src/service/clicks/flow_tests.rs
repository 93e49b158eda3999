//! Rows of all inputs through the task, without a broker: whatever the order of inputs, the cuts and the restarts.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use millrace_runtime::merge::{Head, Step, next};
use millrace_runtime::task::{Batch, Effects, Input, Origin, Phase, RowMeta, Taken, Task as _};
use millrace_schemas::envelope::{ClickFeedback, FeedbackKind, Record as _};
use proptest::prelude::*;

use super::measures::Measures;
use super::task::ClicksTask;
use super::testing::{HORIZON, World, plan};
use crate::random::Random;
use crate::service::tasks::Tasks;

fn task(most: usize) -> ClicksTask {
    ClicksTask::new(Arc::new(plan(most)), 0, Measures::new("shop", 0), Tasks::default().join(0))
}

/// A task and how far it has read each input.
struct Reader<'a> {
    world: &'a World,
    most: usize,
    task: ClicksTask,
    taken: [usize; 4],
}

impl<'a> Reader<'a> {
    fn new(world: &'a World, most: usize) -> Self {
        Self { world, most, task: task(most), taken: [0; 4] }
    }

    /// Takes the next rows of the inputs that `order` names.
    fn take(&mut self, order: &[usize], phase: Phase) -> Vec<ClickFeedback> {
        let first = self.taken;
        let mut rows = Vec::new();
        for input in order {
            let row = u32::try_from(self.taken[*input] - first[*input]).unwrap();
            rows.push(Taken { input: u32::try_from(*input).unwrap(), row });
            self.taken[*input] += 1;
        }
        let inputs = (0..4).map(|at| {
            let (from, to) = (first[at], self.taken[at]);
            let meta = |offset: usize| RowMeta {
                offset: i64::try_from(offset).unwrap(),
                time_ms: self.world.inputs[at].times[offset],
                origin: Origin { topic: "x".into(), partition: 0, offset: 0 },
                traceparent: None,
                late: false,
            };
            let rows = self.world.inputs[at].rows.slice(from, to - from);
            Input { rows, meta: (from..to).map(meta).collect() }
        });
        let batch = Batch { inputs: inputs.collect(), order: rows, phase };
        let mut effects = Effects::default();
        self.task.apply(&batch, &mut effects).unwrap();
        assert_eq!(effects.rejected, []);
        let said = effects.outputs.iter().flat_map(|output| {
            assert_eq!(output.cause.len(), output.rows.num_rows());
            assert!(output.cause.is_sorted());
            ClickFeedback::from_batch(&output.rows).unwrap()
        });
        said.collect()
    }

    /// Goes on as another process would.
    fn restart(&mut self) {
        let (progress, committed) = (self.task.progress(), self.taken);
        self.task = task(self.most);
        self.task.restore(&progress);
        for ((taken, committed), from) in self.taken.iter_mut().zip(committed).zip(&progress.rebuild_from) {
            *taken = from.map_or(committed, |from| usize::try_from(from).unwrap().min(committed));
        }
        let order = by_time(self.world, self.taken, committed);
        for piece in order.chunks(17) {
            assert_eq!(self.take(piece, Phase::Rebuild), []);
        }
        assert_eq!(self.taken, committed);
        self.task.restore(&progress);
    }
}

/// The order in which the shell takes rows that are all there.
fn by_time(world: &World, mut from: [usize; 4], to: [usize; 4]) -> Vec<usize> {
    let mut order = Vec::new();
    loop {
        let heads: Vec<Head> = (0..4)
            .map(|at| match from[at] < to[at] {
                true => Head::Row(world.inputs[at].times[from[at]]),
                false => Head::End,
            })
            .collect();
        let Step::Take(input, _) = next(&heads) else { return order };
        from[input] += 1;
        order.push(input);
    }
}

fn ends(world: &World) -> [usize; 4] {
    [0, 1, 2, 3].map(|at| world.inputs[at].times.len())
}

/// An order in which inputs run far ahead of each other, ticks last.
fn shuffled(world: &World, random: &mut Random) -> Vec<usize> {
    let mut left = ends(world);
    let ticks = std::mem::take(&mut left[3]);
    let mut order = Vec::new();
    while left.iter().any(|left| *left > 0) {
        let input = random.below(3);
        let run = (1 + random.below(60)).min(left[input]);
        left[input] -= run;
        order.extend(std::iter::repeat_n(input, run));
    }
    order.extend(vec![3; ticks]);
    order
}

/// Everything that is said, in pieces of random sizes, restarted now and then.
fn through(
    world: &World,
    order: &[usize],
    most: usize,
    restarts: usize,
    random: &mut Random,
) -> Vec<ClickFeedback> {
    let mut reader = Reader::new(world, most);
    let (mut said, mut at) = (Vec::new(), 0);
    while at < order.len() {
        let size = 1 + random.below(40);
        let piece = &order[at..(at + size).min(order.len())];
        said.extend(reader.take(piece, Phase::Live));
        at += piece.len();
        if restarts > 0 && random.below(restarts) == 0 {
            reader.restart();
        }
    }
    assert_eq!(reader.task.state_size(), (0, 0), "everything has closed");
    said
}

/// Every list has its one outcome, the expected one; every click is spoken of once.
fn check(world: &World, said: &[ClickFeedback]) {
    let ids: BTreeSet<&str> = said.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids.len(), said.len(), "an id came twice");
    let outcomes = said.iter().filter(|one| one.kind == FeedbackKind::Outcome);
    let outcomes: BTreeMap<String, _> = outcomes
        .map(|one| (one.request.clone(), (one.credit.clone(), one.counts.clone(), one.verdict.clone())))
        .collect();
    assert_eq!(outcomes, world.outcomes);
    assert_eq!(said.len(), world.outcomes.len() + world.clicks);
}

#[test]
fn rows_by_time_come_to_what_the_definitions_say_and_every_verdict_is_met() {
    let world = World::of(600, 1);
    let said = through(&world, &by_time(&world, [0; 4], ends(&world)), 10_000, 0, &mut Random::of(2));
    check(&world, &said);
    let verdicts: BTreeSet<&str> =
        said.iter().filter(|one| one.kind == FeedbackKind::Click).map(|one| one.verdict.as_str()).collect();
    let all =
        ["common_prefix", "credited", "duplicate", "early", "late", "not_in_list", "not_shown", "unmatched"];
    assert_eq!(verdicts, BTreeSet::from(all));
    for one in said.iter().filter(|one| one.verdict == "late") {
        assert!(one.delay.unwrap() > HORIZON && one.credit.iter().all(|credit| *credit == 0.0));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn neither_the_order_of_inputs_nor_cuts_nor_restarts_change_an_outcome(seed in 0_u64..1_000_000) {
        let world = World::of(150, seed);
        let mut random = Random::of(seed);
        let order = shuffled(&world, &mut random);
        let whole = through(&world, &order, 10_000, 0, &mut random);
        check(&world, &whole);
        let restarted = through(&world, &order, 10_000, 6, &mut random);
        // Restarts change nothing at all, provisional words included.
        prop_assert_eq!(restarted, whole);
    }
}

#[test]
fn what_is_too_much_leaves_early_and_is_still_said_once() {
    let world = World::of(300, 5);
    let order = shuffled(&world, &mut Random::of(6));
    let said = through(&world, &order, 12, 0, &mut Random::of(7));
    let ids: BTreeSet<&str> = said.iter().map(|one| one.id.as_str()).collect();
    assert_eq!((ids.len(), said.len()), (said.len(), world.outcomes.len() + world.clicks));
    let again = through(&world, &order, 12, 0, &mut Random::of(8));
    assert_eq!(said, again, "how rows are cut changes nothing");
}

#[test]
fn lists_that_say_nothing_are_dead_letters() {
    let world = World::of(20, 9);
    let mut reader = Reader::new(&world, 100);
    let rows = &world.inputs[0].rows;
    let twice =
        arrow::compute::concat_batches(&rows.schema(), &[rows.slice(0, 1), rows.slice(0, 1)]).unwrap();
    let empty = rows.slice(0, 0);
    let meta = |offset| RowMeta {
        offset,
        time_ms: world.inputs[0].times[0],
        origin: Origin { topic: "x".into(), partition: 0, offset },
        traceparent: None,
        late: false,
    };
    let mut inputs = vec![Input { rows: twice, meta: vec![meta(0), meta(1)] }];
    inputs.extend((1..4).map(|_| Input { rows: empty.clone(), meta: Vec::new() }));
    let order = vec![Taken { input: 0, row: 0 }, Taken { input: 0, row: 1 }];
    let mut effects = Effects::default();
    reader.task.apply(&Batch { inputs, order, phase: Phase::Live }, &mut effects).unwrap();
    let found: Vec<_> = effects.rejected.iter().map(|one| (one.row, one.reason)).collect();
    assert_eq!(found, [(1, "repeated_list")]);
}

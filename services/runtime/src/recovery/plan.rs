//! The decision, pure: from commits and log ends to offsets.

use millrace_topics::Start;

use crate::metadata::{CommitMetadata, Parents};

/// What is known of an input partition when its task begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// For messages: `topic/partition`.
    pub name: String,
    /// The committed offset, with what it carries, if there is one.
    pub committed: Option<(i64, Option<CommitMetadata>)>,
    /// The first offset that the log holds.
    pub low: i64,
    /// The offset behind its last record.
    pub high: i64,
}

/// Where one input of a task goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputStart {
    /// The first offset to read.
    pub begin: i64,
    /// Rows below it are taken again to rebuild the state.
    pub committed: i64,
    /// Rows of a rebuild from here on may be missing from the online store.
    pub store: i64,
    /// Rows below it only warm the state.
    pub warm_below: Option<i64>,
    /// The highest parents seen before `committed`.
    pub parents: Parents,
}

/// Where a task goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskStart {
    /// Its inputs.
    pub inputs: Vec<InputStart>,
    /// When the task first started without a committed offset, in ms.
    pub epoch_ms: i64,
    /// The greatest record time that it had taken.
    pub task_time_ms: Option<i64>,
    /// The rows that the state needs but the log no longer holds, for a warning: they are older than what the log is kept
    /// for.
    pub forgotten: Vec<String>,
    /// Whether nothing was committed yet: the first commit is due at once, so that `start` is decided once.
    pub first: bool,
}

/// Decides where a task goes on; fails where rows that were not processed yet are gone, and says which.
pub fn plan(known: &[Known], stateful: bool, start: Start, now_ms: i64) -> Result<TaskStart, String> {
    let metadata = || known.iter().filter_map(|k| k.committed.as_ref()?.1.as_ref());
    let first = known.iter().all(|k| k.committed.is_none());
    let mut forgotten = Vec::new();
    let inputs = known
        .iter()
        .map(|k| match &k.committed {
            None => Ok(begin_input(k, stateful, first, start)),
            Some((offset, metadata)) => resume_input(k, *offset, metadata.as_ref(), stateful, &mut forgotten),
        })
        .collect::<Result<_, _>>()?;
    Ok(TaskStart {
        inputs,
        epoch_ms: metadata().map(|m| m.epoch_ms).max().unwrap_or(now_ms),
        task_time_ms: metadata().filter_map(|m| m.task_time_ms).max(),
        forgotten,
        first,
    })
}

fn begin_input(known: &Known, stateful: bool, first: bool, start: Start) -> InputStart {
    let warm_below = (first && start == Start::Now).then_some(known.high);
    let begin = if stateful { known.low } else { warm_below.unwrap_or(known.low) };
    InputStart { begin, committed: begin, store: begin, warm_below, parents: Parents::new() }
}

fn resume_input(
    known: &Known,
    committed: i64,
    metadata: Option<&CommitMetadata>,
    stateful: bool,
    forgotten: &mut Vec<String>,
) -> Result<InputStart, String> {
    let Known { name, low, high, .. } = known;
    if committed < *low {
        return Err(format!(
            "{name}: the group stands at {committed}, the log begins at {low}: {} records were deleted before they \
             were processed. To go on without them, reset the group's offsets to {low}",
            low - committed
        ));
    }
    if committed > *high {
        return Err(format!(
            "{name}: the group stands at {committed}, the log ends at {high}: the topic was created anew or has lost \
             records. To read it from its beginning, reset the group's offsets to {low}"
        ));
    }
    let rebuild = match metadata {
        Some(m) => m.rebuild_from.unwrap_or(committed).min(committed),
        None => *low,
    };
    let begin = if stateful { rebuild } else { committed };
    if begin < *low {
        forgotten.push(format!("{name}: {begin}..{low}"));
    }
    Ok(InputStart {
        begin: begin.max(*low),
        committed,
        store: metadata.map_or(*low, |m| m.store.min(committed)),
        warm_below: metadata.and_then(|m| m.start),
        parents: metadata.map_or_else(Parents::new, |m| m.parents.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(committed: Option<(i64, Option<CommitMetadata>)>, low: i64, high: i64) -> Known {
        Known { name: "t/0".into(), committed, low, high }
    }

    fn metadata(rebuild: Option<i64>, store: i64) -> CommitMetadata {
        CommitMetadata {
            rebuild_from: rebuild,
            task_time_ms: Some(77),
            epoch_ms: 5,
            store,
            ..Default::default()
        }
    }

    fn one(k: Known, stateful: bool, start: Start) -> Result<(TaskStart, InputStart), String> {
        plan(&[k], stateful, start, 1000).map(|t| (t.clone(), t.inputs[0].clone()))
    }

    #[test]
    fn a_first_start_reads_from_the_beginning_and_is_committed_at_once() {
        let (task, input) = one(known(None, 3, 9), true, Start::Earliest).unwrap();
        assert_eq!(
            input,
            InputStart { begin: 3, committed: 3, store: 3, warm_below: None, parents: Parents::new() }
        );
        assert_eq!((task.first, task.epoch_ms, task.task_time_ms), (true, 1000, None));
    }

    #[test]
    fn a_first_start_now_warms_a_state_with_what_lies_before() {
        let (_, input) = one(known(None, 3, 9), true, Start::Now).unwrap();
        assert_eq!((input.begin, input.warm_below), (3, Some(9)));
        let (_, input) = one(known(None, 3, 9), false, Start::Now).unwrap();
        assert_eq!((input.begin, input.warm_below), (9, Some(9)));
    }

    #[test]
    fn a_restart_rebuilds_from_the_offset_that_the_commit_names() {
        let committed = known(Some((50, Some(metadata(Some(20), 40)))), 3, 90);
        let (task, input) = one(committed.clone(), true, Start::Now).unwrap();
        assert_eq!(
            input,
            InputStart { begin: 20, committed: 50, store: 40, warm_below: None, parents: Parents::new() }
        );
        assert_eq!((task.first, task.epoch_ms, task.task_time_ms), (false, 5, Some(77)));
        assert_eq!(one(committed, false, Start::Now).unwrap().1.begin, 50, "no state, no rebuild");
        let empty = known(Some((50, Some(metadata(None, 50)))), 3, 90);
        assert_eq!(one(empty, true, Start::Now).unwrap().1.begin, 50, "no row is kept");
    }

    #[test]
    fn rows_deleted_before_they_were_processed_stop_the_task_and_are_named() {
        let error = one(known(Some((50, None)), 60, 90), true, Start::Earliest).unwrap_err();
        assert!(error.contains("t/0") && error.contains("10 records"), "{error}");
        let error = one(known(Some((50, None)), 0, 40), true, Start::Earliest).unwrap_err();
        assert!(error.contains("ends at 40"), "{error}");
    }

    #[test]
    fn deleted_rows_that_only_the_state_held_are_named_and_the_rest_is_rebuilt() {
        let committed = known(Some((50, Some(metadata(Some(20), 40)))), 30, 90);
        let (task, input) = one(committed, true, Start::Earliest).unwrap();
        assert_eq!((input.begin, task.forgotten), (30, vec!["t/0: 20..30".to_owned()]));
    }

    #[test]
    fn an_offset_that_another_tool_committed_rebuilds_from_all_that_is_there() {
        let (task, input) = one(known(Some((50, None)), 3, 90), true, Start::Earliest).unwrap();
        assert_eq!(
            input,
            InputStart { begin: 3, committed: 50, store: 3, warm_below: None, parents: Parents::new() }
        );
        assert_eq!(task.epoch_ms, 1000);
    }
}

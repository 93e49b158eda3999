//! Partitions from which nothing comes.

use super::*;
use crate::service::note::Teller;

fn counted(bench: &mut Bench, run: &str, partition: i32, day: i64) {
    let counted = Counted { rows: 10, first_ms: Some(5), ..Counted::default() };
    let note = Note::Counted { run: run.to_owned(), place: place(partition), end_ms: day * DAY, phase: 0 };
    bench.tell(note, &counted.to_bytes());
}

fn silent(bench: &mut Bench, partition: i32, outcomes: bool, day: i64) {
    let teller = Teller { place: place(partition), outcomes };
    bench.tell(Note::Silent { teller, end_ms: day * DAY }, &[]);
}

/// Ends of windows, with the lists counted until then.
fn windows(bench: &Bench) -> Vec<(i64, f64)> {
    let told = bench.results.iter().filter(|event| event.kind == ResultKind::Status);
    told.map(|event| (event.window_end_ms / DAY, event.values["lists"].unwrap())).collect()
}

fn run() -> Bench {
    let definition = definition(ExperimentKind::Interleave, &[("a", 0.0), ("b", 0.0)]);
    let mut bench = Bench::new(2);
    let run = bench.start(&definition);
    bench.tell(Note::Known { run: run.clone(), place: place(1) }, &[]);
    let teller = |partition, outcomes| Teller { place: place(partition), outcomes };
    assert_eq!(bench.judge.waited().len(), 4, "two partitions of rankings, two of feedback");
    for day in 1..=3 {
        counted(&mut bench, &run, 0, day);
        bench.tell(Note::Outcomes { place: place(0), end_ms: day * DAY }, &outcomes_to_bytes(&[]));
    }
    assert_eq!(windows(&bench), [], "the other partition tells nothing");
    assert_eq!(bench.judge.waited()[&teller(1, false)], None);
    silent(&mut bench, 1, false, 2);
    assert_eq!(windows(&bench), [], "neither does its feedback");
    silent(&mut bench, 1, true, 2);
    assert_eq!(windows(&bench), [(1, 10.0), (2, 10.0)]);
    assert_eq!(bench.judge.waited()[&teller(1, false)], Some(2 * DAY));
    // It comes back: what it told of windows that were judged counts in the next.
    (1..=3).for_each(|day| counted(&mut bench, &run, 1, day));
    bench.tell(Note::Outcomes { place: place(1), end_ms: 3 * DAY }, &outcomes_to_bytes(&[]));
    assert_eq!(windows(&bench)[2..], [(3, 20.0)]);
    bench
}

#[test]
fn windows_go_on_without_a_silent_partition_once_the_journal_says_so() {
    assert_eq!(run().results, run().results);
}

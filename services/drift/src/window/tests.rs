#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};

use super::*;
use crate::profile::{Bounds, Cells, ColumnPlan, Kind, Plan, Profile, Rows, SegmentPlan};
use crate::testing::Dice;

struct Stream {
    batch: RecordBatch,
    times: Vec<i64>,
    ids: Vec<u64>,
    offsets: Vec<i64>,
    mine: Vec<bool>,
    countries: Vec<Option<String>>,
}

fn plan() -> Arc<Plan> {
    let columns = vec![ColumnPlan::new("amount", Kind::Numeric).with_edges(vec![1.0, 5.0, 20.0])];
    let segment =
        SegmentPlan { column: "country".into(), values: vec!["NE".to_owned(), "SW".to_owned()].into() };
    Arc::new(Plan::new(columns, Bounds { exact_rows: 15, sample_rows: 8, max_categories: 4 }, vec![segment]))
}

/// Rows whose time goes up, with gaps, and some out of order.
fn stream(dice: &mut Dice, count: usize) -> Stream {
    let mut time = 1_000;
    let times: Vec<i64> = (0..count)
        .map(|_| {
            time += if dice.below(25) == 0 { dice.below(60) as i64 } else { dice.below(3) as i64 };
            time - if dice.below(4) == 0 { dice.below(40) as i64 } else { 0 }
        })
        .collect();
    let country = |dice: &mut Dice| match dice.below(4) {
        0 => None,
        i => Some(["NE", "SW", "XX"][i as usize - 1].to_owned()),
    };
    let countries: Vec<Option<String>> = (0..count).map(|_| country(dice)).collect();
    let amounts: Float64Array = (0..count).map(|_| Some(dice.below(30) as f64)).collect();
    let batch = RecordBatch::try_from_iter([
        ("amount", Arc::new(amounts) as ArrayRef),
        ("country", Arc::new(countries.iter().map(Option::as_deref).collect::<StringArray>())),
    ]);
    Stream {
        batch: batch.unwrap(),
        times,
        ids: (0..count).map(|_| dice.next()).collect(),
        offsets: (0..count as i64).map(|i| 3 * i + 7).collect(),
        mine: (0..count).map(|_| dice.below(5) > 0).collect(),
        countries,
    }
}

impl Stream {
    fn feed(&self, windows: &mut OpenWindows, from: usize, to: usize) -> Vec<Closed> {
        windows.add(Batch {
            rows: &self.batch.slice(from, to - from),
            times_ms: &self.times[from..to],
            ids: &self.ids[from..to],
            offsets: &self.offsets[from..to],
            mine: Some(&self.mine[from..to]),
        })
    }

    /// Profiles of a set of rows.
    fn profiles(&self, plan: &Arc<Plan>, rows: &BTreeSet<u32>) -> BTreeMap<String, Profile> {
        let cells = Cells::of(plan, &self.batch);
        let mut segments = BTreeMap::new();
        for row in rows {
            let country = match self.countries[*row as usize].as_deref() {
                Some("XX") => "country=(other)".to_owned(),
                country => segment_name("country", country),
            };
            for name in [WHOLE.to_owned(), country] {
                let profile = segments.entry(name).or_insert_with(|| Profile::new(plan));
                profile.add(&cells, &self.ids, Rows::These(&[*row]));
            }
        }
        segments
    }
}

/// What must come, row by row, by the definition.
fn by_definition(stream: &Stream, plan: &Arc<Plan>, spec: WindowSpec, lateness: i64) -> (Vec<Closed>, u64) {
    let mut windows: BTreeMap<Window, BTreeSet<u32>> = BTreeMap::new();
    let (mut time, mut late, mut all) = (i64::MIN, 0, Vec::new());
    for (row, at) in stream.times.iter().enumerate() {
        let passes = |moment: i64| moment > time && moment <= *at;
        let mut closing = Vec::new();
        for window in windows.keys() {
            if passes(window.end_ms + lateness) {
                closing.push((window.end_ms + lateness, *window, Status::Final));
            } else if passes(window.end_ms) {
                closing.push((window.end_ms, *window, Status::Provisional));
            }
        }
        closing.sort_unstable();
        for (_, window, status) in closing {
            let segments = stream.profiles(plan, &windows[&window]);
            all.push(Closed { window, status, at_ms: *at, segments });
        }
        time = time.max(*at);
        if stream.mine[row] {
            let of: Vec<Window> = spec.windows_of(*at).collect();
            late += u64::from(of.iter().any(|w| w.end_ms + lateness <= time));
            for window in of.into_iter().filter(|w| w.end_ms + lateness > time) {
                windows.entry(window).or_default().insert(row as u32);
            }
        }
    }
    (all, late)
}

fn same(found: &[Closed], wanted: &[Closed], seed: u64) {
    let heads = |all: &[Closed]| all.iter().map(|c| (c.window, c.status, c.at_ms)).collect::<Vec<_>>();
    assert_eq!(heads(found), heads(wanted), "seed {seed}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert_eq!(found.segments, wanted.segments, "seed {seed}, {:?}", found.window);
    }
}

const SPECS: [WindowSpec; 4] = [
    WindowSpec::Tumbling { length_ms: 20 },
    WindowSpec::Sliding { length_ms: 30, every_ms: 10 },
    WindowSpec::Sliding { length_ms: 25, every_ms: 10 },
    WindowSpec::Sliding { length_ms: 20, every_ms: 20 },
];

#[test]
fn windows_by_time_are_those_of_the_definition_whatever_the_batches() {
    let plan = plan();
    for seed in 0..80 {
        let mut dice = Dice::new(seed);
        let stream = stream(&mut dice, 250);
        let (spec, lateness) = (SPECS[seed as usize % 4], [0, 15, 40][dice.below(3) as usize]);
        let (wanted, late) = by_definition(&stream, &plan, spec, lateness);
        assert!(wanted.len() > 10);
        for largest in [1, 7, 250] {
            let mut windows = OpenWindows::new(&plan, spec, lateness);
            let (mut found, mut from) = (Vec::new(), 0);
            while from < 250 {
                let to = (from + 1 + dice.below(largest) as usize).min(250);
                found.extend(stream.feed(&mut windows, from, to));
                from = to;
            }
            same(&found, &wanted, seed);
            assert_eq!(windows.late_rows(), late, "seed {seed}");
        }
    }
}

#[test]
fn windows_of_rows_are_every_so_many_rows_whatever_the_batches() {
    let plan = plan();
    for seed in 0..20 {
        let mut dice = Dice::new(seed);
        let stream = stream(&mut dice, 200);
        let mut windows = OpenWindows::new(&plan, WindowSpec::Rows { count: 30 }, 0);
        let (mut found, mut from) = (Vec::new(), 0);
        while from < 200 {
            let to = (from + 1 + dice.below(70) as usize).min(200);
            found.extend(stream.feed(&mut windows, from, to));
            from = to;
        }
        let rows: Vec<u32> = (0..200).collect();
        let wanted = rows.chunks_exact(30).zip(0..).map(|(rows, number)| {
            let times = || rows.iter().map(|row| stream.times[*row as usize]);
            let window = Window { start_ms: times().min().unwrap(), end_ms: times().max().unwrap(), number };
            let at_ms = stream.times[..=rows[29] as usize].iter().copied().max().unwrap();
            let mine = rows.iter().copied().filter(|row| stream.mine[*row as usize]);
            let segments = stream.profiles(&plan, &mine.collect());
            Closed { window, status: Status::Final, at_ms, segments }
        });
        same(&found, &wanted.collect::<Vec<_>>(), seed);
        assert_eq!(windows.full_windows(), rows.len() as u64 / 30);
    }
}

#[test]
fn a_rebuild_from_the_needed_offset_goes_on_alike() {
    let plan = plan();
    for seed in 0..60 {
        let mut dice = Dice::new(seed);
        let stream = stream(&mut dice, 250);
        let spec = match seed % 3 {
            0 => WindowSpec::Rows { count: 30 },
            _ => SPECS[dice.below(4) as usize],
        };
        let mut first = OpenWindows::new(&plan, spec, 15);
        let commit = dice.below(250) as usize;
        stream.feed(&mut first, 0, commit);
        let needed = first.needed_from_offset();
        let from = needed.map_or(commit, |offset| stream.offsets.iter().position(|o| *o == offset).unwrap());
        if let (Some(ms), true) = (first.needed_from_ms(), seed % 3 > 0) {
            assert!(stream.times[from] >= ms);
        }
        let mut second = OpenWindows::new(&plan, spec, 15).resume(first.time_ms(), first.full_windows());
        let again = stream.feed(&mut second, from, commit);
        assert!(again.is_empty(), "seed {seed}");
        let wanted = stream.feed(&mut first, commit, 250);
        let found = stream.feed(&mut second, commit, 250);
        same(&found, &wanted, seed);
        same(&second.advance(i64::MAX), &first.advance(i64::MAX), seed);
        assert!(matches!(spec, WindowSpec::Rows { .. }) || first.size_bytes() == 0);
    }
}

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};

use super::*;
use crate::hash;
use crate::testing::Dice;

fn plan(exact_rows: usize, sample_rows: usize, edges: bool) -> Arc<Plan> {
    let named = |count: i32| (0..count).map(|i| format!("v{i}")).collect::<Vec<_>>();
    let mut seen = Seen::new(1 << 12);
    (0..60).for_each(|i| seen.add(hash::of_text(&format!("v{i}"))));
    let amount = ColumnPlan::new("amount", Kind::Numeric);
    let columns = vec![
        match edges {
            true => amount.with_edges((0..40).map(f64::from).collect()).with_range(0.0, 90.0),
            false => amount,
        },
        ColumnPlan::new("country", Kind::Category).with_named(named(4)),
        ColumnPlan::new("terminal", Kind::Id).with_named(named(5)).with_seen(seen),
        ColumnPlan::new("night", Kind::Boolean),
        ColumnPlan::new("absent", Kind::Numeric),
    ];
    Arc::new(Plan::new(columns, Bounds { exact_rows, sample_rows, max_categories: 6 }, Vec::new()))
}

/// Rows of everything that may come: nulls, NaN, infinities, minus zero, new values, ids that repeat.
fn rows(dice: &mut Dice, count: usize) -> (RecordBatch, Vec<u64>) {
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 0.0, -5.0, 1e9];
    let amount = |dice: &mut Dice| match dice.below(20) {
        0 => None,
        1..4 => Some(odd[dice.below(odd.len() as u64) as usize]),
        4..9 => Some(dice.below(30) as f64),
        _ => Some(dice.unit() * 100.0),
    };
    let text = |dice: &mut Dice, bound: u64| (dice.below(15) > 0).then(|| format!("v{}", dice.below(bound)));
    let amounts: Float64Array = (0..count).map(|_| amount(dice)).collect();
    let countries: StringArray = (0..count).map(|_| text(dice, 5)).collect();
    let terminals: StringArray = (0..count).map(|_| text(dice, 100)).collect();
    let nights: Int64Array = (0..count).map(|_| (dice.below(9) > 0).then(|| dice.below(3) as i64)).collect();
    let ids = (0..count).map(|_| hash::of_text(&dice.below(4 * count as u64).to_string())).collect();
    let batch = RecordBatch::try_from_iter([
        ("amount", Arc::new(amounts) as ArrayRef),
        ("country", Arc::new(countries)),
        ("terminal", Arc::new(terminals)),
        ("night", Arc::new(nights)),
    ]);
    (batch.unwrap(), ids)
}

fn whole(plan: &Arc<Plan>, batch: &RecordBatch, ids: &[u64]) -> Profile {
    let mut profile = Profile::new(plan);
    profile.add(&Cells::of(plan, batch), ids, Rows::All);
    profile
}

#[test]
fn any_batches_any_parts_and_any_order_of_merging_give_the_same_bytes() {
    for seed in 0..120 {
        let mut dice = Dice::new(seed);
        let exact = [10, 50, 120, 1_000][dice.below(4) as usize];
        let plan = plan(exact, 20, seed % 3 > 0);
        let count = dice.below(200) as usize;
        let (batch, ids) = rows(&mut dice, count);
        let wanted = whole(&plan, &batch, &ids).to_bytes();

        let parts = 1 + dice.below(5) as usize;
        let mut profiles = vec![Profile::new(&plan); parts];
        let mut from = 0;
        while from < count {
            let length = (1 + dice.below(60) as usize).min(count - from);
            let slice = batch.slice(from, length);
            let (cells, ids) = (Cells::of(&plan, &slice), &ids[from..from + length]);
            let part = (0..length).map(|_| dice.below(parts as u64)).collect::<Vec<_>>();
            for (i, profile) in profiles.iter_mut().enumerate() {
                let mine =
                    (0..length as u32).filter(|row| part[*row as usize] == i as u64).collect::<Vec<_>>();
                profile.add(&cells, ids, Rows::These(&mine));
            }
            from += length;
        }
        while profiles.len() > 1 {
            let other = profiles.swap_remove(dice.below(profiles.len() as u64) as usize);
            let into = dice.below(profiles.len() as u64) as usize;
            profiles[into].merge(&other).unwrap();
        }
        assert_eq!(profiles[0].to_bytes(), wanted, "seed {seed}");
        assert_eq!(profiles[0].is_exact(), count <= exact);
    }
}

#[test]
fn bytes_and_parts_come_back_and_merge_on() {
    for seed in 0..60 {
        let mut dice = Dice::new(seed);
        let plan = plan([20, 400][seed as usize % 2], 15, seed % 3 > 0);
        let count = dice.below(150) as usize;
        let (batch, ids) = rows(&mut dice, count);
        let profile = whole(&plan, &batch, &ids);
        let back = Profile::from_bytes(&plan, &profile.to_bytes()).unwrap();
        assert_eq!(back, profile);
        let mut parts = profile.to_parts(400);
        assert!(parts.len() > 1 || count < 10);
        parts.reverse();
        let mut back = Profile::from_parts(&plan, &parts).unwrap();
        assert_eq!(back, profile);
        let (more, ids) = rows(&mut dice, 90);
        let more = whole(&plan, &more, &ids);
        let mut wanted = profile.clone();
        wanted.merge(&more).unwrap();
        back.merge(&more).unwrap();
        assert_eq!(back, wanted);
    }
}

#[test]
fn torn_bytes_are_errors_and_never_a_panic() {
    let mut dice = Dice::new(7);
    let plan_ = plan(20, 15, true);
    let (batch, ids) = rows(&mut dice, 60);
    let bytes = whole(&plan_, &batch, &ids).to_bytes();
    for end in 0..bytes.len() {
        assert!(Profile::from_bytes(&plan_, &bytes[..end]).is_err());
    }
    for _ in 0..3_000 {
        let mut torn = bytes.clone();
        let place = dice.below(bytes.len() as u64 - 4) as usize;
        torn[place] ^= 1 << dice.below(8);
        assert!(Profile::from_bytes(&plan_, &torn).is_err());
        // With a checksum that fits, whatever is inside must be refused or read, without harm.
        let end = torn.len() - 4;
        let sum = crc32fast::hash(&torn[..end]).to_le_bytes();
        torn[end..].copy_from_slice(&sum);
        let _ = Profile::from_bytes(&plan_, &torn);
    }
    let other = plan(21, 15, true);
    assert!(matches!(Profile::from_bytes(&other, &bytes), Err(BytesError::Plan(..))));
    let mut two =
        [whole(&plan_, &batch, &ids).to_parts(300), whole(&plan_, &batch.slice(0, 59), &ids).to_parts(300)];
    let last = two[1].pop().unwrap();
    *two[0].last_mut().unwrap() = last;
    assert!(matches!(Profile::from_parts(&plan_, &two[0]), Err(BytesError::Parts(_))));
    assert!(matches!(Profile::from_parts(&plan_, &two[1]), Err(BytesError::Parts(_))));
}

#[test]
fn counts_are_those_of_a_count_by_hand() {
    for seed in 0..40 {
        let mut dice = Dice::new(seed);
        let plan = plan(if seed % 2 == 0 { 1_000 } else { 10 }, 15, true);
        let (batch, ids) = rows(&mut dice, 150);
        let profile = whole(&plan, &batch, &ids);
        let amounts = batch.column(0).as_any().downcast_ref::<Float64Array>().unwrap();
        let finite: Vec<f64> = amounts.iter().flatten().filter(|v| v.is_finite()).collect();
        let amount = profile.column(0);
        assert_eq!(amount.present(), finite.len() as u64);
        assert_eq!(amount.infinite(), amounts.iter().flatten().filter(|v| v.is_infinite()).count() as u64);
        assert_eq!(amount.missing(), 150 - amount.present() - amount.infinite());
        let outside = amount.outside().unwrap();
        let count = |test: &dyn Fn(f64) -> bool| finite.iter().filter(|v| test(**v)).count() as u64;
        assert_eq!(outside, (count(&|v| v < 0.0), count(&|v| v > 90.0)));
        let (sample, exact) = amount.numbers().unwrap();
        assert_eq!(exact, seed % 2 == 0);
        for edge in amount.plan().edges.iter() {
            let below = sample.values().iter().zip(sample.counts()).filter(|(v, _)| *v <= edge);
            assert_eq!(below.map(|(_, n)| n).sum::<u64>(), count(&|v| v <= *edge));
        }
        let terminals = batch.column(2).as_any().downcast_ref::<StringArray>().unwrap();
        let of = |test: &dyn Fn(u32) -> bool| {
            terminals.iter().flatten().filter(|t| test(t[1..].parse().unwrap())).count() as u64
        };
        let terminal = profile.column(2);
        assert_eq!(terminal.unnamed_rows(), of(&|t| (5..60).contains(&t)));
        assert_eq!(terminal.new_rows(), of(&|t| t >= 60));
        assert_eq!(terminal.categories().unwrap().total(), terminal.present());
        assert!(terminal.new_values().len() <= 6);
        for (value, rows) in terminal.new_values() {
            assert_eq!(rows, terminals.iter().flatten().filter(|t| *t == value).count() as u64);
        }
        let nights = batch.column(3).as_any().downcast_ref::<Int64Array>().unwrap();
        assert_eq!(profile.column(3).mistyped(), nights.iter().flatten().filter(|n| *n == 2).count() as u64);
        assert_eq!(profile.column(4).missing(), 150);
    }
}

#[test]
fn the_sample_is_the_rows_of_the_smallest_hashes_and_knows_duplicates() {
    let mut dice = Dice::new(3);
    let plan = plan(10, 25, true);
    let (batch, ids) = rows(&mut dice, 180);
    let sample = whole(&plan, &batch, &ids).sample_rows();
    let mut distinct = ids.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(sample.ids, distinct[..25]);
    for (place, id) in sample.ids.iter().enumerate() {
        let copies: Vec<usize> = (0..180).filter(|row| ids[*row] == *id).collect();
        assert_eq!(sample.copies[place] as usize, copies.len());
        let SampleColumn::Numbers(amounts) = &sample.columns[0] else { panic!() };
        let cells = Cells::of(&plan, &batch);
        assert!(copies.iter().any(|row| cells.columns[0].cell(*row) == amounts[place].to_bits()));
    }
}

#[test]
fn text_is_read_as_numbers_and_what_is_none_is_mistyped() {
    let plan = plan(10, 5, true);
    let texts: StringArray = [Some("1.5"), Some(" 2 "), Some("x"), None, Some("")].into_iter().collect();
    let nights: BooleanArray = [Some(true), Some(false), None, Some(true), Some(true)].into_iter().collect();
    let batch = RecordBatch::try_from_iter([
        ("amount", Arc::new(texts) as ArrayRef),
        ("night", Arc::new(nights)),
        ("country", Arc::new(Int64Array::from(vec![1, 1, 2, 3, 3]))),
    ]);
    let profile = whole(&plan, &batch.unwrap(), &[1, 2, 3, 4, 5]);
    let amount = profile.column(0);
    assert_eq!((amount.present(), amount.missing(), amount.mistyped()), (2, 2, 1));
    assert_eq!(amount.numbers().unwrap().0.values(), [1.5, 2.0]);
    let night = profile.column(3).categories().unwrap();
    assert_eq!(
        night.counts.into_iter().collect::<Vec<_>>(),
        [("false".to_owned(), 1), ("true".to_owned(), 3)]
    );
    assert_eq!(profile.column(1).new_values()[0], ("1".to_owned(), 2));
}

#[test]
fn memory_does_not_grow_with_rows() {
    let mut dice = Dice::new(1);
    let plan = plan(100, 20, true);
    let mut profile = Profile::new(&plan);
    let mut sizes = Vec::new();
    for _ in 0..40 {
        let (batch, _) = rows(&mut dice, 500);
        let ids: Vec<u64> = (0..500).map(|_| dice.next()).collect();
        profile.add(&Cells::of(&plan, &batch), &ids, Rows::All);
        sizes.push(profile.size_bytes());
    }
    assert!(sizes[39] <= sizes[1] + 1_000, "{sizes:?}");
    assert!(profile.merge(&Profile::new(&self::plan(99, 20, true))).is_err());
}

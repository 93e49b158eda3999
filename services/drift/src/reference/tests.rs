#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use parquet::arrow::ArrowWriter;

use super::*;
use crate::profile::{Bounds, Kind};
use crate::testing::Dice;
use crate::window::WHOLE;

const DAY: i64 = 86_400_000;
/// Monday 2024-01-01.
const START: i64 = 1_704_067_200_000;

/// Fourteen days of payments: amounts with a tail, few and many distinct texts, scores with labels.
fn payments(dice: &mut Dice, rows: usize) -> RecordBatch {
    let mut times: Vec<i64> = (0..rows).map(|_| START + (dice.unit() * 14.0 * DAY as f64) as i64).collect();
    times.sort_unstable();
    let scores: Vec<f64> = (0..rows).map(|_| dice.unit()).collect();
    let labels: Vec<i64> = scores.iter().map(|score| i64::from(dice.unit() < *score)).collect();
    let amounts: Float64Array =
        (0..rows).map(|_| (dice.below(50) > 0).then(|| 10.0 / (1.0 - dice.unit()).powf(0.3))).collect();
    let came: Vec<i64> = times.iter().map(|time| time + 6 * DAY).collect();
    RecordBatch::try_from_iter([
        ("tx_id", Arc::new((0..rows).map(|i| Some(format!("t{i}"))).collect::<StringArray>()) as ArrayRef),
        ("tx_time", Arc::new(TimestampMillisecondArray::from(times))),
        ("amount", Arc::new(amounts)),
        ("night", Arc::new((0..rows).map(|_| Some(dice.below(2) as i64)).collect::<Int64Array>())),
        ("hour", Arc::new((0..rows).map(|_| Some(dice.below(24) as i64)).collect::<Int64Array>())),
        (
            "country",
            Arc::new((0..rows).map(|_| Some(["NE", "SW"][dice.below(2) as usize])).collect::<StringArray>()),
        ),
        ("terminal", Arc::new((0..rows).map(|_| Some(dice.below(900).to_string())).collect::<StringArray>())),
        ("score", Arc::new(Float64Array::from(scores))),
        ("fraud", Arc::new(Int64Array::from(labels))),
        ("label_time", Arc::new(TimestampMillisecondArray::from(came))),
    ])
    .unwrap()
}

fn parquet(folder: &Path, name: &str, batch: &RecordBatch) -> PathBuf {
    let path = folder.join(name);
    let mut writer = ArrowWriter::try_new(fs::File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    path
}

fn options() -> BuildOptions {
    BuildOptions {
        time: Some("tx_time".into()),
        id: Some("tx_id".into()),
        segments: vec!["country".into()],
        score: Some("score".into()),
        label: Some("fraud".into()),
        label_time: Some("label_time".into()),
        bounds: Some(Bounds { exact_rows: 500, sample_rows: 100, max_categories: 50 }),
        ..BuildOptions::default()
    }
}

fn built(rows: usize, options: &BuildOptions) -> (tempfile::TempDir, PathBuf, Reference) {
    let folder = tempfile::tempdir().unwrap();
    let path = parquet(folder.path(), "train.parquet", &payments(&mut Dice::new(5), rows));
    let reference = build(std::slice::from_ref(&path), options).unwrap();
    (folder, path, reference)
}

#[test]
fn training_data_gives_kinds_blocks_segments_scores_and_delays() {
    let (_folder, _, reference) = built(8_000, &options());
    let kinds: Vec<_> = reference.plan.columns.iter().map(|c| (c.name.as_str(), c.kind)).collect();
    assert_eq!(
        kinds,
        [
            ("amount", Kind::Numeric),
            ("night", Kind::Boolean),
            ("hour", Kind::Numeric),
            ("country", Kind::Category),
            ("terminal", Kind::Id)
        ]
    );
    assert_eq!(reference.blocks.len(), 14);
    assert_eq!(reference.segments(), ["", "country=NE", "country=SW"]);
    let total = reference.total(WHOLE).unwrap();
    assert_eq!((total.rows(), total.is_exact()), (8_000, false));
    let amount = total.column(0);
    assert_eq!(amount.outside(), Some((0, 0)));
    let present = amount.present() as f64;
    let bins = amount.bins().unwrap();
    assert!(bins.iter().all(|rows| *rows as f64 <= present * 0.006), "{bins:?}");
    let hours: Vec<f64> = total.column(2).numbers().unwrap().0.values().to_vec();
    assert_eq!(hours, (0..24).map(f64::from).collect::<Vec<_>>());
    assert_eq!(total.column(4).new_rows() + total.column(3).new_rows(), 0);
    let scores = reference.scores(WHOLE).unwrap();
    assert_eq!((scores.rows(), scores.labelled(), scores.sample().len()), (8_000, 8_000, 100));
    let delays = reference.delays.as_ref().unwrap();
    assert_eq!(delays.total(), 8_000);
    assert!(delays.share_within(5 * DAY) == Some(0.0) && delays.share_within(8 * DAY) == Some(1.0));
}

#[test]
fn a_reference_file_comes_back_whole_and_any_damage_is_an_error() {
    let (folder, _, reference) = built(3_000, &options());
    let path = folder.path().join("reference.parquet");
    let written = reference.write(&path).unwrap();
    let (back, read) = Reference::read(&path).unwrap();
    assert_eq!(written, read);
    assert_eq!(back.plan.fingerprint(), reference.plan.fingerprint());
    assert_eq!(back.blocks.len(), reference.blocks.len());
    for (mine, theirs) in back.blocks.iter().zip(&reference.blocks) {
        assert_eq!((mine.start_ms, mine.end_ms), (theirs.start_ms, theirs.end_ms));
        assert_eq!(mine.segments, theirs.segments);
        assert_eq!(mine.scores, theirs.scores);
    }
    assert_eq!((&back.delays, &back.source), (&reference.delays, &reference.source));
    assert_eq!(reference.write(&folder.path().join("again.parquet")).unwrap(), written);

    let bytes = fs::read(&path).unwrap();
    let torn = folder.path().join("torn.parquet");
    fs::write(&torn, &bytes[..bytes.len() / 2]).unwrap();
    let error = Reference::read(&torn).unwrap_err().to_string();
    assert!(error.contains("torn.parquet: is no reference file"), "{error}");
    let error = Reference::read(&folder.path().join("train.parquet")).unwrap_err().to_string();
    assert!(error.contains("millrace drift reference"), "{error}");
}

#[test]
fn the_order_of_files_does_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let batch = payments(&mut Dice::new(9), 2_000);
    let first = parquet(folder.path(), "a.parquet", &batch.slice(0, 700));
    let second = parquet(folder.path(), "b.parquet", &batch.slice(700, 1_300));
    for options in [options(), BuildOptions { id: None, ..options() }] {
        let one = build(&[first.clone(), second.clone()], &options).unwrap();
        let two = build(&[second.clone(), first.clone()], &options).unwrap();
        assert_eq!(one.plan.fingerprint(), two.plan.fingerprint());
        assert_eq!(one.total(WHOLE), two.total(WHOLE));
    }
}

#[test]
fn ids_that_a_half_lacks_are_counted_whichever_file_brings_a_segment_first() {
    let folder = tempfile::tempdir().unwrap();
    let batch = payments(&mut Dice::new(9), 2_000);
    let many = parquet(folder.path(), "a.parquet", &batch);
    // One payment of another country, at a terminal that either half has.
    let terminals: Vec<&str> = batch["terminal"].as_string::<i32>().iter().flatten().collect();
    let known = terminals[..800].iter().find(|terminal| terminals[1_200..].contains(terminal)).unwrap();
    let mut columns = batch.slice(0, 1).columns().to_vec();
    columns[5] = Arc::new(StringArray::from(vec!["FR"]));
    columns[6] = Arc::new(StringArray::from(vec![*known]));
    let one = parquet(folder.path(), "b.parquet", &RecordBatch::try_new(batch.schema(), columns).unwrap());
    let first = build(&[many.clone(), one.clone()], &options()).unwrap();
    let second = build(&[one, many], &options()).unwrap();
    assert!(first.blocks[0].unseen["country=FR"].iter().all(|rows| *rows == 0));
    assert!(first.blocks.iter().zip(&second.blocks).all(|(a, b)| a.unseen == b.unseen));
}

#[test]
fn seasons_find_the_blocks_of_the_same_weekday_and_hour() {
    let hourly = BuildOptions { block_ms: Some(DAY / 24), ..options() };
    let (_folder, _, reference) = built(6_000, &hourly);
    let window = |start_ms: i64, length: i64| Window { start_ms, end_ms: start_ms + length, number: 0 };
    let rows = |start: i64, end: i64| reference.range(start, end).total(WHOLE).unwrap().rows();
    // A Tuesday after the reference, 10 to 12 o'clock.
    let tuesday = START + 29 * DAY + 10 * DAY / 24;
    let found = reference.season(Season::Week, window(tuesday, DAY / 12), WHOLE).unwrap();
    let ago = |weeks: i64| rows(tuesday - weeks * 7 * DAY, tuesday - weeks * 7 * DAY + DAY / 12);
    assert_eq!(found.rows(), ago(3) + ago(4));
    let daily = reference.against(Some(Season::Day), window(tuesday, DAY / 12), WHOLE).unwrap();
    assert!(daily.rows() > found.rows() * 3);
    assert_eq!(reference.against(None, window(tuesday, DAY / 12), WHOLE).unwrap().rows(), 6_000);
    assert_eq!(reference.against(Some(Season::Day), window(tuesday, DAY), WHOLE).unwrap().rows(), 6_000);
    let half = reference.season(Season::Week, window(tuesday, DAY / 48), WHOLE).unwrap_err();
    assert!(half.to_string().contains("seasonal, not judged"), "{half}");
    let unknown = reference.against(None, window(tuesday, DAY), "country=XX").unwrap_err();
    assert_eq!(unknown, NotJudged::Segment("country=XX".into()));
}

#[test]
fn rows_unlike_all_of_the_reference_are_outside_its_support() {
    let (_folder, _, reference) = built(8_000, &options());
    let total = reference.total(WHOLE).unwrap();
    let support = Support::of(&total).unwrap();
    assert!(support.expected_share() <= 0.01);
    let profile = |change: f64| {
        let batch = payments(&mut Dice::new(77), 2_000);
        let amounts = batch.column(2).as_any().downcast_ref::<Float64Array>().unwrap();
        let amounts: Float64Array = amounts.iter().map(|v| v.map(|v| v * change)).collect();
        let mut columns = batch.columns().to_vec();
        columns[2] = Arc::new(amounts);
        let batch = RecordBatch::try_new(batch.schema(), columns).unwrap();
        let mut profile = Profile::new(&reference.plan);
        let cells = crate::profile::Cells::of(&reference.plan, &batch);
        let ids = crate::files::ids(&batch, "tx_id");
        profile.add(&cells, &ids, crate::profile::Rows::All);
        profile
    };
    let (outside, rows) = support.outside(&profile(1.0));
    assert!(outside <= 10 && rows == 100, "{outside} of {rows}");
    let (outside, _) = support.outside(&profile(100.0));
    assert!(outside > 80, "{outside}");
}

#[test]
fn constraints_are_learnt_written_and_read_again() {
    let (_folder, _, reference) = built(8_000, &options());
    let quality = Quality::learn(&reference);
    let text = quality.to_toml();
    assert_eq!(Quality::from_toml("quality.toml", &text).unwrap(), quality, "{text}");
    let amount = &quality.columns["amount"];
    assert!((0.02..0.08).contains(&amount.max_missing_share.unwrap()), "{amount:?}");
    assert_eq!(amount.max_mistyped_share, Some(0.0));
    assert!(amount.max_outside_share.unwrap() < 0.02);
    assert_eq!(quality.columns["country"].categories, Some(vec!["NE".to_owned(), "SW".to_owned()]));
    assert_eq!(quality.columns["terminal"].max_new_share, None);
    assert!((200.0..300.0).contains(&quality.min_rows_per_day.unwrap()));
    assert_eq!(quality.max_duplicate_share, Some(0.0));
}

#[test]
fn a_wrong_constraint_is_refused_by_file_line_and_key() {
    for (text, wanted) in [
        ("max_duplicate_share = 2.0", "quality.toml:1: `max_duplicate_share`: is a share: between 0 and 1"),
        ("\n[columns.amount]\nmin = 5.0\nmax = 1.0\n", "quality.toml:4: `max`: is below `min` (5)"),
        ("\nmax_silence_ms = \"x\"", "quality.toml:2: `max_silence_ms`: invalid type"),
        ("[columns.a]\nmax_mising_share = 0.1", "quality.toml:2: `max_mising_share`: unknown field"),
        ("min_rows_per_day = 9.0\nmax_rows_per_day = 1.0", "quality.toml:2: `max_rows_per_day`: is below"),
    ] {
        let error = Quality::from_toml("quality.toml", text).unwrap_err().to_string();
        assert!(error.starts_with(wanted), "{error}");
    }
}

#[test]
fn what_cannot_be_built_names_file_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.csv");
    fs::write(&path, "amount,at\n1.5,2024-01-01T00:00:00Z\n2.5,\n").unwrap();
    let error = |options: BuildOptions| build(std::slice::from_ref(&path), &options).unwrap_err().to_string();
    let time = BuildOptions { time: Some("at".into()), ..BuildOptions::default() };
    assert!(error(time.clone()).ends_with("train.csv: column `at`, row 2: no time"), "{}", error(time));
    let missing = BuildOptions { id: Some("tx_id".into()), ..BuildOptions::default() };
    assert!(error(missing).contains("train.csv: has no column `tx_id`; it has amount, at"));
    let reference =
        build(&[path], &BuildOptions { columns: vec!["amount".into()], ..BuildOptions::default() }).unwrap();
    assert_eq!(reference.total(WHOLE).unwrap().column(0).range(), Some((1.5, 2.5)));
    assert!(matches!(build(&[], &BuildOptions::default()), Err(Error::Options(_))));
    let before =
        Reference::before(&reference.plan, Window { start_ms: 0, end_ms: 1, number: 0 }, BTreeMap::new());
    assert!(before.total(WHOLE).is_none());
}

#[test]
fn ids_that_the_other_half_lacks_are_counted_as_they_are() {
    // Nine hundred terminals, each in both halves; in the second week a tenth of the rows are at a hundred others.
    let rows = payments(&mut Dice::new(5), 8_000);
    let times = rows.column(1).as_any().downcast_ref::<TimestampMillisecondArray>().unwrap();
    let terminals = rows.column(6).as_any().downcast_ref::<StringArray>().unwrap();
    let moved: StringArray = (0..8_000)
        .map(|row| match times.value(row) >= START + 7 * DAY && row % 10 == 0 {
            true => Some(format!("new{}", row % 100)),
            false => Some(terminals.value(row).to_owned()),
        })
        .collect();
    let mut columns = rows.columns().to_vec();
    columns[6] = Arc::new(moved);
    let rows = RecordBatch::try_new(rows.schema(), columns).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = parquet(folder.path(), "train.parquet", &rows);
    let reference = build(std::slice::from_ref(&path), &options()).unwrap();
    let share = |block: &Block, segment: &str| {
        block.unseen[segment][4] as f64 / block.segments[segment].column(4).present() as f64
    };
    for (day, block) in reference.blocks.iter().enumerate() {
        let expected = if day < 7 { 0.0 } else { 0.1 };
        for segment in [WHOLE, "country=NE"] {
            // A terminal has four rows a week: one in sixty has none by chance.
            let beyond = share(block, segment) - expected;
            assert!((-0.05..0.07).contains(&beyond), "{day} {segment} {beyond}");
        }
    }
    let written = folder.path().join("reference.parquet");
    reference.write(&written).unwrap();
    let (back, _) = Reference::read(&written).unwrap();
    assert!(back.blocks.iter().zip(&reference.blocks).all(|(a, b)| a.unseen == b.unseen));
    assert!(!back.source.contains('/'), "{}", back.source);
}

#[test]
fn trimmed_samples_merge_to_a_uniform_one_however_unequal_they_are() {
    let mut dice = Dice::new(3);
    let mut block = |rows: u64, label: f64| {
        let mut scores = Scores::new(1_000);
        for _ in 0..rows {
            scores.add(ScoreRow { id: dice.next(), score: 0.5, label });
        }
        scores.trim(200);
        scores
    };
    // A tenth of all rows are of the small blocks.
    let (large, small) = (block(18_000, 1.0), [block(1_000, 0.0), block(1_000, 0.0)]);
    let mut all = small[0].clone();
    all.merge(&large);
    all.merge(&small[1]);
    let share = all.sample().filter(|row| row.label == 0.0).count() as f64 / all.sample().len() as f64;
    assert!((0.05..0.16).contains(&share), "{share} of {}", all.sample().len());
    let mut other_way = large;
    small.iter().rev().for_each(|scores| other_way.merge(scores));
    assert_eq!(all, other_way);
    assert_eq!(Scores::from_bytes(&all.to_bytes()), Some(all));
}

#[test]
fn an_edited_maximum_within_a_bin_does_not_count_the_rows_below_it() {
    let (_folder, _, reference) = built(8_000, &options());
    let total = reference.total(WHOLE).unwrap();
    let batch = payments(&mut Dice::new(5), 8_000);
    let amounts = batch.column(2).as_any().downcast_ref::<Float64Array>().unwrap();
    for max in [12.345, 17.5, 40.0] {
        let mut quality = Quality::learn(&reference);
        quality.columns.get_mut("amount").unwrap().max = Some(max);
        let about = crate::judge::About { end_ms: 14 * DAY, ..Default::default() };
        let found = crate::judge::quality(&about, &quality, &total, crate::judge::Stream::default());
        let event =
            found.iter().find(|e| e.method == "range" && e.column.as_deref() == Some("amount")).unwrap();
        let above = amounts.iter().flatten().filter(|value| *value > max).count() as f64 / 8_000.0;
        let told = event.effect.unwrap();
        assert!(told <= above && told > above - 0.01, "{told} of {above} above {max}");
    }
}

#[test]
fn what_no_row_has_may_come_as_often_as_its_part_of_the_false_alarms_allows() {
    let (_folder, _, reference) = built(8_000, &options());
    let rows = |rate: f64| {
        let quality = Quality::learn_within(&reference, rate);
        quality.columns["hour"].max_missing_share.unwrap() * 600.0
    };
    // Three in 8,000 rows at the most are 0.2 in a window of about 570.
    assert!((0.9..2.1).contains(&rows(0.02)), "{}", rows(0.02));
    assert!(rows(1e-6) > rows(0.02) && rows(1e-6) < 8.0, "{}", rows(1e-6));
}

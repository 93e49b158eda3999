//! The effects of all subjects in all held-out windows.

mod leave_out;

use std::collections::BTreeMap;

use super::Options;
use super::folds::{Folds, HeldOut};
use super::series::Series;
use crate::judge::{
    Against, Key, Measure, Pair, default_measures, joint_measures, measure_column, measure_joint,
};
use crate::profile::Profile;
use crate::reference::{Season, Support};
use crate::window::WHOLE;

use leave_out::LeaveOut;

/// Why a subject is not judged.
const SEASONAL: &str = "seasonal";

/// Measures every subject in every held-out window.
pub(super) fn all(folds: &Folds, options: &Options) -> Vec<Series> {
    let Some(plan) = folds.halves.iter().find_map(|half| half.blocks.first()).map(|_| &folds.halves[0].plan)
    else {
        return Vec::new();
    };
    let mut series = Vec::new();
    let mut skip = Vec::new();
    let leave_out = LeaveOut::of(folds);
    for (index, column) in plan.columns.iter().enumerate() {
        for segment in segments(folds) {
            let rows = rows_of(folds, &segment);
            for measure in default_measures(column.kind, rows, &options.methods) {
                let key = Key { column: Some(column.name.clone()), segment: segment.clone(), measure };
                let found = match measure {
                    Measure::NewValues | Measure::Outside => leave_out.series(key, index, options.min_rows),
                    _ => of_column(folds, key, index, options),
                };
                let seasonal = found.excluded.is_some() && segment == WHOLE;
                if seasonal && matches!(measure, Measure::Distribution(_)) && !skip.contains(&index) {
                    skip.push(index);
                }
                series.push(found);
            }
        }
    }
    if options.joint {
        series.extend(joint(folds, options, &skip));
    }
    series
}

fn segments(folds: &Folds) -> Vec<String> {
    let mut all: Vec<String> = folds.halves.iter().flat_map(|half| half.segments()).collect();
    all.sort();
    all.dedup();
    all
}

/// The median number of rows of a segment's windows.
fn rows_of(folds: &Folds, segment: &str) -> u64 {
    let mut rows: Vec<u64> =
        folds.windows.iter().filter_map(|w| w.segments.get(segment)).map(Profile::rows).collect();
    rows.sort_unstable();
    rows.get(rows.len() / 2).copied().unwrap_or(0)
}

fn of_column(folds: &Folds, key: Key, index: usize, options: &Options) -> Series {
    let of = |reference: &Against, segments: &BTreeMap<String, Profile>| {
        let (Ok(reference), Some(current)) = (reference.get(&key.segment)?, segments.get(&key.segment))
        else {
            return None;
        };
        measure(key.measure, index, reference, current, options.min_rows)
    };
    let mut series = Series::new(key.clone(), folds.split());
    for (window, held_out) in folds.windows.iter().enumerate() {
        if let Some((effect, rows)) = of(&folds.against(held_out), &held_out.segments) {
            series.push(window, effect, rows);
        }
    }
    let [first, second] = folds.totals();
    if let (Some(Ok(a)), Some(Ok(b))) = (first.get(&key.segment), second.get(&key.segment)) {
        let found = measure(key.measure, index, a, b, options.min_rows);
        series.halves = found.map_or(0.0, |(effect, _)| effect);
    }
    let shorter = folds.length_ms < 7 * 86_400_000;
    if options.season.is_none() && shorter && is_large(&series) {
        let within = |held_out: &HeldOut| of(&folds.within(Season::Week, held_out), &held_out.segments);
        let seasonal: Vec<f64> = folds.windows.iter().filter_map(within).map(|(effect, _)| effect).collect();
        if is_seasonal(&series, seasonal) {
            series.excluded = Some(SEASONAL.to_owned());
        }
    }
    series
}

/// The effect, and of how many rows.
fn measure(
    measure: Measure,
    index: usize,
    reference: &Profile,
    current: &Profile,
    min_rows: u64,
) -> Option<(f64, u64)> {
    let found = measure_column(measure, index, &Pair::effects(reference, current), 0.0).ok()?;
    (found.rows >= min_rows).then_some((found.effect, found.rows))
}

/// Whether an unchanged window already differs as much as what practice takes for notable.
fn is_large(series: &Series) -> bool {
    series.key.measure.conventional().is_some_and(|bound| median(series.values()) > bound)
}

/// Whether windows at the same place in the week differ clearly less.
fn is_seasonal(series: &Series, within: Vec<f64>) -> bool {
    within.len() >= 4 && median(within) < 0.5 * median(series.values())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// All columns together, those that are not judged aside.
fn joint(folds: &Folds, options: &Options, skip: &[usize]) -> Vec<Series> {
    let mut supports: BTreeMap<usize, Option<Support>> = BTreeMap::new();
    let mut of_measure = |measure: Measure| {
        let key = Key { column: None, segment: WHOLE.to_owned(), measure };
        let mut series = Series::new(key, folds.split());
        for (window, held_out) in folds.windows.iter().enumerate() {
            let against = folds.against(held_out);
            let (Some(Ok(reference)), Some(current)) = (against.get(WHOLE), held_out.segments.get(WHOLE))
            else {
                continue;
            };
            // Within a season the support is that of the half all the same: rows of other hours belong to it.
            let support = supports
                .entry(held_out.other)
                .or_insert_with(|| folds.halves[held_out.other].total(WHOLE).as_ref().and_then(Support::of));
            let found = measure_joint(measure, reference, current, support.as_ref(), skip, options.seed);
            let Ok((found, _)) = found else { continue };
            series.push(window, found.effect, found.p_rows.unwrap_or(found.rows));
        }
        if let [Some(Ok(a)), Some(Ok(b))] = folds.totals().each_ref().map(|half| half.get(WHOLE)) {
            let support = supports.get(&0).and_then(Option::as_ref);
            let found = measure_joint(measure, a, b, support, skip, options.seed);
            series.halves = found.map_or(0.0, |(found, _)| found.effect);
        }
        series
    };
    joint_measures().into_iter().map(&mut of_measure).collect()
}

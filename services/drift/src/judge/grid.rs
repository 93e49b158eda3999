//! Numbers on the plan's grid: for windows that are no longer kept exactly, and for binned methods.

use std::collections::BTreeMap;

use millrace_statistics::sample::Sample;

use super::column::Numbers;
use crate::profile::{Column, SampleColumn};

/// Cells of the binned methods: enough to see a shape, few enough that a cell has rows.
const CELLS: u64 = 10;

/// Rows per cell of about equally many rows of the reference, for both windows. A cell is a run of the grid's bins, so
/// that counts are exact whatever is kept. `None` where a window was counted without a grid.
pub(super) fn cells(reference: Column<'_>, current: Column<'_>) -> Option<[Vec<u64>; 2]> {
    let (a, b) = (reference.bins()?, current.bins()?);
    let total: u64 = a.iter().sum();
    if a.len() < 2 || a.len() != b.len() || total == 0 {
        return None;
    }
    let mut made = [vec![0], vec![0]];
    let (mut seen, mut cell) = (0, 0);
    for (p, q) in a.iter().zip(&b) {
        // A new cell begins where the reference's next one is due and the last one has rows.
        let due = seen * CELLS / total;
        if due > cell && made[0].last().is_some_and(|rows| *rows > 0) && *p > 0 {
            cell = due;
            made.iter_mut().for_each(|counts| counts.push(0));
        }
        for (counts, rows) in made.iter_mut().zip([p, q]) {
            if let Some(last) = counts.last_mut() {
                *last += rows;
            }
        }
        seen += p;
    }
    Some(made)
}

/// The values of both windows on one scale: exactly if both are kept so, else both on the grid. `None` where that cannot
/// be.
pub(super) fn samples(reference: Column<'_>, current: Column<'_>) -> Option<Numbers> {
    if !(reference.is_exact() && current.is_exact())
        && let Some((a, b)) = on_grid(reference, current)
    {
        return Some(Numbers { reference: a, current: b, exact: false });
    }
    let ((a, exact_a), (b, exact_b)) = (reference.numbers()?, current.numbers()?);
    Some(Numbers { reference: a, current: b, exact: exact_a && exact_b })
}

fn on_grid(reference: Column<'_>, current: Column<'_>) -> Option<(Sample, Sample)> {
    let edges = &reference.plan().edges;
    // Above the last edge one representative serves both windows.
    let tops = [reference, current].into_iter().filter_map(|column| column.range());
    let top = tops.map(|range| range.1).fold(f64::MIN, f64::max);
    let last = edges.last().map_or(top, |edge| top.max(edge.next_up()));
    let counted = |column: Column<'_>| {
        let uppers = edges.iter().copied().chain([last]);
        Some(Sample::of_counts(uppers.zip(column.bins()?)))
    };
    Some((counted(reference)?, counted(current)?))
}

/// By how much the difference of two distribution functions can be greater inside of a bin than at its edges. Bins of
/// which the kept rows show one value alone (a count, a zero) hold no more.
pub(super) fn within_bins(
    reference: Column<'_>,
    current: Column<'_>,
    kept: [&SampleColumn; 2],
) -> Option<f64> {
    let (a, b) = (reference.bins()?, current.bins()?);
    let totals = [a.iter().sum::<u64>(), b.iter().sum::<u64>()].map(|total| total.max(1) as f64);
    let single = single_valued(&reference.plan().edges, kept);
    let mass = |bin: usize| (a[bin] as f64 / totals[0]).max(b[bin] as f64 / totals[1]);
    let bins = (0..a.len().min(b.len())).filter(|bin| !single.get(bin).copied().unwrap_or(false));
    Some(bins.map(mass).fold(0.0, f64::max))
}

/// Per bin that the kept rows reach: whether they show one value alone.
fn single_valued(edges: &[f64], kept: [&SampleColumn; 2]) -> BTreeMap<usize, bool> {
    let mut seen: BTreeMap<usize, f64> = BTreeMap::new();
    let mut single = BTreeMap::new();
    for column in kept {
        let SampleColumn::Numbers(values) = column else { continue };
        for value in values.iter().filter(|value| value.is_finite()) {
            let bin = edges.partition_point(|edge| edge < value);
            let first = *seen.entry(bin).or_insert(*value);
            let so_far = single.entry(bin).or_insert(true);
            *so_far &= first == *value;
        }
    }
    single
}

//! Two columns of numbers in one form, and how far effects that come from counts can be from those of the values.

use millrace_statistics::sample::Sample;

use super::Column;
use super::column::ColumnProfile;

/// The numbers of two columns, to be compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The reference's.
    pub reference: Sample,
    /// The window's.
    pub current: Sample,
    /// Whether these are the values themselves. Otherwise both are counts, at their bins' upper edges.
    pub exact: bool,
    /// How far off effects may be; `None` if that is not known (counted without edges).
    pub error: Option<CountError>,
}

/// The numbers of two columns of one plan in one form: as values if both are kept exactly, else both as counts (values
/// against counts would differ by the counting alone). `None` if a column is not numeric.
pub fn compared(reference: &Column<'_>, current: &Column<'_>) -> Option<Compared> {
    let (mine, theirs) = (reference.numbers()?, current.numbers()?);
    if mine.1 && theirs.1 {
        let error = Some(CountError::default());
        return Some(Compared { reference: mine.0, current: theirs.0, exact: true, error });
    }
    let (reference_counts, current_counts) = (counted(reference)?, counted(current)?);
    let error = count_error(reference, current);
    Some(Compared { reference: reference_counts, current: current_counts, exact: false, error })
}

fn counted(column: &Column<'_>) -> Option<Sample> {
    let ColumnProfile::Numbers(numbers) = column.profile else { return None };
    let mut numbers = numbers.clone();
    numbers.collapse(column.plan);
    Some(Sample::of_counts(numbers.pairs(column.plan)))
}

/// Bounds of the error of effects between two counted columns. Effects that are defined on bins (PSI, Jensen-Shannon,
/// Hellinger, total variation) have none.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CountError {
    /// Kolmogorov-Smirnov: the statistic may be larger by as much, never smaller.
    pub ks: f64,
    /// Wasserstein distance, in the column's unit: it may be larger or smaller by as much.
    pub wasserstein: f64,
}

/// The bounds, from the shares of rows per bin alone. `None` if a column has no rows, or there are no edges.
///
/// Inside a bin with shares `p` and `q`, the difference of the distribution functions leaves its value at the bin's
/// lower edge by at most `p` up and `q` down: so much the supremum can rise above that at the edges, and so much,
/// times the bin's width, the area between the functions can differ.
fn count_error(reference: &Column<'_>, current: &Column<'_>) -> Option<CountError> {
    if !reference.plan().grid.has_edges() {
        return None;
    }
    let (mine, theirs) = (shares(reference)?, shares(current)?);
    let (low, high) = reference.range().zip(current.range()).map(|(a, b)| (a.0.min(b.0), a.1.max(b.1)))?;
    let edges = &reference.plan().edges;
    let (mut apart, mut at_edges, mut inside, mut area) = (0.0_f64, 0.0_f64, 0.0_f64, 0.0);
    for (bin, (p, q)) in mine.iter().zip(&theirs).enumerate() {
        // Counted values lie at the upper edge, beyond the largest one too; those above all edges just above the last.
        let from = bin.checked_sub(1).map_or(low, |before| edges[before].max(low));
        let to = edges.get(bin).copied().unwrap_or(high);
        let width = (to - from).max(0.0);
        area += p.max(*q) * width;
        inside = inside.max((apart + p).abs()).max((apart - q).abs());
        apart += p - q;
        at_edges = at_edges.max(apart.abs());
    }
    Some(CountError { ks: (inside - at_edges).max(0.0), wasserstein: area })
}

fn shares(column: &Column<'_>) -> Option<Vec<f64>> {
    let bins = column.bins()?;
    let total: u64 = bins.iter().sum();
    (total > 0).then(|| bins.iter().map(|rows| *rows as f64 / total as f64).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, RecordBatch};

    use super::*;
    use crate::profile::{Bounds, Cells, ColumnPlan, Kind, Plan, Profile, Rows};
    use crate::testing::Dice;

    fn profile(plan: &Arc<Plan>, values: &[f64]) -> Profile {
        let array: ArrayRef = Arc::new(Float64Array::from(values.to_vec()));
        let batch = RecordBatch::try_from_iter([("x", array)]).unwrap();
        let ids: Vec<u64> = (1..=values.len() as u64).collect();
        let mut profile = Profile::new(plan);
        profile.add(&Cells::of(plan, &batch), &ids, Rows::All);
        profile
    }

    /// Kolmogorov-Smirnov and Wasserstein of two multisets by their definitions.
    fn effects(a: &[f64], b: &[f64]) -> (f64, f64) {
        let mut all: Vec<f64> = a.iter().chain(b).copied().collect();
        all.sort_unstable_by(f64::total_cmp);
        let share = |of: &[f64], x: f64| of.iter().filter(|v| **v <= x).count() as f64 / of.len() as f64;
        let apart: Vec<f64> = all.iter().map(|x| (share(a, *x) - share(b, *x)).abs()).collect();
        let area = all.windows(2).zip(&apart).map(|(pair, apart)| apart * (pair[1] - pair[0])).sum();
        (apart.iter().copied().fold(0.0, f64::max), area)
    }

    #[test]
    fn effects_of_counts_lie_within_the_bounds_of_those_of_values() {
        for seed in 0..60 {
            let mut dice = Dice::new(seed);
            let mut edges: Vec<f64> = (0..1 + dice.below(30)).map(|_| dice.unit() * 10.0 - 5.0).collect();
            edges.push(0.0);
            let column = ColumnPlan::new("x", Kind::Numeric).with_edges(edges);
            let bounds = Bounds { exact_rows: 10, ..Bounds::default() };
            let plan = Arc::new(Plan::new(vec![column], bounds, Vec::new()));
            let spread = 1.0 + dice.unit();
            let values: Vec<f64> = (0..60).map(|_| dice.unit() * 8.0 - 4.0).collect();
            let others: Vec<f64> = (0..45).map(|_| (dice.unit() * 8.0 - 4.0) * spread + 0.3).collect();
            let values = &values[..if seed % 3 == 0 { 9 } else { 60 }];
            let (one, two) = (profile(&plan, values), profile(&plan, &others));
            let compared = compared(&one.column(0), &two.column(0)).unwrap();
            assert!(!compared.exact);
            let expanded = |sample: &Sample| sample.expanded().collect::<Vec<_>>();
            let (ks, area) = effects(values, &others);
            let (counted_ks, counted_area) =
                effects(&expanded(&compared.reference), &expanded(&compared.current));
            let error = compared.error.unwrap();
            assert!(counted_ks <= ks + 1e-12 && ks <= counted_ks + error.ks + 1e-12, "seed {seed}");
            assert!((area - counted_area).abs() <= error.wasserstein + 1e-12, "seed {seed}");
        }
    }
}

//! The training support: which rows look like none of the reference, jointly. (In one column alone: [`crate::profile::Column::outside`]
//! and `new_rows`, over all rows.)

use millrace_statistics::sample::Sample;

use crate::profile::{Kind, Plan, Profile, SampleColumn, SampleRows};

/// The reference's kept rows, ready to be searched.
///
/// Distance of two rows: Gower's (1971), the mean over columns of |difference of ranks| for numbers (ranks among the
/// reference's, 0 to 1; beyond its range growing on, to -1 and 2), and of 0 (equal) or 1 for categories and booleans;
/// a missing value is 1 away from any other. Ids do not count. A row is outside the support if its nearest reference
/// row is farther than [`Self::bound`]: that of the reference's own rows but 1 %, each against all others.
#[derive(Debug, Clone)]
pub struct Support {
    scales: Vec<Scale>,
    rows: Table,
    bound: f64,
    expected_share: f64,
}

/// How a column's cells become comparable.
#[derive(Debug, Clone)]
enum Scale {
    Ranks { values: Vec<f64>, below: Vec<f64>, range: (f64, f64) },
    Equal,
    Ignored,
}

/// Rows side by side: ranks (NaN: missing), then hashes.
#[derive(Debug, Clone, Default)]
struct Table {
    rows: usize,
    ranks: Vec<f32>,
    hashes: Vec<u64>,
    numbers: usize,
    categories: usize,
    /// Rows by ascending sum of their ranks, with that sum: rows are at least as far apart as their sums.
    order: Vec<(f32, u32)>,
}

/// Columns that are compared before looking whether a row is too far already.
const STRIP: usize = 8;

const LEAST_ROWS: usize = 20;
const INSIDE: f64 = 0.99;

impl Support {
    /// Of a reference; `None` if it keeps fewer than 20 rows, or no column counts.
    pub fn of(reference: &Profile) -> Option<Self> {
        let plan = reference.plan();
        let scales: Vec<Scale> = reference
            .columns()
            .map(|column| Scale::of(column.numbers().map(|n| n.0), column.kind()))
            .collect();
        let rows = Table::of(&scales, &reference.sample_rows(), plan);
        if rows.rows < LEAST_ROWS || rows.numbers + rows.categories == 0 {
            return None;
        }
        let own: Vec<f64> = (0..rows.rows).map(|row| rows.nearest(&rows, row, Some(row))).collect();
        let mut ascending = own.clone();
        ascending.sort_unstable_by(f64::total_cmp);
        let bound = ascending[((INSIDE * own.len() as f64).ceil() as usize).clamp(1, own.len()) - 1];
        let outside = own.iter().filter(|distance| **distance > bound).count();
        Some(Self { expected_share: outside as f64 / own.len() as f64, scales, rows, bound })
    }

    /// The distance above which a row is outside.
    pub fn bound(&self) -> f64 {
        self.bound
    }

    /// The share of the reference's own rows that are outside.
    pub fn expected_share(&self) -> f64 {
        self.expected_share
    }

    /// Per kept row of a window of the same plan, its distance to the nearest reference row.
    pub fn distances(&self, window: &Profile) -> Vec<f64> {
        let rows = Table::of(&self.scales, &window.sample_rows(), window.plan());
        (0..rows.rows).map(|row| self.rows.nearest(&rows, row, None)).collect()
    }

    /// How many kept rows of a window are outside, of how many.
    pub fn outside(&self, window: &Profile) -> (u64, u64) {
        let distances = self.distances(window);
        let outside = distances.iter().filter(|distance| **distance > self.bound).count();
        (outside as u64, distances.len() as u64)
    }
}

impl Scale {
    fn of(numbers: Option<Sample>, kind: Kind) -> Self {
        match (numbers, kind) {
            (Some(sample), _) => {
                let total = sample.total() as f64;
                let mut come = 0;
                // Mid-ranks: a value's own rows count half.
                let below = sample.counts().iter().map(|count| {
                    come += count;
                    (come as f64 - *count as f64 / 2.0) / total
                });
                let below = below.collect();
                let ends = sample.values().first().zip(sample.values().last());
                let range = ends.map_or((0.0, 0.0), |(low, high)| (*low, *high));
                Self::Ranks { values: sample.values().to_vec(), below, range }
            }
            (None, Kind::Id) => Self::Ignored,
            (None, _) => Self::Equal,
        }
    }

    fn rank(values: &[f64], below: &[f64], (low, high): (f64, f64), value: f64) -> f32 {
        if value.is_nan() || values.is_empty() {
            return f32::NAN;
        }
        let span = if high > low { high - low } else { high.abs().max(1.0) };
        let rank = match value {
            value if value < low => -((low - value) / span).min(1.0),
            value if value > high => 1.0 + ((value - high) / span).min(1.0),
            value => below[values.partition_point(|v| *v < value).min(below.len() - 1)],
        };
        rank as f32
    }
}

impl Table {
    fn of(scales: &[Scale], sample: &SampleRows, plan: &Plan) -> Self {
        let rows = sample.ids.len();
        let count = |test: fn(&Scale) -> bool| scales.iter().filter(|s| test(s)).count();
        let numbers = count(|s| matches!(s, Scale::Ranks { .. }));
        let categories = count(|s| matches!(s, Scale::Equal));
        debug_assert_eq!(scales.len(), plan.columns.len());
        let (mut ranks, mut hashes) = (vec![f32::NAN; rows * numbers], vec![0; rows * categories]);
        let (mut number, mut category) = (0, 0);
        for (scale, column) in scales.iter().zip(&sample.columns) {
            match (scale, column) {
                (Scale::Ranks { values, below, range }, SampleColumn::Numbers(cells)) => {
                    for (row, cell) in cells.iter().enumerate() {
                        ranks[row * numbers + number] = Scale::rank(values, below, *range, *cell);
                    }
                    number += 1;
                }
                (Scale::Equal, SampleColumn::Hashes(cells)) => {
                    for (row, cell) in cells.iter().enumerate() {
                        hashes[row * categories + category] = *cell;
                    }
                    category += 1;
                }
                _ => {}
            }
        }
        let mut table = Self { rows, ranks, hashes, numbers, categories, order: Vec::new() };
        table.order = (0..rows as u32).map(|row| (table.sum(row as usize), row)).collect();
        table.order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        table
    }

    /// A row's ranks, each within 0 to 1 and a missing one in the middle, so that no two differ by more than their
    /// distance.
    fn sum(&self, row: usize) -> f32 {
        let ranks = &self.ranks[row * self.numbers..][..self.numbers];
        ranks.iter().map(|rank| if rank.is_nan() { 0.5 } else { rank.clamp(0.0, 1.0) }).sum()
    }

    /// The rows, those of the nearest sums first, with by how much the sums differ.
    fn outwards(&self, sum: f32) -> impl Iterator<Item = (f32, usize)> {
        let mut above = self.order.partition_point(|(theirs, _)| *theirs < sum);
        let mut below = above;
        std::iter::from_fn(move || {
            let gap = |place: usize| self.order.get(place).map_or(f32::INFINITY, |(s, _)| (s - sum).abs());
            let up = gap(above);
            let down = if below == 0 { f32::INFINITY } else { gap(below - 1) };
            let (gap, place) = if down < up { (down, below - 1) } else { (up, above) };
            let (_, row) = self.order.get(place)?;
            if down < up {
                below -= 1
            } else {
                above += 1
            }
            Some((gap, *row as usize))
        })
    }

    /// The distance of another table's row to the nearest of these, `but` for one.
    fn nearest(&self, other: &Self, row: usize, but: Option<usize>) -> f64 {
        let ranks = &other.ranks[row * self.numbers..][..self.numbers];
        let hashes = &other.hashes[row * self.categories..][..self.categories];
        let mut least = f32::INFINITY;
        for (gap, mine) in self.outwards(other.sum(row)) {
            // Sums of floats are rounded.
            if gap > least * 1.0001 + 1e-3 {
                break;
            }
            if Some(mine) == but {
                continue;
            }
            let theirs = &self.hashes[mine * self.categories..][..self.categories];
            let mut sum = hashes.iter().zip(theirs).filter(|(a, b)| a != b).count() as f32;
            let theirs = &self.ranks[mine * self.numbers..][..self.numbers];
            // In strips, so that most rows are left early.
            for (a, b) in ranks.chunks(STRIP).zip(theirs.chunks(STRIP)) {
                if sum >= least {
                    break;
                }
                sum += a.iter().zip(b).map(|(a, b)| apart(*a, *b)).sum::<f32>();
            }
            least = least.min(sum);
        }
        f64::from(least) / (self.numbers + self.categories) as f64
    }
}

fn apart(a: f32, b: f32) -> f32 {
    let difference = (a - b).abs();
    match difference.is_nan() {
        true => f32::from(u8::from(a.is_nan() != b.is_nan())),
        false => difference,
    }
}

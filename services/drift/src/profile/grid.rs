//! The fixed grid that numbers are counted on: the reference's edges or, without any, logarithmic buckets.

/// Bins of a numeric column; bin `i` holds `edges[i-1] < v <= edges[i]`.
#[derive(Debug, Clone, Default)]
pub(super) struct Grid {
    /// The edges, filled up with infinity to a power of two less one: the search then needs no bounds of its own.
    table: Vec<f64>,
    edges: usize,
    /// The table has `2^steps - 1` places.
    steps: u32,
}

/// Values searched side by side: the steps of one search wait for each other, those of eight overlap.
const LANES: usize = 8;

/// Bits of a number below those that name its logarithmic bucket: sign, exponent and 5 bits of mantissa stay.
const LOG_SHIFT: u32 = 47;

impl Grid {
    pub(super) fn new(edges: &[f64]) -> Self {
        let mut table = edges.to_vec();
        let places = (edges.len() + 1).next_power_of_two();
        table.resize(places - 1, f64::INFINITY);
        Self { table, edges: edges.len(), steps: places.trailing_zeros() }
    }

    /// Whether there are edges; without, numbers are counted by [`log_bucket`].
    pub(super) fn has_edges(&self) -> bool {
        self.edges > 0
    }

    /// How many bins: one more than edges.
    pub(super) fn bins(&self) -> usize {
        self.edges + 1
    }

    /// A step of the search. A shifted comparison, not a choice: the compiler makes a branch of that, which is mispredicted
    /// half the time and makes the search ten times as long.
    #[inline]
    fn further(&self, place: usize, step: u32, value: f64) -> usize {
        place + (usize::from(self.table[place + (1 << step) - 1] < value) << step)
    }

    /// The bin of a finite value: how many edges lie below it.
    pub(super) fn bin(&self, value: f64) -> usize {
        (0..self.steps).rev().fold(0, |place, step| self.further(place, step, value))
    }

    /// Per value its bin; `bins()` for NaN and `bins() + 1` for infinities.
    pub(super) fn classes(&self, values: &[f64]) -> Vec<u16> {
        let (missing, infinite) = (self.bins() as u16, self.bins() as u16 + 1);
        let class = |value: f64, bin: usize| match value.is_finite() {
            true => bin as u16,
            false if value.is_nan() => missing,
            false => infinite,
        };
        let mut classes = Vec::with_capacity(values.len());
        let chunks = values.chunks_exact(LANES);
        let rest = chunks.remainder();
        for chunk in chunks {
            let mut places = [0_usize; LANES];
            for step in (0..self.steps).rev() {
                for (place, value) in places.iter_mut().zip(chunk) {
                    *place = self.further(*place, step, *value);
                }
            }
            classes.extend(chunk.iter().zip(places).map(|(value, place)| class(*value, place)));
        }
        classes.extend(rest.iter().map(|value| class(*value, self.bin(*value))));
        classes
    }
}

/// The bucket of zero, and of numbers so small that they are no normal ones.
const LOG_ZERO: u32 = 1 << (63 - LOG_SHIFT);

/// The logarithmic bucket of a finite value; ascending with it.
pub(super) fn log_bucket(value: f64) -> u32 {
    if value.abs() < f64::MIN_POSITIVE {
        return LOG_ZERO;
    }
    let bits = value.to_bits();
    let ordered = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    (ordered >> LOG_SHIFT) as u32
}

/// The largest value of a logarithmic bucket.
pub(super) fn log_upper(bucket: u32) -> f64 {
    if bucket == LOG_ZERO {
        return 0.0;
    }
    let ordered = (u64::from(bucket) << LOG_SHIFT) | ((1 << LOG_SHIFT) - 1);
    let bits = if ordered >> 63 == 1 { ordered & !(1 << 63) } else { !ordered };
    f64::from_bits(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lies_in_the_bin_whose_upper_edge_is_the_first_not_below_it() {
        for count in [0_usize, 1, 2, 3, 6, 7, 8, 300] {
            let edges: Vec<f64> = (0..count).map(|i| i as f64 * 0.5 - 3.0).collect();
            let grid = Grid::new(&edges);
            let values: Vec<f64> = (-40..400).map(|i| f64::from(i) * 0.25).collect();
            let classes = grid.classes(&values);
            for (value, class) in values.iter().zip(classes) {
                let wanted = edges.iter().filter(|edge| *edge < value).count();
                assert_eq!((grid.bin(*value), usize::from(class)), (wanted, wanted));
            }
        }
    }

    #[test]
    fn values_that_are_not_finite_have_classes_of_their_own() {
        let grid = Grid::new(&[1.0]);
        let classes = grid.classes(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, 2.0]);
        assert_eq!(classes, [2, 3, 3, 0, 1]);
    }

    #[test]
    fn logarithmic_buckets_ascend_and_are_narrow() {
        let values = [-1e300, -3.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 1.9, 2.0, 77.0, 1e300];
        let buckets: Vec<u32> = values.iter().map(|v| log_bucket(*v)).collect();
        assert!(buckets.is_sorted());
        for value in values {
            let upper = log_upper(log_bucket(value));
            assert!(upper >= value && upper - value <= value.abs() / 32.0, "{value} {upper}");
        }
        assert_eq!(log_bucket(-0.0), log_bucket(0.0));
    }
}

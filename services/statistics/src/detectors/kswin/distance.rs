//! The two-sided Kolmogorov-Smirnov test of two samples of one size.

/// Distances up to this are never a drift, however many rows are compared.
const LEAST_DISTANCE: f64 = 0.1;

/// Which sample a row is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Drawn,
    Newest,
    Neither,
}

/// The greatest difference between how many rows of either sample are at most x, over all x, of rows in ascending order.
pub(super) fn rows_apart(ascending: impl Iterator<Item = (f64, Side)>) -> usize {
    let (mut ahead, mut greatest, mut last) = (0_isize, 0, f64::NAN);
    for (value, side) in ascending {
        // A value's ties are all counted before the distance is taken.
        if value != last {
            greatest = greatest.max(ahead.unsigned_abs());
            last = value;
        }
        ahead += match side {
            Side::Drawn => 1,
            Side::Newest => -1,
            Side::Neither => 0,
        };
    }
    greatest.max(ahead.unsigned_abs())
}

/// The smallest distance, in rows, whose p-value is at most `alpha`; n + 1 where there is none.
pub(super) fn critical(n: usize, alpha: f64) -> usize {
    let is_drift = |apart: usize| apart as f64 / n as f64 > LEAST_DISTANCE && p_value(n, apart) <= alpha;
    (1..=n).find(|apart| is_drift(*apart)).unwrap_or(n + 1)
}

/// The chance that two samples of n rows from one continuous distribution are at least `apart` rows apart: 2 times the sum
/// over k >= 1 of (-1)^(k-1) C(2n, n - k apart) / C(2n, n) (Gnedenko and Korolyuk 1951).
fn p_value(n: usize, apart: usize) -> f64 {
    let (mut share, mut sum, mut sign) = (1.0, 0.0, 1.0);
    for step in 0..n {
        // C(2n, n - step - 1) / C(2n, n - step)
        share *= (n - step) as f64 / (n + step + 1) as f64;
        if (step + 1) % apart == 0 {
            sum += sign * share;
            sign = -sign;
        }
    }
    2.0 * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_equal_those_of_scipy() {
        // scipy.stats.ks_2samp of two samples of n rows, method 'exact', SciPy 1.17.1
        for (n, apart, expected) in [
            (5, 5, 2.0 / 252.0),
            (30, 12, 0.015_643_390_496_754_332),
            (30, 30, 1.691_123_389_214_474_2e-17),
            (100, 23, 0.009_878_183_186_176_536),
        ] {
            let ours = p_value(n, apart);
            assert!((ours / expected - 1.0).abs() < 1e-12, "{n} rows, {apart} apart: {ours}, not {expected}");
        }
    }

    #[test]
    fn ties_are_counted_on_both_sides_before_the_distance_is_taken() {
        let apart = |drawn: [f64; 3], newest: [f64; 3]| {
            let mut rows: Vec<_> = drawn.map(|value| (value, Side::Drawn)).to_vec();
            rows.extend(newest.map(|value| (value, Side::Newest)));
            rows.push((2.5, Side::Neither));
            rows.sort_by(|a, b| a.0.total_cmp(&b.0));
            rows_apart(rows.into_iter())
        };
        assert_eq!(apart([1.0, 1.0, 2.0], [1.0, 1.0, 1.0]), 1);
        assert_eq!(apart([1.0, 2.0, 3.0], [3.0, 2.0, 1.0]), 0);
        assert_eq!(apart([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]), 3);
        assert_eq!(apart([9.0, 9.0, 9.0], [4.0, 5.0, 9.0]), 2);
    }

    #[test]
    fn a_small_distance_is_no_drift_even_where_the_test_rejects() {
        assert!(p_value(5000, 400) < 1e-9);
        assert_eq!(critical(5000, 0.005), 501);
        assert_eq!(critical(5, 0.001), 6);
    }
}

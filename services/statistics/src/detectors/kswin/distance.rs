//! The two-sided Kolmogorov-Smirnov test of two samples of one size.

/// Distances up to this are never a drift, however many rows are compared.
const LEAST_DISTANCE: f64 = 0.1;

/// The greatest difference between how many rows of either sample are at most x, over all x. Sorts both.
pub(super) fn rows_apart(one: &mut [f64], other: &mut [f64]) -> usize {
    one.sort_unstable_by(f64::total_cmp);
    other.sort_unstable_by(f64::total_cmp);
    let (mut i, mut j, mut greatest) = (0, 0, 0);
    while i < one.len() && j < other.len() {
        let value = one[i].min(other[j]);
        i += one[i..].iter().take_while(|x| **x <= value).count();
        j += other[j..].iter().take_while(|x| **x <= value).count();
        greatest = greatest.max(i.abs_diff(j));
    }
    greatest
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
        assert_eq!(rows_apart(&mut [1.0, 1.0, 2.0], &mut [1.0, 1.0, 1.0]), 1);
        assert_eq!(rows_apart(&mut [1.0, 2.0], &mut [2.0, 1.0]), 0);
        assert_eq!(rows_apart(&mut [1.0, 2.0, 3.0], &mut [4.0, 5.0, 6.0]), 3);
        assert_eq!(rows_apart(&mut [9.0, 9.0, 9.0], &mut [4.0, 5.0, 9.0]), 2);
    }

    #[test]
    fn a_small_distance_is_no_drift_even_where_the_test_rejects() {
        assert!(p_value(5000, 400) < 1e-9);
        assert_eq!(critical(5000, 0.005), 501);
        assert_eq!(critical(5, 0.001), 6);
    }
}

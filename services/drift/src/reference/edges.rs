//! The edges that numbers are counted on: quantiles of the reference, finer in its tails, and steps beyond its range.

/// Quantiles between the tails: a bin holds about 0.4 % of the reference, which bounds what counting can hide.
const QUANTILES: usize = 256;

/// How often the outermost bin is halved on either side.
const TAILS: i32 = 6;

/// How many steps lie beyond either end of the range, each twice as wide: from an eighth of the range to 16 of it.
const OUTER: i32 = 8;

/// Edges for a column: of ascending values of a sample, and the range of all. Every distinct value is an edge if
/// there are no more than 256: counts of such a column say all there is.
pub(super) fn edges(ascending: &[f64], range: (f64, f64)) -> Vec<f64> {
    let mut distinct = ascending.to_vec();
    distinct.dedup();
    let mut edges = if distinct.len() <= QUANTILES { distinct } else { quantiles(ascending) };
    let (low, high) = range;
    // Half the difference of halves: the range itself may be beyond the largest number.
    let span = (high / 2.0 - low / 2.0) * 2.0;
    let span = if span > 0.0 { span } else { high.abs().max(1.0) };
    for step in 0..OUTER {
        let beyond = span * 2_f64.powi(step - 3);
        edges.extend([low - beyond, high + beyond]);
    }
    edges
}

fn quantiles(ascending: &[f64]) -> Vec<f64> {
    let bin = 1.0 / QUANTILES as f64;
    let middle = (1..QUANTILES).map(|i| i as f64 * bin);
    let tails = (1..=TAILS).flat_map(|i| [bin / 2_f64.powi(i), 1.0 - bin / 2_f64.powi(i)]);
    let at = |share: f64| {
        let place = (share * ascending.len() as f64).ceil() as usize;
        ascending[place.clamp(1, ascending.len()) - 1]
    };
    middle.chain(tails).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_equal_shares_and_the_range_has_room_around_it() {
        let values: Vec<f64> = (0..16_384).map(|i| (f64::from(i) / 16_384.0).powi(3)).collect();
        let mut edges = edges(&values, (values[0], values[16_383]));
        edges.sort_unstable_by(f64::total_cmp);
        assert!(edges.len() > 256 + 12 && edges.len() < 300, "{}", edges.len());
        assert!(edges[0] < -15.0 && edges[edges.len() - 1] > 15.0);
        for pair in edges.windows(2).filter(|pair| pair[0] >= 0.0 && pair[1] <= 1.0) {
            let inside = values.iter().filter(|v| pair[0] < **v && **v <= pair[1]).count();
            assert!(inside <= 64, "{inside} in {pair:?}");
        }
    }

    #[test]
    fn few_distinct_values_are_edges_themselves() {
        let found = edges(&[0.0, 0.0, 1.0, 7.0], (0.0, 7.0));
        assert!([0.0, 1.0, 7.0].iter().all(|v| found.contains(v)));
        assert!(edges(&[5.0], (5.0, 5.0)).iter().all(|edge| edge.is_finite()));
    }
}

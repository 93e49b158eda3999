//! Distinct values of many numbers, ascending, with their counts: by counting where few are distinct, else by a radix
//! sort.

/// Distinct values that are counted before sorting is the faster way; the table stays in a core's first cache.
const FEW: usize = 1024;
const SLOTS: usize = 4 * FEW;
/// Below as many numbers a comparison sort is faster than a radix sort.
const SHORT: usize = 2048;
/// Bits of a digit of the radix sort.
const DIGIT: u32 = 11;
const DIGITS: usize = 1 << DIGIT;
const PASSES: usize = 6;

/// Finite numbers (none is `-0.0`) as distinct values, ascending, with their counts.
pub(super) fn counted(values: &[f64]) -> (Vec<f64>, Vec<u64>) {
    if let Some(pairs) = few(values) {
        return pairs.into_iter().unzip();
    }
    let (mut distinct, mut counts) = (Vec::with_capacity(values.len()), Vec::with_capacity(values.len()));
    for run in ascending(values).chunk_by(|a, b| a == b) {
        distinct.push(run[0]);
        counts.push(run.len() as u64);
    }
    (distinct, counts)
}

/// The same if there are few distinct values, by a table of open addressing.
fn few(values: &[f64]) -> Option<Vec<(f64, u64)>> {
    // No finite number has NaN's bits.
    const FREE: u64 = u64::MAX;
    let mut keys = vec![FREE; SLOTS];
    let mut counts = vec![0_u64; SLOTS];
    let mut distinct = 0;
    for value in values {
        let bits = value.to_bits();
        let mut slot = (bits.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52) as usize;
        while keys[slot] != bits {
            if keys[slot] == FREE {
                distinct += 1;
                if distinct > FEW {
                    return None;
                }
                keys[slot] = bits;
                break;
            }
            slot = (slot + 1) % SLOTS;
        }
        counts[slot] += 1;
    }
    let used = keys.into_iter().zip(counts).filter(|(bits, _)| *bits != FREE);
    let mut pairs: Vec<(f64, u64)> = used.map(|(bits, count)| (f64::from_bits(bits), count)).collect();
    pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    Some(pairs)
}

/// Sorted; the least significant digit first, digits that all numbers share left out.
fn ascending(values: &[f64]) -> Vec<f64> {
    if values.len() < SHORT || u32::try_from(values.len()).is_err() {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        return sorted;
    }
    let mut keys: Vec<u64> = values.iter().map(|value| ordered(*value)).collect();
    let mut histograms = vec![[0_u32; DIGITS]; PASSES];
    for key in &keys {
        for (pass, histogram) in histograms.iter_mut().enumerate() {
            histogram[digit(*key, pass)] += 1;
        }
    }
    let mut other = vec![0_u64; keys.len()];
    for (pass, histogram) in histograms.iter_mut().enumerate() {
        if histogram[digit(keys[0], pass)] as usize == keys.len() {
            continue;
        }
        let mut place = 0;
        for count in histogram.iter_mut() {
            place += std::mem::replace(count, place);
        }
        for key in &keys {
            let place = &mut histogram[digit(*key, pass)];
            other[*place as usize] = *key;
            *place += 1;
        }
        std::mem::swap(&mut keys, &mut other);
    }
    keys.into_iter().map(back).collect()
}

fn digit(key: u64, pass: usize) -> usize {
    (key >> (pass as u32 * DIGIT)) as usize % DIGITS
}

/// A number's bits so that integers compare as the numbers do.
fn ordered(value: f64) -> u64 {
    let bits = value.to_bits();
    bits ^ (((bits as i64 >> 63) as u64) | 1 << 63)
}

fn back(key: u64) -> f64 {
    let mask = ((key >> 63).wrapping_sub(1)) | 1 << 63;
    f64::from_bits(key ^ mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(values: &[f64]) -> (Vec<f64>, Vec<u64>) {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as u64)).unzip()
    }

    #[test]
    fn every_way_gives_what_a_plain_sort_gives() {
        let hash = |i: u64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11;
        let random = |i: u64| f64::from_bits(hash(i) << 11 | i & 0x7ff);
        let finite = |values: Vec<f64>| values.into_iter().filter(|v| v.is_finite()).map(|v| v + 0.0);
        let cases: [Vec<f64>; 6] = [
            vec![],
            vec![-1.5],
            (0..5_000).map(|i| (hash(i) % 7) as f64 - 3.0).collect(),
            (0..1_500).map(|i| hash(i) as f64).collect(),
            (0..9_000).map(|i| hash(i) as f64 / 1e9 - 4e6).collect(),
            finite((0..20_000).map(random).chain([-0.0, 0.0, 5e-324, f64::MAX, f64::MIN]).collect())
                .collect(),
        ];
        for values in cases {
            assert_eq!(counted(&values), plain(&values), "{} values", values.len());
        }
    }
}

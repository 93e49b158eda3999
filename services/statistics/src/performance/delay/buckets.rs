//! Log buckets: 32 an octave, so that a bucket is at most 1/32 of its delays wide; single milliseconds below 32.

const BITS: u32 = 5;

/// The bucket of a delay.
pub(super) fn bucket(delay_ms: u64) -> u16 {
    match delay_ms.checked_ilog2() {
        Some(octave) if octave >= BITS => {
            let within = (delay_ms >> (octave - BITS)) & ((1 << BITS) - 1);
            (((octave - BITS + 1) << BITS) + within as u32) as u16
        }
        _ => delay_ms as u16,
    }
}

/// The least delay of a bucket, and how many milliseconds wide it is.
pub(super) fn span(bucket: u16) -> (u64, u64) {
    let (octave, within) = (u32::from(bucket) >> BITS, u64::from(bucket) & ((1 << BITS) - 1));
    match octave.checked_sub(1) {
        None => (within, 1),
        Some(shift) => (((1 << BITS) + within) << shift, 1 << shift),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_delay_lies_in_its_bucket() {
        for shift in 0..63 {
            for delay in [0, 1, 31, 32, 33, 63, 64, 1_000_003].map(|base: u64| base << (shift % 40)) {
                let (low, width) = span(bucket(delay));
                assert!(low <= delay && delay - low < width, "{delay}: {low} {width}");
                assert!(width <= 1 || width <= low / 32, "{delay}: {width}");
            }
        }
        assert_eq!(span(bucket(u64::MAX)).0 >> 58, 63);
    }
}

//! The bucket of a unit: GrowthBook's hash, version 2.

/// How many buckets there are; a share is a whole number of them.
pub const BUCKETS: u16 = 10_000;

/// The bucket, in 0..10,000: FNV-1a 32 of the decimal text of FNV-1a 32 of `seed` and `unit`, modulo 10,000.
///
/// Over UTF-16 code units, as GrowthBook's SDKs hash: units with other characters than ASCII fall where theirs do.
pub fn bucket(seed: &str, unit: &str) -> u16 {
    let first = fnv1a_32(seed.encode_utf16().chain(unit.encode_utf16()));
    let mut digits = [0_u16; 10];
    let mut at = digits.len();
    let mut rest = first;
    loop {
        at -= 1;
        digits[at] = u16::from(b'0') + (rest % 10) as u16;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    (fnv1a_32(digits[at..].iter().copied()) % u32::from(BUCKETS)) as u16
}

fn fnv1a_32(units: impl Iterator<Item = u16>) -> u32 {
    units.fold(0x811c_9dc5, |hash, unit| (hash ^ u32::from(unit)).wrapping_mul(0x0100_0193))
}

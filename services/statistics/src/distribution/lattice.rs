//! Counting of lattice paths: every order in which two samples without ties may lie is one path.

/// The number of paths from (0, 0) to (m, n), C(m + n, m); none where it does not fit in 124 bits.
pub(super) fn paths(m: u64, n: u64) -> Option<u128> {
    let (short, long) = (u128::from(m.min(n)), u128::from(m.max(n)));
    let mut count: u128 = 1;
    for i in 1..=short {
        count = count.checked_mul(long + i)? / i;
    }
    (count < 1 << 124).then_some(count)
}

/// The greatest common divisor.
pub(crate) fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

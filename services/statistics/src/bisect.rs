//! Ends of intervals that are defined by a test.

/// Where between `end` and `inside` values stop being `outside`, to the last digits of a double; `end` itself if it is
/// not outside. `inside` must not be.
pub fn boundary(end: f64, inside: f64, outside: impl Fn(f64) -> bool) -> f64 {
    if !outside(end) {
        return end;
    }
    let (mut out, mut within) = (end, inside);
    for _ in 0..60 {
        let middle = (out + within) / 2.0;
        *(if outside(middle) { &mut out } else { &mut within }) = middle;
    }
    within
}

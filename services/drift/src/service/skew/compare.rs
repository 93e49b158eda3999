//! Two values of a column, side by side, as text.

/// How two values differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Differ {
    /// They do not.
    Equal,
    /// Only what was recomputed has a value.
    NullServed,
    /// Only what was served has a value.
    NullRecomputed,
    /// By this much; infinite where one of them is, NaN where they are no numbers.
    By(f64),
}

/// Compares. Values must be equal: sums and averages depend on the rows of a frame alone and are rounded once. Floats are
/// compared as numbers (0 is -0, NaN is NaN), all others as they read.
pub fn differ(served: Option<&str>, recomputed: Option<&str>, float: bool) -> Differ {
    match (served, recomputed) {
        (None, None) => Differ::Equal,
        (None, Some(_)) => Differ::NullServed,
        (Some(_), None) => Differ::NullRecomputed,
        (Some(a), Some(b)) if a == b => Differ::Equal,
        (Some(a), Some(b)) => match (a.parse::<f64>(), b.parse::<f64>()) {
            (Ok(a), Ok(b)) if float && (a == b || a.is_nan() && b.is_nan()) => Differ::Equal,
            (Ok(a), Ok(b)) => Differ::By((a - b).abs()),
            _ => Differ::By(f64::NAN),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_equal_or_tell_how_they_differ() {
        let float = |a, b| differ(Some(a), Some(b), true);
        assert_eq!([float("0.1", "0.1"), float("-0.0", "0.0"), float("NaN", "NaN")], [Differ::Equal; 3]);
        assert_eq!(float("1.5", "3.0"), Differ::By(1.5));
        assert_eq!(float("inf", "3.0"), Differ::By(f64::INFINITY));
        assert_eq!(differ(None, Some("1"), false), Differ::NullServed);
        assert_eq!(differ(Some("1"), None, false), Differ::NullRecomputed);
        assert_eq!(differ(None, None, false), Differ::Equal);
        assert!(matches!(differ(Some("NE"), Some("SW"), false), Differ::By(by) if by.is_nan()));
        let big = differ(Some("9007199254740993"), Some("9007199254740992"), false);
        assert_eq!(big, Differ::By(0.0), "integers beyond 2^53 differ though floats do not");
    }
}

//! Windows on a fixed grid, and the time that a partition has reached.

/// A gap of more windows than this is a gap of ages, or a wrong clock: only the last of them is told.
const MOST_AT_ONCE: i64 = 1_000;

/// Tells which windows' ends a partition passes.
#[derive(Debug, Clone, Copy)]
pub struct Windows {
    length_ms: i64,
    lateness_ms: i64,
    time_ms: Option<i64>,
}

impl Windows {
    /// Of this length; rows may be so late.
    pub fn new(length_ms: i64, lateness_ms: i64) -> Self {
        Self { length_ms: length_ms.max(1), lateness_ms, time_ms: None }
    }

    /// The greatest time so far.
    pub fn time_ms(&self) -> Option<i64> {
        self.time_ms
    }

    /// Takes a time, and gives the ends that it passes: those whose lateness is over with it and was not before. What
    /// came before the first time belongs to nobody.
    pub fn pass(&mut self, time_ms: i64) -> Vec<i64> {
        let Some(before) = self.time_ms else {
            self.time_ms = Some(time_ms);
            return Vec::new();
        };
        if time_ms <= before {
            return Vec::new();
        }
        self.time_ms = Some(time_ms);
        let index = |time_ms: i64| time_ms.saturating_sub(self.lateness_ms).div_euclid(self.length_ms);
        let (first, last) = (index(before) + 1, index(time_ms));
        let first = if last - first >= MOST_AT_ONCE { last } else { first };
        (first..=last).map(|index| index.saturating_mul(self.length_ms)).collect()
    }

    /// The time is no less than this.
    pub fn at_least(&mut self, time_ms: Option<i64>) {
        self.time_ms = self.time_ms.max(time_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_passed_once_and_after_their_lateness() {
        let mut windows = Windows::new(10, 3);
        assert!(windows.pass(5).is_empty());
        assert!(windows.pass(12).is_empty());
        assert_eq!(windows.pass(13), [10]);
        assert_eq!(windows.pass(43), [20, 30, 40]);
        assert!(windows.pass(43).is_empty() && windows.pass(20).is_empty());
        assert_eq!(windows.pass(1_000_000), [999_990], "a gap of ages");
        windows.at_least(Some(5));
        assert_eq!(windows.time_ms(), Some(1_000_000));
    }
}

//! When a partition's time is told: whenever a window ends, or can take no more late rows.

use crate::window::WindowSpec;

/// The moments at which windows end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// How far they lie apart, in ms.
    pub step_ms: i64,
    /// How late rows still count, in ms.
    pub lateness_ms: i64,
}

impl Grid {
    /// Of windows by time; windows of rows end by themselves.
    pub fn of(windows: WindowSpec, lateness_ms: i64) -> Option<Self> {
        let step_ms = match windows {
            WindowSpec::Tumbling { length_ms } => length_ms,
            WindowSpec::Sliding { every_ms, .. } => every_ms,
            WindowSpec::Rows { .. } => return None,
        };
        Some(Self { step_ms, lateness_ms })
    }

    /// Whether a window ends, or can take no more late rows, after `from_ms` and no later than `to_ms`.
    pub fn passes(&self, from_ms: Option<i64>, to_ms: i64) -> bool {
        let Some(from_ms) = from_ms else { return true };
        let cells = |time: i64| (self.cell(time), self.cell(time.saturating_sub(self.lateness_ms)));
        cells(from_ms) != cells(to_ms)
    }

    /// The last moment no later than `time_ms` at which a window ends.
    pub fn floor(&self, time_ms: i64) -> i64 {
        self.cell(time_ms).saturating_mul(self.step_ms)
    }

    fn cell(&self, time_ms: i64) -> i64 {
        time_ms.div_euclid(self.step_ms)
    }
}

/// Per row the greatest time up to it, from a time reached before.
pub fn reached(before: Option<i64>, times_ms: &[i64]) -> Vec<i64> {
    let mut greatest = before.unwrap_or(i64::MIN);
    let advance = |time: &i64| {
        greatest = greatest.max(*time);
        greatest
    };
    times_ms.iter().map(advance).collect()
}

/// The first row with which a boundary is reached; the last where none does.
pub fn row_of(reached: &[i64], boundary_ms: i64) -> usize {
    reached.partition_point(|time| *time < boundary_ms).min(reached.len().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_told_when_a_window_ends_and_when_it_can_take_no_more() {
        let grid = Grid::of(WindowSpec::Tumbling { length_ms: 100 }, 30).unwrap();
        assert!(grid.passes(None, 5));
        assert!(
            !grid.passes(Some(5), 29) && grid.passes(Some(5), 30),
            "the window before takes late rows until 30"
        );
        assert!(!grid.passes(Some(30), 99) && grid.passes(Some(30), 100));
        assert_eq!((grid.floor(199), grid.floor(-1)), (100, -100));
        assert_eq!(Grid::of(WindowSpec::Rows { count: 3 }, 0), None);
    }

    #[test]
    fn a_boundary_belongs_to_the_row_that_reaches_it() {
        let times = reached(Some(3), &[1, 5, 2, 9]);
        assert_eq!(times, [3, 5, 5, 9]);
        assert_eq!([4, 5, 6, 10].map(|boundary| row_of(&times, boundary)), [1, 1, 3, 3]);
    }
}

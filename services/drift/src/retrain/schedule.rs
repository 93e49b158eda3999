//! When time alone fires a trigger.

use millrace_topics::Cron;

/// A schedule: every so often, or at the moments of a cron expression in UTC.
#[derive(Debug, Clone)]
pub struct Schedule(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Every { interval_ms: i64 },
    Cron(Cron),
}

/// Why a text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{text}\" is no schedule: {why}; write an interval such as \"7 days\", or cron's five fields, such as \"0 3 * * 1\""
)]
pub struct BadSchedule {
    text: String,
    why: String,
}

impl Schedule {
    /// Reads `7 days` or `0 3 * * 1` (minute, hour, day of month, month, day of week with 0 = Sunday; UTC).
    ///
    /// # Errors
    /// A text that is neither.
    pub fn parse(text: &str) -> Result<Self, BadSchedule> {
        let bad = |why: String| BadSchedule { text: text.to_owned(), why };
        if text.split_whitespace().count() == 5 {
            return Cron::parse(text).map(|cron| Self(Kind::Cron(cron))).map_err(bad);
        }
        let interval_ms =
            millrace_topics::parse_duration(text).map_err(|_| bad("it has not five fields".into()))?;
        if interval_ms <= 0 {
            return Err(bad("the interval is zero".into()));
        }
        Ok(Self(Kind::Every { interval_ms }))
    }

    /// For people.
    pub fn text(&self) -> String {
        match &self.0 {
            Kind::Every { interval_ms } => format!("every {}", millrace_topics::show_duration(*interval_ms)),
            Kind::Cron(cron) => format!("at {cron}"),
        }
    }

    /// The last scheduled moment after `since_ms` and no later than `now_ms`. Intervals count from `since_ms`.
    pub fn due(&self, since_ms: i64, now_ms: i64) -> Option<i64> {
        match &self.0 {
            Kind::Every { interval_ms } => {
                let passed = now_ms.saturating_sub(since_ms) / interval_ms;
                (passed > 0).then(|| since_ms + passed * interval_ms)
            }
            Kind::Cron(cron) => cron.last_until(now_ms).filter(|last| *last > since_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    // Monday, 2018-07-02, 00:00 UTC.
    const MONDAY: i64 = 1_530_489_600_000;

    #[test]
    fn an_interval_is_due_once_it_has_passed_and_long_silence_is_one_moment() {
        let schedule = Schedule::parse("7 days").unwrap();
        assert_eq!(schedule.due(MONDAY, MONDAY + 7 * 24 * HOUR - 1), None);
        assert_eq!(schedule.due(MONDAY, MONDAY + 7 * 24 * HOUR), Some(MONDAY + 7 * 24 * HOUR));
        assert_eq!(schedule.due(MONDAY, MONDAY + 30 * 24 * HOUR), Some(MONDAY + 28 * 24 * HOUR));
        assert_eq!(schedule.text(), "every 7d");
    }

    #[test]
    fn cron_is_due_at_its_moments_in_utc() {
        let schedule = Schedule::parse("0 3 * * 1").unwrap();
        let three = MONDAY + 3 * HOUR;
        assert_eq!(schedule.due(MONDAY, three - 1), None);
        assert_eq!(schedule.due(MONDAY, three), Some(three));
        assert_eq!(schedule.due(MONDAY, three + 999), Some(three));
        assert_eq!(schedule.due(MONDAY, three + 40 * HOUR), Some(three));
        assert_eq!(schedule.due(three, three + 40 * HOUR), None);
        assert_eq!(schedule.due(three, three + 200 * HOUR), Some(three + 168 * HOUR));
    }

    #[test]
    fn a_text_that_is_no_schedule_says_what_to_write() {
        for text in ["", "sometimes", "0 days", "99 3 * * 1", "* * *", "0 0 3 * * 1"] {
            let error = Schedule::parse(text).unwrap_err().to_string();
            assert!(error.contains("five fields"), "{text}: {error}");
        }
    }
}

//! Times of a crontab: five fields, in UTC.

use std::fmt;

use chrono::{DateTime, Utc};

/// When something recurs: minute, hour, day of month, month, day of week, as crontab(5) has them.
#[derive(Debug, Clone)]
pub struct Cron {
    text: String,
    pattern: Box<croner::Cron>,
}

impl Cron {
    /// Reads `0 3 * * 1`: numbers, `*`, ranges `1-5`, lists `1,15` and steps `*/15`, names of months and weekdays. The
    /// error says what is wrong and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        if fields.len() != 5 {
            return Err(format!(
                "\"{text}\" has {} fields, and cron has 5: minute, hour, day of month, month, day of week; write for example \"0 3 * * 1\"",
                fields.len()
            ));
        }
        let text = fields.join(" ");
        let fault = |why: &dyn fmt::Display| format!("\"{text}\": {why}; write for example \"0 3 * * 1\"");
        let pattern: croner::Cron = text.parse().map_err(|error: croner::errors::CronError| fault(&error))?;
        pattern
            .find_next_occurrence(&DateTime::<Utc>::UNIX_EPOCH, false)
            .map_err(|_| fault(&"it never comes"))?;
        Ok(Self { text, pattern: Box::new(pattern) })
    }

    /// The last time no later than `ms` at which it recurred, both in ms since 1970.
    pub fn last_until(&self, ms: i64) -> Option<i64> {
        let until: DateTime<Utc> = DateTime::from_timestamp_millis(ms)?;
        let last = self.pattern.find_previous_occurrence(&until, true).ok()?.timestamp_millis();
        // A second's own fraction is no part of cron's moment.
        Some(last - last.rem_euclid(1000))
    }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn last(cron: &str, until: &str) -> String {
        let until = crate::instant::instant_ms(&until.parse().unwrap()).unwrap();
        let ms = Cron::parse(cron).unwrap().last_until(until).unwrap();
        DateTime::from_timestamp_millis(ms).unwrap().format("%Y-%m-%d %H:%M").to_string()
    }

    #[test]
    fn the_last_time_is_the_latest_that_every_field_admits() {
        assert_eq!(last("0 3 * * 1", "2026-11-24T10:00:00Z"), "2026-11-23 03:00", "a Tuesday after");
        assert_eq!(last("*/15 * * * *", "2026-11-24T10:15:00Z"), "2026-11-24 10:15", "itself");
        assert_eq!(last("0 0 29 2 *", "2026-11-24T10:15:00Z"), "2024-02-29 00:00");
        assert_eq!(last("30 9-17/4 * * *", "2026-11-24T13:29:59Z"), "2026-11-24 09:30");
        assert_eq!(
            last("0 0 1,15 * 7", "2026-11-24T00:00:00Z"),
            "2026-11-22 00:00",
            "Sunday, or the day of month"
        );
    }

    #[test]
    fn what_is_no_crontab_is_refused_with_what_to_write() {
        assert!(Cron::parse("0 3 * *").unwrap_err().contains("has 4 fields, and cron has 5"));
        for wrong in ["60 3 * * *", "0 3 * * someday", "0 0 31 2 *", "*/0 0 1 1 *"] {
            let error = Cron::parse(wrong).unwrap_err();
            assert!(error.contains(wrong) && error.contains("write for example"), "{error}");
        }
        assert!(Cron::parse("0 0 31 2 *").unwrap_err().contains("never comes"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[0-9*/, -]{0,24}|\\PC{0,12}") {
            let _ = Cron::parse(&text);
        }
    }
}

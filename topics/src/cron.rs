//! Times of a crontab: five fields, in UTC.

use std::fmt;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;
/// A day that matches comes within these, or never: 29 February on a given weekday returns after 40 years at most.
const MOST_DAYS: i64 = 41 * 366;

/// When something recurs: minute, hour, day of month, month, day of week, as crontab(5) has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Where both days are restricted, either suffices.
    either_day: bool,
}

impl Cron {
    /// Reads `0 3 * * 1`: numbers, `*`, ranges `1-5`, lists `1,15` and steps `*/15`. The error says what is wrong and
    /// what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(format!(
                "\"{text}\" has {} fields, and cron has 5: minute, hour, day of month, month, day of week; write for example \"0 3 * * 1\"",
                fields.len()
            ));
        };
        let read = |field: &str, name, from, to| {
            mask(field, from, to).ok_or_else(|| {
                format!("\"{text}\": {field} is no {name}; write {from} to {to}, *, 1-5, 1,15 or */2")
            })
        };
        let weekdays = read(weekday, "day of week", 0, 7)?;
        let cron = Self {
            text: fields.join(" "),
            minutes: read(minute, "minute", 0, 59)?,
            hours: read(hour, "hour", 0, 23)?,
            days: read(day, "day of month", 1, 31)?,
            months: read(month, "month", 1, 12)?,
            weekdays: (weekdays | weekdays >> 7) & 0x7f,
            either_day: !day.starts_with('*') && !weekday.starts_with('*'),
        };
        match cron.next_after(0) {
            Some(_) => Ok(cron),
            None => Err(format!("\"{text}\" never comes; write for example \"0 3 * * 1\"")),
        }
    }

    /// The first time after `ms` at which it recurs, both in ms since 1970.
    pub fn next_after(&self, ms: i64) -> Option<i64> {
        let first = ms.div_euclid(MINUTE_MS).checked_add(1)?.checked_mul(MINUTE_MS)?;
        let today = first.div_euclid(DAY_MS);
        (today..today.checked_add(MOST_DAYS)?).filter(|day| self.on(*day)).find_map(|day| {
            let from = if day == today { first.rem_euclid(DAY_MS) / MINUTE_MS } else { 0 };
            let minute = (from..DAY_MS / MINUTE_MS).find(|m| self.at(*m))?;
            Some(day * DAY_MS + minute * MINUTE_MS)
        })
    }

    fn at(&self, minute_of_day: i64) -> bool {
        has(self.hours, minute_of_day / 60) && has(self.minutes, minute_of_day % 60)
    }

    fn on(&self, day: i64) -> bool {
        let (month, date) = month_and_date(day);
        let (in_month, in_week) = (has(self.days, date), has(self.weekdays, (day + 4).rem_euclid(7)));
        let on = if self.either_day { in_month || in_week } else { in_month && in_week };
        on && has(self.months, month)
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn has(mask: u64, bit: i64) -> bool {
    mask >> bit & 1 == 1
}

/// The numbers that a field names, as bits.
fn mask(field: &str, from: u32, to: u32) -> Option<u64> {
    field.split(',').try_fold(0, |all, part| {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<usize>().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (low, high) = match range.split_once('-') {
            _ if range == "*" => (from, to),
            Some((low, high)) => (low.parse().ok()?, high.parse().ok()?),
            None if step > 1 => (range.parse().ok()?, to),
            None => (range.parse().ok()?, range.parse().ok()?),
        };
        let fits = from <= low && low <= high && high <= to;
        fits.then(|| (low..=high).step_by(step).fold(all, |all, bit| all | 1 << bit))
    })
}

/// Month and day of month of a day since 1970; proleptic Gregorian, by Hinnant's `civil_from_days`.
fn month_and_date(day: i64) -> (i64, i64) {
    let day = day + 719_468;
    let of_era = day.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    (if shifted < 10 { shifted + 3 } else { shifted - 9 }, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn next(cron: &str, after: &str) -> String {
        let after = crate::instant::instant_ms(&after.parse().unwrap()).unwrap();
        let ms = Cron::parse(cron).unwrap().next_after(after).unwrap();
        let day = ms.div_euclid(DAY_MS);
        let (month, date) = month_and_date(day);
        let minute = ms.rem_euclid(DAY_MS) / MINUTE_MS;
        format!("{month}-{date} {:02}:{:02}", minute / 60, minute % 60)
    }

    #[test]
    fn the_next_time_is_the_first_that_every_field_admits() {
        assert_eq!(next("0 3 * * 1", "2026-11-24T10:00:00Z"), "11-30 03:00", "a Tuesday before");
        assert_eq!(next("*/15 * * * *", "2026-11-24T10:15:00Z"), "11-24 10:30");
        assert_eq!(next("0 0 29 2 *", "2026-11-24T10:15:00Z"), "2-29 00:00");
        assert_eq!(next("30 9-17/4 * * *", "2026-11-24T13:30:00Z"), "11-24 17:30");
        assert_eq!(
            next("0 0 1,15 * 7", "2026-11-24T00:00:00Z"),
            "11-29 00:00",
            "Sunday, or the day of month"
        );
        assert_eq!(next("59 23 31 12 *", "2026-12-31T23:58:59Z"), "12-31 23:59");
    }

    #[test]
    fn what_is_no_crontab_is_refused_with_what_to_write() {
        assert!(Cron::parse("0 3 * *").unwrap_err().contains("has 4 fields, and cron has 5"));
        assert!(Cron::parse("60 3 * * *").unwrap_err().contains("60 is no minute; write 0 to 59"));
        assert!(Cron::parse("0 3 * * mon").unwrap_err().contains("mon is no day of week"));
        assert!(Cron::parse("0 0 31 2 *").unwrap_err().contains("never comes"));
        assert!(Cron::parse("*/0 0 1 1 *").is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[0-9*/, -]{0,24}|\\PC{0,12}") {
            let _ = Cron::parse(&text);
        }

        #[test]
        fn every_minute_is_the_next_one(ms in 0_i64..4_000_000_000_000) {
            let next = Cron::parse("* * * * *").unwrap().next_after(ms).unwrap();
            prop_assert!(next > ms && next - ms <= MINUTE_MS && next % MINUTE_MS == 0);
        }
    }
}

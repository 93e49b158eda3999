//! RFC 3339 times, as TOML has them and as text.

use toml::value::{Datetime, Offset};

/// The ms since 1970 of an RFC 3339 time with an offset; `None` where a part is missing.
pub(crate) fn instant_ms(time: &Datetime) -> Option<i64> {
    let (date, clock, offset) = (time.date?, time.time?, time.offset?);
    let offset_minutes = match offset {
        Offset::Z => 0,
        Offset::Custom { minutes } => i64::from(minutes),
    };
    let minutes = i64::from(clock.hour) * 60 + i64::from(clock.minute) - offset_minutes;
    let seconds = minutes * 60 + i64::from(clock.second.unwrap_or(0));
    let millis = i64::from(clock.nanosecond.unwrap_or(0) / 1_000_000);
    Some(days_since_1970(i64::from(date.year), date.month, date.day) * 86_400_000 + seconds * 1_000 + millis)
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (H. Hinnant, "chrono-compatible low-level date
/// algorithms", `days_from_civil`).
fn days_since_1970(year: i64, month: u8, day: u8) -> i64 {
    let month = i64::from(month);
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_date_gives_them() {
        // date -u -d <time> +%s
        let cases = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2018-04-01T00:00:00Z", Some(1_522_540_800_000)),
            ("2018-04-01T02:00:00+02:00", Some(1_522_540_800_000)),
            ("2000-02-29T23:59:59.250Z", Some(951_868_799_250)),
            ("1969-12-31T23:59:59Z", Some(-1_000)),
            ("2018-04-01T00:00:00", None),
            ("2018-04-01", None),
        ];
        for (text, ms) in cases {
            assert_eq!(instant_ms(&text.parse().unwrap()), ms, "{text}");
        }
    }
}

//! Durations as people write them: `12h`, `30 days`, `1d 12h`.

use crate::near::near;

const UNITS: [(&str, i64, &[&str]); 6] = [
    ("w", 604_800_000, &["week", "weeks"]),
    ("d", 86_400_000, &["day", "days"]),
    ("h", 3_600_000, &["hr", "hrs", "hour", "hours"]),
    ("m", 60_000, &["min", "mins", "minute", "minutes"]),
    ("s", 1_000, &["sec", "secs", "second", "seconds"]),
    ("ms", 1, &["milli", "millis", "millisecond", "milliseconds"]),
];

/// Reads a duration in ms: whole numbers, each with a unit (ms, s, m, h, d, w, or the word). The error says what is
/// wrong with the text, and what would be right.
pub fn parse_duration(text: &str) -> Result<i64, String> {
    let mut rest = text.trim();
    let mut total_ms: i64 = 0;
    if rest.is_empty() {
        return Err(format!("\"{text}\" is no duration; write for example \"12h\""));
    }
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit());
        let (unit, after) = split(after.trim_start(), char::is_alphabetic);
        if number.is_empty() || unit.is_empty() {
            return Err(match number.is_empty() || !after.is_empty() {
                true => format!("\"{text}\" is no duration; write for example \"12h\""),
                false => format!("\"{text}\" has no unit; write for example \"{number}h\""),
            });
        }
        let ms = unit_ms(unit).ok_or_else(|| unknown_unit(text, number, unit))?;
        total_ms = number
            .parse()
            .ok()
            .and_then(|n: i64| n.checked_mul(ms))
            .and_then(|n| n.checked_add(total_ms))
            .ok_or_else(|| {
                format!("\"{text}\" is too long for a duration; the longest is about 292 million years")
            })?;
        rest = after.trim_start();
    }
    Ok(total_ms)
}

/// A duration for people, in the largest unit up to days that makes it exact: `36h`.
pub fn show_duration(ms: i64) -> String {
    if ms == 0 {
        return "0s".into();
    }
    let exact = UNITS.iter().skip(1).find(|(_, unit, _)| ms % unit == 0);
    exact.map_or_else(|| format!("{ms}ms"), |(name, unit, _)| format!("{}{name}", ms / unit))
}

fn split(text: &str, take: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !take(c)).unwrap_or(text.len()))
}

fn unit_ms(unit: &str) -> Option<i64> {
    let unit = unit.to_lowercase();
    UNITS.iter().find(|(name, _, words)| *name == unit || words.contains(&unit.as_str())).map(|u| u.1)
}

fn unknown_unit(text: &str, number: &str, unit: &str) -> String {
    let names = UNITS.iter().flat_map(|(name, _, words)| std::iter::once(name).chain(words.iter())).copied();
    let instead = near(unit, names.filter(|n| n.len() > 2)).unwrap_or("h");
    let space = if instead.len() > 2 { " " } else { "" };
    format!(
        "\"{text}\" is no duration: there is no unit `{unit}`; write for example \"{number}{space}{instead}\""
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_read_with_short_units_and_words() {
        let cases = [
            ("12h", 43_200_000),
            ("2d", 172_800_000),
            ("30 days", 2_592_000_000),
            ("90s", 90_000),
            ("500ms", 500),
            ("1 week", 604_800_000),
            ("1d 12h", 129_600_000),
            (" 10 Min ", 600_000),
            ("0s", 0),
        ];
        for (text, ms) in cases {
            assert_eq!(parse_duration(text), Ok(ms), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_what_to_write() {
        let cases = [
            ("12x", "\"12x\" is no duration: there is no unit `x`; write for example \"12h\""),
            ("12 dys", "\"12 dys\" is no duration: there is no unit `dys`; write for example \"12 days\""),
            ("12", "\"12\" has no unit; write for example \"12h\""),
            ("", "\"\" is no duration; write for example \"12h\""),
            ("soon", "\"soon\" is no duration; write for example \"12h\""),
            ("-1h", "\"-1h\" is no duration; write for example \"12h\""),
            ("1.5h", "\"1.5h\" is no duration; write for example \"12h\""),
            (
                "99999999999999999d",
                "\"99999999999999999d\" is too long for a duration; the longest is about 292 million years",
            ),
        ];
        for (text, message) in cases {
            assert_eq!(parse_duration(text), Err(message.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(ms in 0..i64::MAX) {
            prop_assert_eq!(parse_duration(&show_duration(ms)), Ok(ms));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,12}|[0-9]{0,20}[ a-zµ]{0,4}") {
            let _ = parse_duration(&text);
        }
    }
}

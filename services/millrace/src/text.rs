//! Numbers, times and errors as people read them.

pub use millrace_report::text::thousands;

/// `2018-05-17 14:03` (UTC) of a time in ms since 1970.
pub fn day_and_minute(ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(ms)
        .map_or_else(|| format!("{ms} ms"), |time| time.format("%Y-%m-%d %H:%M").to_string())
}

/// An error and its causes; those that the text before them says already are left out.
pub fn causes(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |text, cause| match cause.to_string() {
        cause if text.contains(&cause) => text,
        cause if text.is_empty() => cause,
        cause => format!("{text}: {cause}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_utc() {
        assert_eq!(day_and_minute(1_522_540_800_000), "2018-04-01 00:00");
        assert_eq!(day_and_minute(1_709_164_740_000), "2024-02-28 23:59");
    }

    #[test]
    fn a_cause_is_told_once() {
        let error = anyhow::anyhow!("refused").context("cannot connect: refused").context("stopped");
        assert_eq!(causes(&error), "stopped: cannot connect: refused");
    }
}

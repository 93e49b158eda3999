//! Numbers, times and errors as people read them.

pub use millrace_report::text::thousands;

/// Lines of cells as columns, each as wide as its widest cell; a line's last cell does not widen its column.
pub fn aligned(lines: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for line in lines {
        widths.resize(widths.len().max(line.len()), 0);
        let inner = line.len().saturating_sub(1);
        for (width, cell) in widths.iter_mut().zip(&line[..inner]) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    for line in lines {
        let mut text = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            let pad = width.saturating_sub(cell.chars().count()) + 2;
            text = text + cell + &" ".repeat(pad);
        }
        out += text.trim_end();
        out.push('\n');
    }
    out
}

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
    fn cells_stand_in_columns() {
        let lines = [vec!["a", "12", "b"], vec!["äöü", "1", "long"], vec!["", "x"]];
        let lines = lines.map(|line| line.into_iter().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(aligned(&lines), "a    12  b\näöü  1   long\n     x\n");
    }

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

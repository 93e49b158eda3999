//! Numbers as people read them.

/// `1234567` as `1,234,567`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of three significant digits.
pub fn short(value: f64) -> String {
    digits(value, 3)
}

/// A number of so many significant digits (1 to 15), without zeros at its end.
pub fn digits(value: f64, significant: i32) -> String {
    let size = value.abs();
    if value == 0.0 || value.fract() == 0.0 && size < 1e6 {
        return format!("{:.0}", value + 0.0);
    }
    if !(1e-3..1e6).contains(&size) {
        let places = (significant - 1).max(0) as usize;
        return format!("{value:.places$e}");
    }
    // The place of the first digit, read from the text: a logarithm may round across it.
    let exponent = format!("{size:e}").split_once('e').and_then(|(_, e)| e.parse::<i32>().ok()).unwrap_or(0);
    let places = (significant - 1 - exponent).clamp(0, 17) as usize;
    let text = format!("{value:.places$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// `12.3 %` of a share.
pub fn percent(share: f64) -> String {
    format!("{} %", short(100.0 * share))
}

/// A p-value: `0.034`, `2.1e-9`.
pub fn p_value(p: f64) -> String {
    if p >= 0.001 { format!("{p:.3}") } else { format!("{p:.1e}") }
}

/// A probability to four places: `0.0123`, `1`; below them `<0.0001`.
pub fn probability(p: f64) -> String {
    if p.is_nan() {
        return "-".to_owned();
    }
    if p < 1e-4 {
        return "<0.0001".to_owned();
    }
    let text = format!("{p:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The same within a sentence: `p = 0.0123`, `p < 0.0001`.
pub fn p_equals(p: f64) -> String {
    let text = probability(p);
    match text.strip_prefix('<') {
        Some(bound) => format!("p < {bound}"),
        None => format!("p = {text}"),
    }
}

/// A difference of three significant digits with its sign; down to a millionth without an exponent.
pub fn signed(value: f64) -> String {
    let text = match value.abs() {
        size if (1e-6..1e-3).contains(&size) => {
            // Three digits from the first one on: an exponent of -4 begins at the fourth place.
            let exponent =
                format!("{size:.2e}").split_once("e-").and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
            let places: usize = exponent + 2;
            format!("{value:.places$}").trim_end_matches('0').to_owned()
        }
        _ => short(value),
    };
    if value > 0.0 { format!("+{text}") } else { text }
}

/// `2018-05-17 14:03` (UTC) of a time in ms since 1970.
pub fn day_and_minute(ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(ms)
        .map_or_else(|| format!("{ms} ms"), |time| time.format("%Y-%m-%d %H:%M").to_string())
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_read_as_people_write_them() {
        let texts = [1.0, 0.05, 0.0123, 0.000_12, 0.000_099, 0.0, 0.999_99, f64::NAN].map(probability);
        assert_eq!(texts, ["1", "0.05", "0.0123", "0.0001", "<0.0001", "<0.0001", "1", "-"]);
        assert_eq!([0.5, 1e-9].map(p_equals), ["p = 0.5", "p < 0.0001"]);
        assert_eq!([0.25, -0.25, 0.0].map(signed), ["+0.25", "-0.25", "0"]);
        let small = [0.000_446_4, -0.000_12, 9.999e-4, 1.234e-6, -1.5e-7].map(signed);
        assert_eq!(small, ["+0.000446", "-0.00012", "+0.001", "+0.00000123", "-1.50e-7"]);
    }

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
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn numbers_have_as_many_digits_as_said() {
        let texts = [0.0, -0.0, 12.0, 0.123_456, 0.001_234_5, 99.96, 1234.56, 1.5e-7, 3.2e9].map(short);
        assert_eq!(texts, ["0", "0", "12", "0.123", "0.00123", "100", "1235", "1.50e-7", "3.20e9"]);
        assert_eq!(
            (percent(0.1234), p_value(0.0344), p_value(2.13e-9)),
            ("12.3 %".into(), "0.034".into(), "2.1e-9".into())
        );
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

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

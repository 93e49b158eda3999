//! One sentence for a person about a finding.

use millrace_report::text::digits;
use millrace_statistics::sample::{Categories, Sample};

use super::column::{Measured, Pair};
use super::measure::Measure;

/// What changed in a column, in figures that people know: means, shares, names.
pub(super) fn of_column(measure: Measure, index: usize, pair: &Pair<'_>, found: &Measured) -> String {
    let (a, b) = (pair.reference.column(index), pair.current.column(index));
    let name = &a.plan().name;
    if let Some((p, q)) = found.shares {
        let what = match measure {
            Measure::Missing => format!("{name} is missing"),
            Measure::Outside => format!("{name} lies outside of the reference's range"),
            _ => {
                let new: Vec<String> = b.new_values().into_iter().take(3).map(|(value, _)| value).collect();
                let such =
                    if new.is_empty() { String::new() } else { format!(" (such as {})", new.join(", ")) };
                format!("{name} has a value that the reference does not have{such}")
            }
        };
        return format!("{what} in {} of the rows, {} were to be expected.", percent(q), percent(p));
    }
    if let Some(both) = pair.numbers(index).filter(|both| both.exact) {
        return of_numbers(name, &both.reference, &both.current);
    }
    if let (Some((x, _)), Some((y, _))) = (a.numbers(), b.numbers()) {
        return of_numbers(name, &x, &y);
    }
    match (a.categories(), b.categories()) {
        (Some(x), Some(y)) => of_categories(name, &x, &y),
        _ => String::new(),
    }
}

fn of_numbers(name: &str, reference: &Sample, current: &Sample) -> String {
    let (Some(p), Some(q)) = (mean(reference), mean(current)) else { return String::new() };
    let (from, to) = (median(reference), median(current));
    format!(
        "{name} is {} on average, was {} (median {}, was {}).",
        short(q),
        short(p),
        short(to),
        short(from)
    )
}

fn of_categories(name: &str, reference: &Categories, current: &Categories) -> String {
    let (rows, now) = (reference.total().max(1) as f64, current.total().max(1) as f64);
    let names = reference.counts.keys().chain(current.counts.keys());
    let share = |of: &Categories, value: &String, total: f64| {
        of.counts.get(value).copied().unwrap_or_default() as f64 / total
    };
    let moved = names.map(|value| (value, share(reference, value, rows), share(current, value, now)));
    let rest = (reference.other as f64 / rows, current.other as f64 / now);
    let most = moved.max_by(|a, b| (a.2 - a.1).abs().total_cmp(&(b.2 - b.1).abs()).then(b.0.cmp(a.0)));
    match most {
        Some((value, p, q)) if (q - p).abs() >= (rest.1 - rest.0).abs() => {
            format!("{name} is {value} in {} of the rows, was in {}.", percent(q), percent(p))
        }
        _ => format!(
            "{name} is none of the frequent values in {} of the rows, was in {}.",
            percent(rest.1),
            percent(rest.0)
        ),
    }
}

fn mean(sample: &Sample) -> Option<f64> {
    let pairs = sample.values().iter().zip(sample.counts());
    let sum: f64 = pairs.map(|(value, count)| value * *count as f64).sum();
    (sample.total() > 0).then(|| sum / sample.total() as f64)
}

fn median(sample: &Sample) -> f64 {
    let mut left = sample.total().div_ceil(2);
    for (value, count) in sample.values().iter().zip(sample.counts()) {
        if *count >= left {
            return *value;
        }
        left -= count;
    }
    f64::NAN
}

/// A share as people read it.
pub(super) fn percent(share: f64) -> String {
    match share * 100.0 {
        all if all == 0.0 || all >= 10.0 => format!("{all:.0} %"),
        some if some >= 0.1 => format!("{some:.1} %"),
        few => format!("{few:.3} %"),
    }
}

/// A number of four significant digits.
pub(super) fn short(value: f64) -> String {
    digits(value, 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_shares_read_as_people_write_them() {
        let shown = [0.0, 1234567.0, 53.219, 0.012345, 41.0, -2.5, 1e-7].map(short);
        assert_eq!(shown, ["0", "1.235e6", "53.22", "0.01235", "41", "-2.5", "1.000e-7"]);
        assert_eq!([0.0, 0.5, 0.031, 0.0004].map(percent), ["0 %", "50 %", "3.1 %", "0.040 %"]);
    }

    #[test]
    fn a_sentence_says_what_moved() {
        let text = of_numbers("amount", &Sample::of([1.0, 2.0, 3.0]), &Sample::of([2.0, 2.0, 5.0]));
        assert_eq!(text, "amount is 3 on average, was 2 (median 2, was 2).");
        let counts = |pairs: &[(&str, u64)]| Categories {
            counts: pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
            other: 0,
        };
        let text =
            of_categories("country", &counts(&[("NE", 50), ("SW", 50)]), &counts(&[("NE", 80), ("XX", 20)]));
        assert_eq!(text, "country is SW in 0 % of the rows, was in 50 %.");
    }
}

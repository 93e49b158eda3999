//! Two distributions over few bins, for people: drawn on a page and carried by events.

use millrace_report::text::short;
use millrace_statistics::sample::{Categories, Sample};

use super::page::Chart;
use crate::profile::Column;

/// A drawing tells no more than so many bins apart.
const BINS: usize = 20;
/// Names longer than this are cut.
const NAME: usize = 24;

/// Counts of two windows in the same bins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bins {
    /// What each bin holds: `12.5 to 30`, a number, or a category.
    pub names: Vec<String>,
    /// Rows of the reference.
    pub reference: Vec<u64>,
    /// Rows of the window.
    pub current: Vec<u64>,
}

/// The distributions of a column in both windows, over at most 20 bins.
pub fn bins(reference: Column<'_>, current: Column<'_>) -> Bins {
    match (reference.numbers(), current.numbers()) {
        (Some((a, _)), Some((b, _))) => of_numbers(&a, &b),
        _ => of_categories(
            &reference.categories().unwrap_or_default(),
            &current.categories().unwrap_or_default(),
        ),
    }
}

/// Each number a bin of its own where there are few; else bins of equal width between the 0.5 % and the 99.5 %
/// quantiles of both, the outer ones open.
fn of_numbers(reference: &Sample, current: &Sample) -> Bins {
    if let Some(distinct) = few_distinct(reference.values(), current.values()) {
        let names = distinct.iter().map(|value| short(*value)).collect();
        let count =
            |sample: &Sample| distinct.iter().map(|value| count_of(sample, |v| v == *value)).collect();
        return Bins { names, reference: count(reference), current: count(current) };
    }
    let ends = [reference, current].into_iter().filter(|sample| sample.total() > 0);
    let ends = ends.map(|sample| (quantile(sample, 0.005), quantile(sample, 0.995)));
    let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), (c, d)| (a.min(c), b.max(d)));
    // Bins of counts hold equally many numbers: else some would stand out for no reason.
    let whole = [reference, current].into_iter().flat_map(Sample::values).all(|value| value.fract() == 0.0);
    let step = f64::from(u8::from(whole));
    let width = (high - low + step) / BINS as f64;
    let width = if whole { width.ceil() } else { width };
    if width.is_nan() || width <= 0.0 || !width.is_finite() {
        return Bins::default();
    }
    let used = ((high - low + step) / width).ceil().clamp(1.0, BINS as f64) as usize;
    let place = |value: f64| (((value - low) / width) as usize).min(used - 1);
    let count = |sample: &Sample| {
        let mut counts = vec![0; used];
        sample.values().iter().zip(sample.counts()).for_each(|(value, n)| counts[place(*value)] += n);
        counts
    };
    let edge = |i: usize| low + width * i as f64;
    let names = (0..used).map(|i| match (edge(i), edge(i + 1) - step) {
        (from, to) if from == to => short(from),
        (from, to) => format!("{} to {}", short(from), short(to)),
    });
    Bins { names: names.collect(), reference: count(reference), current: count(current) }
}

/// The distinct values of two ascending lists, unless there are more than a drawing tells apart.
fn few_distinct(mut a: &[f64], mut b: &[f64]) -> Option<Vec<f64>> {
    let mut distinct = Vec::new();
    while let Some(least) = a.first().into_iter().chain(b.first()).copied().reduce(f64::min) {
        if distinct.len() == BINS {
            return None;
        }
        a = a.strip_prefix(&[least]).unwrap_or(a);
        b = b.strip_prefix(&[least]).unwrap_or(b);
        distinct.push(least);
    }
    Some(distinct)
}

fn count_of(sample: &Sample, is: impl Fn(f64) -> bool) -> u64 {
    sample.values().iter().zip(sample.counts()).filter(|(v, _)| is(**v)).map(|(_, n)| n).sum()
}

fn quantile(sample: &Sample, share: f64) -> f64 {
    let wanted = (share * sample.total() as f64) as u64;
    let mut seen = 0;
    for (value, count) in sample.values().iter().zip(sample.counts()) {
        seen += count;
        if seen > wanted {
            return *value;
        }
    }
    sample.values().last().copied().unwrap_or(f64::NAN)
}

/// The most frequent categories of both, the rest together.
fn of_categories(reference: &Categories, current: &Categories) -> Bins {
    let count = |of: &Categories, name: &str| of.counts.get(name).copied().unwrap_or_default();
    let mut names: Vec<&String> = reference.counts.keys().chain(current.counts.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let share = |name: &str| {
        let of = |side: &Categories| count(side, name) as f64 / side.total().max(1) as f64;
        of(reference).max(of(current))
    };
    names.sort_by(|a, b| share(b).total_cmp(&share(a)));
    let rest = names.split_off(names.len().min(BINS - 1));
    let mut bins = Bins::default();
    for name in names {
        bins.push(cut(name), count(reference, name), count(current, name));
    }
    let sum = |side: &Categories| side.other + rest.iter().map(|name| count(side, name)).sum::<u64>();
    if sum(reference) + sum(current) > 0 {
        bins.push("all others".to_owned(), sum(reference), sum(current));
    }
    bins
}

impl Bins {
    fn push(&mut self, name: String, reference: u64, current: u64) {
        self.names.push(name);
        self.reference.push(reference);
        self.current.push(current);
    }

    /// As shares of each window's rows.
    pub fn chart(&self) -> Chart {
        let shares = |counts: &[u64]| {
            let total = counts.iter().sum::<u64>().max(1) as f64;
            counts.iter().map(|count| *count as f64 / total).collect()
        };
        Chart { bins: self.names.clone(), reference: shares(&self.reference), current: shares(&self.current) }
    }
}

fn cut(name: &str) -> String {
    match name.char_indices().nth(NAME) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_numbers_have_a_bin_each() {
        let bins = of_numbers(&Sample::of([0.0, 0.0, 1.0]), &Sample::of([1.0, 2.5]));
        assert_eq!(bins.names, ["0", "1", "2.5"]);
        assert_eq!((bins.reference, bins.current), (vec![2, 1, 0], vec![0, 1, 1]));
    }

    #[test]
    fn many_numbers_share_twenty_bins_and_none_is_lost() {
        let reference = Sample::of((0..10_000).map(|v| f64::from(v) + 0.5));
        let current = Sample::of((0..10_000).map(|v| f64::from(v) * 3.0 + 1e5));
        let bins = of_numbers(&reference, &current);
        assert_eq!(bins.names.len(), BINS);
        assert_eq!((bins.reference.iter().sum::<u64>(), bins.current.iter().sum::<u64>()), (10_000, 10_000));
        assert!(bins.reference[0] > 0 && bins.current[BINS - 1] > 0);
        assert_eq!(of_numbers(&Sample::default(), &Sample::default()), Bins::default());
    }

    #[test]
    fn bins_of_counts_hold_equally_many_numbers() {
        let counts = Sample::of((0..5_000).map(|v| f64::from(v % 50)));
        let bins = of_numbers(&counts, &counts);
        assert_eq!((bins.names[0].as_str(), bins.names.last().unwrap().as_str()), ("0 to 2", "48 to 50"));
        assert!(bins.reference[..16].iter().all(|rows| *rows == 300));
    }

    #[test]
    fn rare_categories_are_shown_together() {
        let of = |n: usize| Categories {
            counts: (0..n)
                .map(|i| (format!("category number {i:03} of a long list"), 100 - i as u64))
                .collect(),
            other: 7,
        };
        let bins = of_categories(&of(30), &of(10));
        assert_eq!(bins.names.len(), BINS);
        assert_eq!(bins.names.last().unwrap(), "all others");
        assert_eq!(bins.reference.iter().sum::<u64>(), of(30).total());
        assert!(bins.names[0].chars().count() <= NAME + 1);
    }
}

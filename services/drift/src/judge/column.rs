//! One column of two windows, by one measure.

use std::cell::RefCell;
use std::rc::Rc;

use millrace_statistics::sample::Sample;
use millrace_statistics::two_sample::{Method, compare_categories, compare_counts, compare_numeric};

use super::grid;
use super::measure::Measure;
use crate::profile::{Column, Kind, Profile, SampleColumn, SampleRows};

/// A reference and a window, with their kept rows where p-values are wanted.
#[derive(Debug)]
pub struct Pair<'a> {
    /// What is compared with.
    pub reference: &'a Profile,
    /// What is judged.
    pub current: &'a Profile,
    kept: Option<(SampleRows, SampleRows)>,
    /// The column looked at last: all of its measures read the same values, which take long to sort.
    last: RefCell<Option<(usize, Rc<Numbers>)>>,
}

/// The values of a numeric column in both windows, on one scale.
#[derive(Debug)]
pub(super) struct Numbers {
    pub(super) reference: Sample,
    pub(super) current: Sample,
    /// Whether these are the values themselves, and not counts on a grid.
    pub(super) exact: bool,
}

/// What a measure says.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Measured {
    /// By the measure's definition; of shares their difference.
    pub statistic: f64,
    /// Under independent rows.
    pub p_value: Option<f64>,
    /// What the threshold bounds; of shares Cohen's h.
    pub effect: f64,
    /// By how much the effect can be off; none: it is exact.
    pub error: Option<f64>,
    /// The window's rows that were compared.
    pub rows: u64,
    /// The reference's.
    pub reference_rows: u64,
    /// The rows of the sample that the p-value is of; none: all.
    pub p_rows: Option<u64>,
    /// Of shares: the reference's (or the expected one) and the window's.
    pub shares: Option<(f64, f64)>,
}

impl<'a> Pair<'a> {
    /// Effects alone.
    pub fn effects(reference: &'a Profile, current: &'a Profile) -> Self {
        Self { reference, current, kept: None, last: RefCell::default() }
    }

    /// Effects, and p-values by the kept rows where a window is no longer kept exactly.
    pub fn with_p_values(reference: &'a Profile, current: &'a Profile) -> Self {
        let kept = Some((reference.sample_rows(), current.sample_rows()));
        Self { reference, current, kept, last: RefCell::default() }
    }

    /// The numbers of the column of that index; `None` for other kinds.
    pub(super) fn numbers(&self, index: usize) -> Option<Rc<Numbers>> {
        let mut last = self.last.borrow_mut();
        if let Some((_, numbers)) = last.as_ref().filter(|(of, _)| *of == index) {
            return Some(numbers.clone());
        }
        let found = Rc::new(grid::samples(self.reference.column(index), self.current.column(index))?);
        *last = Some((index, found.clone()));
        Some(found)
    }

    fn kept(&self, index: usize) -> Option<[&SampleColumn; 2]> {
        let (a, b) = self.kept.as_ref()?;
        Some([a.columns.get(index)?, b.columns.get(index)?])
    }
}

/// Measures the column of that index in the plan. `expected`: the share of new values, or of rows outside of the range,
/// that an unchanged window has ([`crate::calibrate`] learns it).
///
/// # Errors
/// Why there is no result, for people.
pub fn measure_column(
    measure: Measure,
    index: usize,
    pair: &Pair<'_>,
    expected: f64,
) -> Result<Measured, String> {
    let (a, b) = (pair.reference.column(index), pair.current.column(index));
    match measure {
        Measure::Distribution(method) => match a.kind() {
            Kind::Numeric => numbers(method, index, pair),
            _ => categories(method, a, b),
        },
        Measure::Missing => share((a.missing(), a.rows()), (b.missing(), b.rows()), Sides::Both),
        Measure::NewValues => {
            let found = share((0, a.present()), (b.new_rows(), b.present()), Sides::More)?;
            Ok(found.beyond(expected))
        }
        Measure::Outside => {
            let (below, above) = b.outside().ok_or("the reference's range is not known")?;
            let found = share((0, a.present()), (below + above, b.present()), Sides::More)?;
            Ok(found.beyond(expected))
        }
        Measure::Metric => Err("metrics are of labels".to_owned()),
        Measure::OutsideJointly | Measure::Mmd | Measure::Classifier => {
            Err(format!("{measure} is of all columns together"))
        }
    }
}

fn numbers(method: Method, index: usize, pair: &Pair<'_>) -> Result<Measured, String> {
    let (a, b) = (pair.reference.column(index), pair.current.column(index));
    let cells = if method.is_binned() { grid::cells(a, b) } else { None };
    let (outcome, exact) = match cells {
        Some([p, q]) => (compare_counts(method, &p, &q), true),
        None => {
            let both = pair.numbers(index).ok_or_else(|| format!("{method} is of numbers"))?;
            (compare_numeric(method, &both.reference, &both.current, &[]), both.exact)
        }
    };
    let outcome = outcome.map_err(|e| e.to_string())?;
    let mut found = Measured {
        statistic: outcome.statistic,
        effect: outcome.effect,
        rows: b.present(),
        reference_rows: a.present(),
        ..Measured::default()
    };
    if let Some(kept) = pair.kept(index) {
        found.error = if exact { None } else { grid::within_bins(a, b, kept) };
        let tested = outcome.p_value.filter(|_| exact && method.is_test());
        (found.p_value, found.p_rows) = match tested {
            Some(p_value) => (Some(p_value), None),
            None => p_value(method, pair.numbers(index).as_deref(), kept),
        };
    }
    Ok(found)
}

/// The p-value of two columns of numbers, and of how many kept rows it is, where it is not of all. A distance has none of
/// its own and gets Kolmogorov and Smirnov's. Binned values are tied by the thousand, so that windows which are no longer
/// kept exactly are tested by their kept rows.
fn p_value(
    method: Method,
    numbers: Option<&Numbers>,
    kept: [&SampleColumn; 2],
) -> (Option<f64>, Option<u64>) {
    let test = if method.is_test() { method } else { Method::KolmogorovSmirnov };
    let of =
        |x: &Sample, y: &Sample| compare_numeric(test, x, y, &[]).ok().and_then(|outcome| outcome.p_value);
    if let Some(Numbers { reference, current, exact: true }) = numbers {
        return (of(reference, current), None);
    }
    let [SampleColumn::Numbers(x), SampleColumn::Numbers(y)] = kept else { return (None, None) };
    let (x, y) = (Sample::of(x.iter().copied()), Sample::of(y.iter().copied()));
    let p_value = of(&x, &y);
    (p_value, p_value.map(|_| y.total()))
}

/// Counts per category are kept of all rows, so that everything is exact. A distance gets the chi-square test's p-value.
fn categories(method: Method, a: Column<'_>, b: Column<'_>) -> Result<Measured, String> {
    let both = a.categories().zip(b.categories());
    let (x, y) = both.ok_or_else(|| format!("{method} is of categories"))?;
    let outcome = compare_categories(method, &x, &y).map_err(|e| e.to_string())?;
    let tested = match method.is_test() {
        true => Some(outcome),
        false => compare_categories(Method::ChiSquare, &x, &y).ok(),
    };
    Ok(Measured {
        statistic: outcome.statistic,
        p_value: tested.and_then(|outcome| outcome.p_value),
        effect: outcome.effect,
        rows: y.total(),
        reference_rows: x.total(),
        ..Measured::default()
    })
}

enum Sides {
    /// More and fewer.
    Both,
    /// More alone: the reference has none by definition.
    More,
}

/// Two shares: their difference, as effect Cohen's h = |2 asin sqrt p - 2 asin sqrt q| (Cohen 1988, section 6.2), which a
/// chance difference of moves by as much whatever the share is, and Pearson's test of the two counts.
fn share(reference: (u64, u64), current: (u64, u64), sides: Sides) -> Result<Measured, String> {
    for ((_, rows), window) in [(reference, "reference"), (current, "current")] {
        if rows == 0 {
            return Err(format!("the {window} window has no rows"));
        }
    }
    let of = |(some, all): (u64, u64)| some as f64 / all as f64;
    let (p, q) = (of(reference), of(current));
    let counts = |(some, all): (u64, u64)| [some, all - some.min(all)];
    let p_value = match sides {
        Sides::Both => compare_counts(Method::ChiSquare, &counts(reference), &counts(current)).ok(),
        Sides::More => None,
    };
    Ok(Measured {
        statistic: q - p,
        p_value: p_value.and_then(|outcome| outcome.p_value),
        effect: cohen(p, q).abs(),
        rows: current.1,
        reference_rows: reference.1,
        shares: Some((p, q)),
        ..Measured::default()
    })
}

impl Measured {
    /// Only what exceeds the share that an unchanged window has counts.
    fn beyond(self, expected: f64) -> Self {
        let Some((_, q)) = self.shares else { return self };
        let statistic = q - expected;
        Self { statistic, effect: cohen(expected, q).max(0.0), shares: Some((expected, q)), ..self }
    }
}

/// Cohen's h of two shares, positive where `q` is larger.
pub(crate) fn cohen(p: f64, q: f64) -> f64 {
    2.0 * (libm::asin(q.clamp(0.0, 1.0).sqrt()) - libm::asin(p.clamp(0.0, 1.0).sqrt()))
}

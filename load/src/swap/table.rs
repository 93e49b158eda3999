//! What swaps cost, as Markdown.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Result, ensure};

/// How long payments waited in some time.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// In seconds, ascending.
    waits: Vec<f64>,
}

/// A repetition.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Before its swaps.
    pub before: Stretch,
    /// During them.
    pub during: Stretch,
    /// The longest that answers still came under the former deployment.
    pub took: Duration,
}

impl Stretch {
    /// Of waits in seconds.
    pub fn of(mut waits: Vec<f64>) -> Self {
        waits.sort_by(f64::total_cmp);
        Self { waits }
    }

    /// The least wait that `part` of the payments do not exceed, in ms; NaN without any.
    pub fn quantile_ms(&self, part: f64) -> f64 {
        let last = self.waits.len().saturating_sub(1);
        self.waits.get((part * last as f64).round() as usize).map_or(f64::NAN, |wait| wait * 1e3)
    }
}

impl Measured {
    fn ratio(&self) -> f64 {
        self.during.quantile_ms(0.99) / self.before.quantile_ms(0.99)
    }
}

/// A line per repetition, and the medians; the median ratio of the p99 during swaps to that before.
///
/// # Errors
/// Nothing was measured.
pub fn table(all: &[Measured]) -> Result<(String, f64)> {
    let enough = |stretch: &Stretch| stretch.waits.len() >= 100;
    ensure!(
        !all.is_empty() && all.iter().all(|one| enough(&one.before) && enough(&one.during)),
        "fewer than 100 payments in a stretch say nothing of a p99: raise --rate or --swaps"
    );
    let mut out =
        "| repetition | payments before, during | p50 ms | p99 ms | p99 ratio | swapped within ms |\n\
                   | --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
    for (at, one) in all.iter().enumerate() {
        let counts = [&one.before, &one.during].map(|stretch| stretch.waits.len());
        writeln!(
            out,
            "| {} | {}, {} | {:.0}, {:.0} | {:.0}, {:.0} | {:.2} | {:.0} |",
            at + 1,
            counts[0],
            counts[1],
            one.before.quantile_ms(0.5),
            one.during.quantile_ms(0.5),
            one.before.quantile_ms(0.99),
            one.during.quantile_ms(0.99),
            one.ratio(),
            one.took.as_secs_f64() * 1e3
        )?;
    }
    let of = |value: &dyn Fn(&Measured) -> f64| median(all.iter().map(value).collect());
    let ratio = of(&Measured::ratio);
    writeln!(
        out,
        "| median | | {:.0}, {:.0} | {:.0}, {:.0} | {ratio:.2} | {:.0} |",
        of(&|one| one.before.quantile_ms(0.5)),
        of(&|one| one.during.quantile_ms(0.5)),
        of(&|one| one.before.quantile_ms(0.99)),
        of(&|one| one.during.quantile_ms(0.99)),
        of(&|one| one.took.as_secs_f64() * 1e3)
    )?;
    Ok((out, ratio))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() % 2 {
        0 => (values[half - 1] + values[half]) / 2.0,
        _ => values[half],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_quantiles_and_the_median_ratio() {
        let stretch =
            |factor: f64| Stretch::of((1..=101).rev().map(|n| f64::from(n) * factor * 1e-3).collect());
        let one = |factor| Measured {
            before: stretch(1.0),
            during: stretch(factor),
            took: Duration::from_millis(80),
        };
        let (text, ratio) = table(&[one(1.5), one(3.0), one(1.0)]).unwrap();
        assert!((ratio - 1.5).abs() < 1e-9, "{ratio}");
        assert!(text.contains("| 2 | 101, 101 | 51, 153 | 100, 300 | 3.00 | 80 |"), "{text}");
        assert!(text.ends_with("| median | | 51, 76 | 100, 150 | 1.50 | 80 |\n"), "{text}");
        let few = Stretch::of(vec![1.0; 99]);
        assert!(table(&[Measured { before: few.clone(), during: few, took: Duration::ZERO }]).is_err());
    }
}

//! Which columns are computed from which.

use std::collections::{BTreeMap, BTreeSet};

use crate::profile::{Profile, SampleColumn};

/// Which columns move because of which.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Depends {
    /// Everything a column is computed from, near and far.
    sources: BTreeMap<String, BTreeSet<String>>,
    /// Columns that hold outcomes.
    labels: BTreeSet<String>,
    /// Pairs that go together in the reference, in both orders.
    together: BTreeSet<(String, String)>,
}

/// Rows that both columns need before their correlation means anything.
const MIN_ROWS: usize = 30;

impl Depends {
    /// From what each column is computed of (as the plan of a feature view tells it) and which columns hold outcomes
    /// (`fraud`). Names are those of the watched topics; a column that depends on itself does so by name alone.
    pub fn new(direct: &BTreeMap<String, Vec<String>>, labels: &[String]) -> Self {
        let far = |column: &String| {
            let mut found = BTreeSet::new();
            let mut open: Vec<&String> = direct.get(column).into_iter().flatten().collect();
            while let Some(source) = open.pop() {
                if found.insert(source.clone()) {
                    open.extend(direct.get(source).into_iter().flatten());
                }
            }
            found.remove(column);
            found
        };
        let sources = direct.keys().map(|column| (column.clone(), far(column))).collect();
        Self { sources, labels: labels.iter().cloned().collect(), together: BTreeSet::new() }
    }

    /// Also takes for related what goes together in a reference's kept rows: numeric columns whose rank correlation
    /// (Spearman 1904) is at least `bound`. Only columns without declared sources are related so.
    #[must_use]
    pub fn with_associations(mut self, reference: &Profile, bound: f64) -> Self {
        let rows = reference.sample_rows();
        let numbers: Vec<(&str, &Vec<f64>)> = reference
            .plan()
            .columns
            .iter()
            .zip(&rows.columns)
            .filter_map(|(plan, column)| match column {
                SampleColumn::Numbers(values) => Some((plan.name.as_str(), values)),
                SampleColumn::Hashes(_) => None,
            })
            .filter(|(name, _)| !self.sources.contains_key(*name))
            .collect();
        for (i, (a, x)) in numbers.iter().enumerate() {
            for (b, y) in &numbers[i + 1..] {
                if rank_correlation(x, y).is_some_and(|rho| rho.abs() >= bound) {
                    self.together.insert(((*a).to_owned(), (*b).to_owned()));
                    self.together.insert(((*b).to_owned(), (*a).to_owned()));
                }
            }
        }
        self
    }

    /// Whether `column` is computed from `source`, near or far.
    pub fn on(&self, column: &str, source: &str) -> bool {
        self.sources.get(column).is_some_and(|sources| sources.contains(source))
    }

    /// Whether the two go together, neither being known to come first.
    pub fn goes_with(&self, a: &str, b: &str) -> bool {
        self.together.contains(&(a.to_owned(), b.to_owned()))
    }

    /// Whether a column is an outcome or computed from one.
    pub fn is_of_labels(&self, column: &str) -> bool {
        let sources = self.sources.get(column).into_iter().flatten();
        self.labels.contains(column) || sources.into_iter().any(|source| self.labels.contains(source))
    }
}

/// Spearman's rank correlation over rows in which both are there, ties at their mean rank; none where it is undefined.
fn rank_correlation(x: &[f64], y: &[f64]) -> Option<f64> {
    let both: Vec<(f64, f64)> =
        x.iter().zip(y).filter(|(a, b)| a.is_finite() && b.is_finite()).map(|(a, b)| (*a, *b)).collect();
    if both.len() < MIN_ROWS {
        return None;
    }
    let a = ranks(&both.iter().map(|pair| pair.0).collect::<Vec<_>>());
    let b = ranks(&both.iter().map(|pair| pair.1).collect::<Vec<_>>());
    let mean = (both.len() as f64 - 1.0) / 2.0;
    let product = |u: &[f64], v: &[f64]| u.iter().zip(v).map(|(p, q)| (p - mean) * (q - mean)).sum::<f64>();
    let spread = (product(&a, &a) * product(&b, &b)).sqrt();
    (spread > 0.0).then(|| product(&a, &b) / spread)
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for tied in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = first as f64 + (tied.len() as f64 - 1.0) / 2.0;
        tied.iter().for_each(|index| ranks[*index] = rank);
        first += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_followed_as_far_as_they_go_and_circles_end() {
        let direct: BTreeMap<String, Vec<String>> = [
            ("ratio".to_owned(), vec!["avg".to_owned(), "amount".to_owned()]),
            ("avg".to_owned(), vec!["amount".to_owned()]),
            ("risk".to_owned(), vec!["fraud".to_owned(), "risk".to_owned()]),
        ]
        .into();
        let depends = Depends::new(&direct, &["fraud".to_owned()]);
        assert!(depends.on("ratio", "amount") && depends.on("ratio", "avg") && depends.on("avg", "amount"));
        assert!(!depends.on("amount", "avg") && !depends.on("risk", "risk"));
        assert!(
            depends.is_of_labels("risk") && depends.is_of_labels("fraud") && !depends.is_of_labels("avg")
        );
    }

    #[test]
    fn rank_correlation_sees_any_monotonic_relation_and_no_other() {
        let x: Vec<f64> = (0..40).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|v| -v.powi(3)).collect();
        let rho = rank_correlation(&x, &y).unwrap();
        assert!((rho + 1.0).abs() < 1e-12, "{rho}");
        let wave: Vec<f64> = (0..40).map(|i| f64::from(i % 2)).collect();
        assert!(rank_correlation(&x, &wave).unwrap().abs() < 0.1);
        assert_eq!(rank_correlation(&x, &vec![1.0; 40]), None);
        assert_eq!(rank_correlation(&x[..9], &x[..9]), None);
    }
}

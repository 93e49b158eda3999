//! Constraints on data quality, learnt from a reference and kept as a TOML file that people edit.

use std::collections::BTreeMap;
use std::fmt::Write;

use millrace_statistics::distribution::normal::{isf, sf};

use super::Reference;
use crate::profile::{Column, Kind, Profile};
use crate::window::WHOLE;

mod toml_file;

pub use toml_file::QualityError;

/// What must hold of every window. `None`: not checked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Quality {
    /// Largest share of rows whose id came before in the window.
    pub max_duplicate_share: Option<f64>,
    /// How long the topic may be silent, ms.
    pub max_silence_ms: Option<i64>,
    /// Fewest rows per day.
    pub min_rows_per_day: Option<f64>,
    /// Most rows per day.
    pub max_rows_per_day: Option<f64>,
    /// By column.
    pub columns: BTreeMap<String, ColumnQuality>,
}

/// What must hold of a column in every window. `None`: not checked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ColumnQuality {
    /// Largest share of missing rows.
    pub max_missing_share: Option<f64>,
    /// Largest share of rows that are not of the column's kind.
    pub max_mistyped_share: Option<f64>,
    /// Smallest value.
    pub min: Option<f64>,
    /// Largest value.
    pub max: Option<f64>,
    /// Largest share of rows outside `min..=max`.
    pub max_outside_share: Option<f64>,
    /// All values there may be.
    pub categories: Option<Vec<String>>,
    /// Largest share of rows with a value that the reference (or `categories`) does not have.
    pub max_new_share: Option<f64>,
}

impl Quality {
    /// From a reference: bounds that windows like its blocks stay within.
    ///
    /// Shares: the worst block's, plus three standard errors and three rows; of what no row has, none may have it. Range: the reference's; as new extremes come
    /// in any stream, twice the expected number of rows beyond it plus three standard errors, at least one in a hundred. Rows per day: half of
    /// the emptiest block's to twice the fullest one's; the first and last block may be cut off and do not count if there are
    /// others. Silence: 50 times the emptiest block's mean distance of rows, at least a minute. New categories: none;
    /// new ids are not bounded.
    pub fn learn(reference: &Reference) -> Self {
        Self::learn_within(reference, sf(THREE))
    }

    /// As [`Self::learn`], with as many standard errors, and as many missing values where the reference has none, as chance
    /// exceeds in one window with this probability or less: how constraints keep to their part of the false alarms. (No
    /// chance makes a value of another type, an unknown category or a repeated id.)
    pub fn learn_within(reference: &Reference, rate: f64) -> Self {
        let chance = Chance { errors: isf(rate).max(THREE), rate };
        let blocks: Vec<(&Profile, i64)> = reference
            .blocks
            .iter()
            .filter_map(|block| Some((block.segments.get(WHOLE)?, block.end_ms - block.start_ms)))
            .collect();
        let whole = if blocks.len() > 2 { &blocks[1..blocks.len() - 1] } else { &blocks[..] };
        let per_day = |(profile, ms): &(&Profile, i64)| profile.rows() as f64 / *ms as f64 * 86_400_000.0;
        let timed = whole.iter().filter(|(profile, ms)| *ms > 0 && profile.rows() > 0);
        let rates: Vec<f64> = timed.map(per_day).collect();
        let least = rates.iter().copied().reduce(f64::min);
        let most = rates.iter().copied().reduce(f64::max);
        let duplicates = blocks.iter().map(|(profile, _)| {
            let kept = profile.sample_rows().ids.len() as f64;
            chance.upper(profile.duplicate_share(), kept)
        });
        let columns = reference.total(WHOLE).map(|total| {
            let column = |i: usize| {
                let of_blocks: Vec<Column<'_>> =
                    blocks.iter().map(|(profile, _)| profile.column(i)).collect();
                (
                    reference.plan.columns[i].name.clone(),
                    ColumnQuality::learn(total.column(i), &of_blocks, chance),
                )
            };
            (0..reference.plan.columns.len()).map(column).collect()
        });
        Self {
            max_duplicate_share: duplicates.reduce(f64::max).map(rounded_up),
            max_silence_ms: least.map(|rate| ((50.0 * 86_400_000.0 / rate) as i64).max(60_000)),
            min_rows_per_day: least.map(|rate| (rate / 2.0).floor()),
            max_rows_per_day: most.map(|rate| (rate * 2.0).ceil()),
            columns: columns.unwrap_or_default(),
        }
    }

    /// As TOML, with comments; [`Self::from_toml`] reads it.
    pub fn to_toml(&self) -> String {
        let mut out = String::from(
            "# What must hold of every window. Learnt from the reference; edit what you know better, and delete a line to\n\
             # stop its check.\n\n",
        );
        put(
            &mut out,
            "max_duplicate_share",
            self.max_duplicate_share,
            "rows whose id came before in the window",
        );
        put(&mut out, "max_silence_ms", self.max_silence_ms, "how long no row may come");
        put(&mut out, "min_rows_per_day", self.min_rows_per_day, "fewest rows");
        put(&mut out, "max_rows_per_day", self.max_rows_per_day, "most rows");
        for (name, column) in &self.columns {
            let _ = writeln!(out, "\n[columns.{}]", quoted(name));
            column.put(&mut out);
        }
        out
    }
}

impl ColumnQuality {
    fn learn(total: Column<'_>, blocks: &[Column<'_>], chance: Chance) -> Self {
        let worst = |count: fn(&Column<'_>) -> u64| {
            let shares = blocks.iter().filter(|column| column.rows() > 0).map(|column| {
                let rows = column.rows() as f64;
                chance.upper(count(column) as f64 / rows, rows)
            });
            shares.reduce(f64::max).map(rounded_up)
        };
        let range = total.range();
        let block_rows = blocks.iter().map(Column::rows).max().unwrap_or(0) as f64;
        let outside = range.filter(|_| block_rows > 0.0).map(|_| {
            let expected = 2.0 * block_rows / (total.present() as f64 + 1.0);
            let share = (2.0 * expected + 3.0 * expected.sqrt() + 1.0) / block_rows;
            rounded_up(share.clamp(LEAST_OUTSIDE, 1.0))
        });
        let category = matches!(total.kind(), Kind::Category) && total.plan().seen.is_none();
        Self {
            max_missing_share: worst(|column| column.missing()).map(|share| match total.missing() {
                0 => rounded_up(chance.unseen(total.rows(), block_rows)),
                _ => share,
            }),
            max_mistyped_share: worst(|column| column.mistyped() + column.infinite()),
            min: range.map(|range| range.0),
            max: range.map(|range| range.1),
            max_outside_share: outside,
            categories: category.then(|| total.plan().named.to_vec()),
            max_new_share: category.then_some(0.0),
        }
    }

    fn put(&self, out: &mut String) {
        put(out, "max_missing_share", self.max_missing_share, "null or NaN");
        put(out, "max_mistyped_share", self.max_mistyped_share, "not of the column's kind, or infinite");
        put(out, "min", self.min, "smallest value");
        put(out, "max", self.max, "largest value");
        put(out, "max_outside_share", self.max_outside_share, "outside min and max");
        if let Some(categories) = &self.categories {
            let names: Vec<String> = categories.iter().map(|name| quoted(name)).collect();
            let _ = writeln!(out, "categories = [{}]", names.join(", "));
        }
        put(out, "max_new_share", self.max_new_share, "a value that is none of the categories");
    }
}

/// New extremes come in clumps: of a rolling count, one busy key makes many rows. A constraint is to find broken data, so
/// that fewer are let pass; how far a distribution moved is judged by its effect.
const LEAST_OUTSIDE: f64 = 0.01;

/// Standard errors that are at least allowed, and rows.
const THREE: f64 = 3.0;

/// What chance may do.
#[derive(Debug, Clone, Copy)]
struct Chance {
    /// Standard errors that are allowed.
    errors: f64,
    /// How often more may happen, per window and constraint.
    rate: f64,
}

impl Chance {
    /// An upper bound of a share seen in so many rows: so many standard errors and three rows above it.
    fn upper(self, share: f64, rows: f64) -> f64 {
        if rows <= 0.0 {
            return 1.0;
        }
        let some = if share > 0.0 { THREE / rows } else { 0.0 };
        (share + self.errors * (share * (1.0 - share) / rows).sqrt() + some).min(1.0)
    }

    /// The share of a window's rows that may have what none of so many rows has: their rate is 3 in all of these at the
    /// most (95 %, the rule of three), and more rows than are allowed come by chance less often than at this rate.
    fn unseen(self, seen: u64, rows: f64) -> f64 {
        if seen == 0 || rows <= 0.0 {
            return 0.0;
        }
        let expected = THREE * rows / seen as f64;
        let (mut term, mut tail, mut allowed) = (libm::exp(-expected), 1.0, 0.0);
        loop {
            tail -= term;
            if tail < self.rate || allowed >= rows {
                return (allowed / rows).min(1.0);
            }
            allowed += 1.0;
            term *= expected / allowed;
        }
    }
}

/// To 4 decimals, upwards.
fn rounded_up(share: f64) -> f64 {
    (share * 10_000.0).ceil() / 10_000.0
}

fn put(out: &mut String, key: &str, value: Option<impl std::fmt::Debug>, what: &str) {
    if let Some(value) = value {
        let _ = writeln!(out, "{key} = {value:?}  # {what}");
    }
}

/// A TOML string, or quoted key.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

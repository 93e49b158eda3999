//! What is kept of a category, boolean or id column: counts of the plan's values by name, and the new ones of the
//! smallest hashes.
//!
//! A value that is among the k of smallest hashes of a union is among those of every part that has it, so it never was
//! dropped and its count is whole: the kept values do not depend on the order of merging.

use std::collections::BTreeMap;

use arrow::array::Array;

use super::Rows;
use super::cells::Values;
use super::plan::{ColumnPlan, Kind};

/// A category, boolean or id column of a profile.
#[derive(Debug, Clone)]
pub(super) struct ValueProfile {
    /// Rows per class: the named values, then [`super::plan::Classes`].
    pub(super) counts: Vec<u64>,
    pub(super) fresh: Fresh,
}

/// New values of the smallest hashes: by hash, their text and rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Fresh {
    pub(super) bound: usize,
    pub(super) kept: BTreeMap<u64, (Box<str>, u64)>,
}

/// Longer texts are cut where they are shown; they are told apart by their hash.
const TEXT_BYTES: usize = 96;

impl ValueProfile {
    pub(super) fn new(column: &ColumnPlan, max_categories: usize) -> Self {
        let bound = if column.kind == Kind::Boolean { 0 } else { max_categories };
        let fresh = Fresh { bound, kept: BTreeMap::new() };
        Self { counts: vec![0; column.classes().count()], fresh }
    }

    pub(super) fn add(&mut self, column: &ColumnPlan, cells: &Values, rows: Rows<'_>) {
        match rows {
            Rows::All => cells.classes.iter().for_each(|class| self.counts[*class as usize] += 1),
            Rows::These(rows) => {
                rows.iter().for_each(|row| self.counts[cells.classes[*row as usize] as usize] += 1);
            }
        }
        let Some(texts) = &cells.texts else { return };
        let new = column.classes().new;
        let mut add = |row: usize| {
            if cells.classes[row] == new && texts.is_valid(row) {
                self.fresh.add(cells.hashes[row], texts.value(row), 1);
            }
        };
        match rows {
            Rows::All => (0..cells.classes.len()).for_each(&mut add),
            Rows::These(rows) => rows.iter().for_each(|row| add(*row as usize)),
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(mine, theirs)| *mine += theirs);
        for (hash, (text, count)) in &other.fresh.kept {
            self.fresh.add(*hash, text, *count);
        }
    }

    pub(super) fn size_bytes(&self) -> usize {
        let texts: usize = self.fresh.kept.values().map(|(text, _)| text.len() + 64).sum();
        size_of::<Self>() + self.counts.capacity() * 8 + texts
    }
}

impl Fresh {
    fn add(&mut self, hash: u64, text: &str, count: u64) {
        if let Some((kept, rows)) = self.kept.get_mut(&hash) {
            *rows += count;
            // Of two texts of one hash the lesser is shown, whichever came first.
            let text = shortened(text);
            if *text < **kept {
                *kept = text;
            }
            return;
        }
        let full = self.kept.len() >= self.bound;
        if full && self.kept.last_key_value().is_none_or(|(last, _)| *last < hash) {
            return;
        }
        if full {
            self.kept.pop_last();
        }
        self.kept.insert(hash, (shortened(text), count));
    }

    /// About how many distinct values were added, by the k-th smallest hash.
    pub(super) fn distinct(&self) -> f64 {
        match self.kept.last_key_value() {
            Some((last, _)) if self.kept.len() == self.bound && self.bound > 1 => {
                (self.bound - 1) as f64 / (*last as f64 / 2_f64.powi(64))
            }
            _ => self.kept.len() as f64,
        }
    }
}

fn shortened(text: &str) -> Box<str> {
    if text.len() <= TEXT_BYTES {
        return text.into();
    }
    format!("{}…", &text[..text.floor_char_boundary(TEXT_BYTES - 3)]).into()
}

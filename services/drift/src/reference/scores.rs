//! Scores with their labels: what performance before labels is estimated from.

use std::collections::BTreeMap;

/// A scored row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreRow {
    /// Hash of its id.
    pub id: u64,
    /// What the model said.
    pub score: f64,
    /// What came true: 0 or 1, or the target of a regression; NaN: not known.
    pub label: f64,
}

impl ScoreRow {
    /// Bits by which rows of one id are ordered.
    fn bits(self) -> (u64, u64) {
        let bits = |value: f64| if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() };
        (bits(self.score), bits(self.label))
    }
}

/// Scored rows, at most a bound of them: those of the smallest id hashes (all while there are no more). Merges
/// commutatively and associatively; of rows with one id the one of the least bits stays.
///
/// A sample of some rows is uniform below the largest hash that it still admits. Merged, samples are uniform below the
/// least of their bars alone: above it rows of those that admit less would be missing.
#[derive(Debug, Clone)]
pub struct Scores {
    rows: u64,
    labelled: u64,
    bound: usize,
    /// The largest id hash that is admitted.
    bar: u64,
    kept: BTreeMap<u64, ScoreRow>,
}

impl PartialEq for Scores {
    fn eq(&self, other: &Self) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}

impl Scores {
    /// None yet; at most `bound` are kept.
    pub fn new(bound: usize) -> Self {
        Self { rows: 0, labelled: 0, bound, bar: u64::MAX, kept: BTreeMap::new() }
    }

    /// Keeps those of the smallest hashes alone, at most so many.
    pub(super) fn trim(&mut self, rows: usize) {
        while self.kept.len() > rows {
            self.kept.pop_last();
            self.lower();
        }
    }

    /// A row was left out: what lies above the largest that is kept is not admitted any more.
    fn lower(&mut self) {
        self.bar = self.kept.last_key_value().map_or(0, |(last, _)| *last);
    }

    /// How many rows were added.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// How many of them had a label.
    pub fn labelled(&self) -> u64 {
        self.labelled
    }

    /// The kept ones, by ascending id hash.
    pub fn sample(&self) -> impl ExactSizeIterator<Item = &ScoreRow> {
        self.kept.values()
    }

    /// Adds a row.
    pub fn add(&mut self, row: ScoreRow) {
        self.rows += 1;
        self.labelled += u64::from(!row.label.is_nan());
        self.keep(row);
    }

    fn keep(&mut self, row: ScoreRow) {
        if let Some(kept) = self.kept.get_mut(&row.id) {
            if row.bits() < kept.bits() {
                *kept = row;
            }
            return;
        }
        if row.id > self.bar {
            return;
        }
        self.kept.insert(row.id, row);
        if self.kept.len() > self.bound {
            self.kept.pop_last();
            self.lower();
        }
    }

    /// Adds the rows of another of the same bound.
    pub fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.labelled += other.labelled;
        self.bar = self.bar.min(other.bar);
        let beyond = self.bar.checked_add(1).map(|first| self.kept.split_off(&first));
        drop(beyond);
        other.kept.values().for_each(|row| self.keep(*row));
    }

    /// As bytes: rows, labelled, bound, bar, then id, score and label of each kept row; 8 bytes each, little-endian.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let head = [self.rows, self.labelled, self.bound as u64, self.bar];
        let rows = self.kept.values().flat_map(|row| [row.id, row.bits().0, row.bits().1]);
        head.into_iter().chain(rows).flat_map(u64::to_le_bytes).collect()
    }

    /// Back from [`Self::to_bytes`]; `None` if that cannot be.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (words, rest) = bytes.as_chunks::<8>();
        let words: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let (head, rows) = words.split_first_chunk::<4>()?;
        let (rows, odd) = rows.as_chunks::<3>();
        let row = |[id, score, label]: &[u64; 3]| {
            (*id, ScoreRow { id: *id, score: f64::from_bits(*score), label: f64::from_bits(*label) })
        };
        let kept: BTreeMap<u64, ScoreRow> = rows.iter().map(row).collect();
        let bound = usize::try_from(head[2]).ok()?;
        let sound = rest.is_empty() && odd.is_empty() && kept.len() == rows.len() && kept.len() <= bound;
        sound.then_some(Self { rows: head[0], labelled: head[1], bound, bar: head[3], kept })
    }
}

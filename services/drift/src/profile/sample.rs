//! The sample of whole rows: those of the smallest id hashes.

use std::collections::BTreeMap;

use super::Rows;
use super::cells::Cells;
use super::plan::{Bounds, Kind, Plan};

/// Rows of a profile's sample, by ascending id hash.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleRows {
    /// Hashes of the ids, ascending, distinct.
    pub ids: Vec<u64>,
    /// How many rows of the window had that id: above 1 it was duplicated. (Of such rows the one of the least cells is kept.)
    pub copies: Vec<u32>,
    /// Per column of the plan, a cell a row.
    pub columns: Vec<SampleColumn>,
}

/// Cells of one column in the sample.
#[derive(Debug, Clone, PartialEq)]
pub enum SampleColumn {
    /// Numeric: the value; NaN where it is missing or of the wrong type, infinities as they are.
    Numbers(Vec<f64>),
    /// Category, boolean, id: the hash of the value ([`crate::hash::of_text`]; of `false` and `true`); 0 where missing.
    Hashes(Vec<u64>),
}

/// The sample as it is kept: rows in slots, found by their hash.
#[derive(Debug, Clone, Default)]
pub(super) struct RowSample {
    bound: usize,
    slots: BTreeMap<u64, u32>,
    copies: Vec<u32>,
    /// Per column, a cell a slot.
    cells: Vec<Vec<u64>>,
}

impl RowSample {
    pub(super) fn new(columns: usize, bounds: Bounds) -> Self {
        Self { bound: bounds.sample_rows, cells: vec![Vec::new(); columns], ..Self::default() }
    }

    /// The largest id that is taken.
    fn bar(&self) -> u64 {
        let full = self.slots.len() >= self.bound;
        self.slots.last_key_value().filter(|_| full).map_or(u64::MAX, |(last, _)| *last)
    }

    /// The slot that a new id has from now on; `None` if it has one already.
    fn place(&mut self, id: u64, copies: u32) -> Option<u32> {
        if let Some(slot) = self.slots.get(&id) {
            let count = &mut self.copies[*slot as usize];
            *count = count.saturating_add(copies);
            return None;
        }
        let full = self.slots.len() >= self.bound;
        let freed = if full { self.slots.pop_last().map(|(_, slot)| slot) } else { None };
        let slot = freed.unwrap_or_else(|| {
            self.copies.push(0);
            self.copies.len() as u32 - 1
        });
        self.slots.insert(id, slot);
        self.copies[slot as usize] = copies;
        Some(slot)
    }

    /// Takes rows `(id, copies, row)`; `cell(column, row)` reads them.
    fn take(&mut self, rows: impl Iterator<Item = (u64, u32, u32)>, cell: impl Fn(usize, usize) -> u64) {
        if self.bound == 0 {
            return;
        }
        let (mut new, mut again) = (Vec::new(), Vec::new());
        let mut bar = self.bar();
        // Most rows are above the bar. The first of a profile are not: in order, none is taken to be given up again.
        let mut rows: Vec<(u64, u32, u32)> = rows.filter(|(id, ..)| *id <= bar).collect();
        if rows.len() > self.bound {
            rows.sort_unstable();
        }
        for (id, copies, row) in rows {
            if id > bar {
                continue;
            }
            match self.place(id, copies) {
                Some(slot) => new.push((slot, row)),
                None => again.push((id, row)),
            }
            bar = self.bar();
        }
        // Column by column: whole columns stay in the cache. A slot given away within the batch is written last by its
        // last row.
        for (column, cells) in self.cells.iter_mut().enumerate() {
            cells.resize(self.copies.len(), 0);
            new.iter().for_each(|(slot, row)| cells[*slot as usize] = cell(column, *row as usize));
        }
        for (id, row) in again {
            let Some(slot) = self.slots.get(&id).map(|slot| *slot as usize) else { continue };
            let theirs = (0..self.cells.len()).map(|column| cell(column, row as usize));
            if theirs.lt(self.cells.iter().map(|cells| cells[slot])) {
                (0..self.cells.len())
                    .for_each(|column| self.cells[column][slot] = cell(column, row as usize));
            }
        }
    }

    pub(super) fn add(&mut self, cells: &Cells, ids: &[u64], rows: Rows<'_>) {
        let cell = |column: usize, row: usize| cells.columns[column].cell(row);
        match rows {
            Rows::All => self.take((0..).zip(ids).map(|(row, id)| (*id, 1, row)), cell),
            Rows::These(rows) => self.take(rows.iter().map(|row| (ids[*row as usize], 1, *row)), cell),
        }
    }

    /// Adds another's rows. `bar`: the largest id that both admit; above it a trimmed one lacks rows, and the sample would
    /// not be uniform.
    pub(super) fn merge(&mut self, other: &Self, bar: u64) {
        self.trim(self.slots.range(..=bar).count());
        let rows = other.slots.iter().map(|(id, slot)| (*id, other.copies[*slot as usize], *slot));
        self.take(rows.filter(|(id, ..)| *id <= bar), |column, slot| other.cells[column][slot]);
    }

    /// The largest id that a sample of so many rows admits: that of its last one, if any row was left out.
    pub(super) fn admits(&self, rows: u64) -> u64 {
        let kept: u64 = self.ids().map(|(_, copies)| u64::from(copies)).sum();
        if kept >= rows { u64::MAX } else { self.slots.last_key_value().map_or(0, |(last, _)| *last) }
    }

    /// Keeps those of the smallest hashes alone, at most so many.
    pub(super) fn trim(&mut self, rows: usize) {
        if self.slots.len() <= rows {
            return;
        }
        let kept: BTreeMap<u64, u32> = self.slots.iter().take(rows).map(|(id, slot)| (*id, *slot)).collect();
        let compact = |cells: &Vec<u64>| kept.values().map(|slot| cells[*slot as usize]).collect();
        self.cells = self.cells.iter().map(compact).collect();
        self.copies = kept.values().map(|slot| self.copies[*slot as usize]).collect();
        self.slots = kept.into_keys().zip(0..).collect();
    }

    /// How many rows are kept.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Ids and their copies, ascending.
    pub(super) fn ids(&self) -> impl Iterator<Item = (u64, u32)> {
        self.slots.iter().map(|(id, slot)| (*id, self.copies[*slot as usize]))
    }

    /// A column's cells, by ascending id.
    pub(super) fn column(&self, column: usize) -> impl Iterator<Item = u64> {
        self.slots.values().map(move |slot| self.cells[column][*slot as usize])
    }

    /// From ids, ascending, with their copies, and cells in their order.
    pub(super) fn restore(bounds: Bounds, ids: &[(u64, u32)], cells: Vec<Vec<u64>>) -> Self {
        let slots = ids.iter().zip(0..).map(|((id, _), slot)| (*id, slot)).collect();
        let copies = ids.iter().map(|(_, copies)| *copies).collect();
        Self { bound: bounds.sample_rows, slots, copies, cells }
    }

    pub(super) fn rows(&self, plan: &Plan) -> SampleRows {
        let (ids, copies) = self.ids().unzip();
        let column = |index: usize| match plan.columns[index].kind {
            Kind::Numeric => SampleColumn::Numbers(self.column(index).map(f64::from_bits).collect()),
            _ => SampleColumn::Hashes(self.column(index).collect()),
        };
        SampleRows { ids, copies, columns: (0..self.cells.len()).map(column).collect() }
    }

    pub(super) fn size_bytes(&self) -> usize {
        let cells: usize = self.cells.iter().map(|cells| cells.capacity() * 8).sum();
        cells + self.copies.capacity() * 4 + self.slots.len() * 24
    }
}

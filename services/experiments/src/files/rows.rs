//! Rows of a file to units of arms.

use std::collections::HashMap;

use super::Error;
use crate::analysis::{Metric, Sums};

/// A row: one or more of each unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Who was assigned.
    pub unit: String,
    /// To what.
    pub arm: String,
    /// The value; a unit's are summed, a conversion's (0 or 1) is whether any is 1.
    pub value: f64,
    /// A ratio's denominator (summed), else a covariate known before exposure (the same in all rows of a unit).
    pub beside: Option<f64>,
}

/// Units as they come.
#[derive(Default)]
pub(super) struct Units {
    arms: Vec<String>,
    /// In the order of their first rows.
    units: Vec<Unit>,
    places: HashMap<String, usize>,
    /// Rows taken.
    pub(super) rows: u64,
    /// Units in two arms.
    pub(super) mixed: u64,
    /// Whether a row had a denominator or a covariate.
    pub(super) covariate: bool,
}

struct Unit {
    arm: usize,
    mixed: bool,
    value: f64,
    beside: f64,
}

impl Units {
    /// Takes the row of that number.
    pub(super) fn take(&mut self, row: u64, of: Row, kind: Metric) -> Result<(), Error> {
        let wrong = |column, problem: String| Err(Error::Value { row, column, problem });
        if !of.value.is_finite() {
            return wrong("value", format!("{} is no number", of.value));
        }
        if kind == Metric::Conversion && of.value != 0.0 && of.value != 1.0 {
            return wrong("value", format!("{} is no conversion: 0 or 1", of.value));
        }
        if kind == Metric::Ratio && of.beside.is_none() {
            return wrong("denominator", "a ratio needs one".to_owned());
        }
        self.covariate |= of.beside.is_some();
        let beside = of.beside.unwrap_or(0.0);
        if !beside.is_finite() {
            return wrong("denominator or covariate", format!("{beside} is no number"));
        }
        let arm = self.arm(of.arm);
        self.rows += 1;
        let Some(unit) = self.places.get(&of.unit).and_then(|place| self.units.get_mut(*place)) else {
            self.places.insert(of.unit, self.units.len());
            self.units.push(Unit { arm, mixed: false, value: of.value, beside });
            return Ok(());
        };
        if unit.arm != arm && !unit.mixed {
            unit.mixed = true;
            self.mixed += 1;
        }
        match kind {
            Metric::Conversion => unit.value = unit.value.max(of.value),
            Metric::Mean | Metric::Ratio => unit.value += of.value,
        }
        if kind == Metric::Ratio {
            unit.beside += beside;
        } else if unit.beside != beside {
            let known = unit.beside;
            return wrong(
                "covariate",
                format!("{beside}, but {known} in an earlier row of unit `{}`", of.unit),
            );
        }
        Ok(())
    }

    fn arm(&mut self, name: String) -> usize {
        self.arms.iter().position(|arm| *arm == name).unwrap_or_else(|| {
            self.arms.push(name);
            self.arms.len() - 1
        })
    }

    /// How many units, those of two arms included.
    pub(super) fn count(&self) -> usize {
        self.units.len()
    }

    /// Arms in the order of the file.
    pub(super) fn arms(&self) -> &[String] {
        &self.arms
    }

    /// Sums by arm of units that are in one arm only, for each of `parts` parts of the units in their order.
    pub(super) fn parts(&self, parts: usize) -> Vec<Vec<Sums>> {
        let count = self.units.len();
        let part = |at: usize| {
            let mut sums = vec![Sums::default(); self.arms.len()];
            let units = &self.units[count * at / parts..count * (at + 1) / parts];
            units
                .iter()
                .filter(|unit| !unit.mixed)
                .for_each(|unit| sums[unit.arm].add(unit.value, unit.beside));
            sums
        };
        (0..parts).map(part).collect()
    }
}

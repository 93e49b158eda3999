//! Small linear programs in equality form, by the simplex method.

/// Maximise gain . x subject to rows x = bounds, x >= 0; bounds are not negative.
pub(super) struct Program {
    pub(super) gain: Vec<f64>,
    pub(super) rows: Vec<Vec<f64>>,
    pub(super) bounds: Vec<f64>,
}

const TOLERANCE: f64 = 1e-10;
/// Far above what Bland's rule needs on 9 rows and 256 columns; rounding must not make it loop.
const PIVOTS: usize = 20_000;

/// An optimal x; of a program without a feasible one, an x that breaks the equalities least (the sum of what is missing).
pub(super) fn maximise(program: &Program) -> Vec<f64> {
    let columns = program.gain.len();
    let mut tableau = Tableau::of(program);
    // First drive the artificial variables out, then maximise with those that stayed at zero kept there.
    let artificial: Vec<f64> = (0..tableau.width()).map(|at| if at < columns { 0.0 } else { -1.0 }).collect();
    tableau.improve(&artificial, tableau.width());
    let missing: f64 =
        tableau.rows.iter().zip(&tableau.basis).filter(|(_, at)| **at >= columns).map(|(row, _)| row.1).sum();
    if missing <= 1e-7 {
        tableau.drop_artificial(columns);
        let mut gain = program.gain.clone();
        gain.resize(tableau.width(), 0.0);
        tableau.improve(&gain, columns);
    }
    let mut x = vec![0.0; columns];
    for (row, at) in tableau.rows.iter().zip(&tableau.basis) {
        if *at < columns {
            x[*at] = row.1.max(0.0);
        }
    }
    x
}

/// Rows of coefficients with their right side, and the basic variable of each.
struct Tableau {
    rows: Vec<(Vec<f64>, f64)>,
    basis: Vec<usize>,
}

impl Tableau {
    fn of(program: &Program) -> Self {
        let (columns, count) = (program.gain.len(), program.rows.len());
        let rows = program.rows.iter().zip(&program.bounds).enumerate().map(|(at, (row, bound))| {
            let mut row = row.clone();
            row.extend((0..count).map(|artificial| if artificial == at { 1.0 } else { 0.0 }));
            (row, *bound)
        });
        Self { rows: rows.collect(), basis: (columns..columns + count).collect() }
    }

    fn width(&self) -> usize {
        self.rows.first().map_or(0, |row| row.0.len())
    }

    /// Pivots while a column below `end` raises the gain: Bland's rule, the lowest index first, which cannot cycle.
    fn improve(&mut self, gain: &[f64], end: usize) {
        let mut reduced = gain.to_vec();
        for ((row, _), basic) in self.rows.iter().zip(&self.basis) {
            reduced.iter_mut().zip(row).for_each(|(value, by)| *value -= gain[*basic] * by);
        }
        for _ in 0..PIVOTS {
            let Some(column) = (0..end).find(|column| reduced[*column] > TOLERANCE) else { return };
            let Some(row) = self.leaving(column) else { return };
            self.pivot(row, column);
            let factor = reduced[column];
            reduced.iter_mut().zip(&self.rows[row].0).for_each(|(value, by)| *value -= factor * by);
        }
    }

    /// The row that limits the column most.
    fn leaving(&self, column: usize) -> Option<usize> {
        let mut best: Option<(usize, f64)> = None;
        for (at, (row, bound)) in self.rows.iter().enumerate() {
            if row[column] <= TOLERANCE {
                continue;
            }
            let ratio = bound / row[column];
            let better = best.is_none_or(|(held, least)| {
                ratio < least - TOLERANCE || (ratio <= least + TOLERANCE && self.basis[at] < self.basis[held])
            });
            if better {
                best = Some((at, ratio));
            }
        }
        best.map(|(at, _)| at)
    }

    fn pivot(&mut self, row: usize, column: usize) {
        let scale = self.rows[row].0[column];
        self.rows[row].0.iter_mut().for_each(|value| *value /= scale);
        self.rows[row].1 /= scale;
        let pivot = self.rows[row].clone();
        for (at, (values, bound)) in self.rows.iter_mut().enumerate() {
            let factor = values[column];
            if at != row && factor != 0.0 {
                values.iter_mut().zip(&pivot.0).for_each(|(value, by)| *value -= factor * by);
                *bound -= factor * pivot.1;
            }
        }
        self.basis[row] = column;
    }

    /// Replaces artificial variables that are basic at zero; a row in which nothing else is left is redundant.
    fn drop_artificial(&mut self, columns: usize) {
        let mut at = 0;
        while at < self.rows.len() {
            if self.basis[at] < columns {
                at += 1;
                continue;
            }
            match (0..columns).find(|column| self.rows[at].0[*column].abs() > 1e-8) {
                Some(column) => {
                    self.pivot(at, column);
                    at += 1;
                }
                None => {
                    self.rows.remove(at);
                    self.basis.remove(at);
                }
            }
        }
    }
}

//! Direct loss estimation for regressions: a second model learns, on the reference, how large the first one's loss is
//! given a row's features, and is averaged over a window that has no labels yet.
//!
//! The idea is that of nannyml's DLE; the estimator is not: nannyml fits LightGBM, here it is gradient boosting of small
//! trees with squared loss. Every fifth row of the reference is held out: it chooses how many trees are kept, and measures
//! the residuals that the interval comes from.

use thiserror::Error;

use crate::boosting::{Bins, Codes, Growth, Limits, Slopes, Tree};
use crate::performance::interval::{MEAN_MINIMUM, normal};
use crate::performance::{Estimate, Interval, Measured, Undefined};

const ROUNDS: usize = 200;
const LIMITS: Limits = Limits { bins: 63, depth: 3, fewest_rows: 20, penalty: 0.0, rate: 0.1 };
/// Rounds without a better held-out error after which boosting stops.
const PATIENCE: usize = 10;
const HELD_OUT: usize = 5;
/// Rows that a reference needs.
const MINIMUM_ROWS: usize = 100;

/// Why no loss model could be fitted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LossModelError {
    /// Too little to learn from.
    #[error("{rows} rows are too few to learn losses from: {MINIMUM_ROWS} are needed")]
    TooFewRows {
        /// Rows of the reference.
        rows: usize,
    },
    /// Features and losses do not belong together.
    #[error("{values} feature values are not {columns} for each of {rows} rows")]
    Shape {
        /// Values given.
        values: usize,
        /// Columns declared.
        columns: usize,
        /// Losses given.
        rows: usize,
    },
    /// A loss that is not finite or is negative.
    #[error("the loss of row {row} is {loss}")]
    Loss {
        /// Index of the row.
        row: usize,
        /// The loss, as text.
        loss: String,
    },
}

/// Predicts a row's loss from its features.
#[derive(Debug, Clone, PartialEq)]
pub struct LossModel {
    bins: Bins,
    base: f64,
    trees: Vec<Tree>,
    /// Mean square of held-out residuals.
    residual: f64,
}

impl LossModel {
    /// Fits to rows of features (row-major, `columns` a row; NaN is missing and a value of its own) and the loss of each:
    /// the absolute error for MAE, the squared one for RMSE. The same input gives the same model.
    ///
    /// # Errors
    /// With too few rows, a wrong shape, or a loss that is negative or not finite.
    pub fn fit(features: &[f64], columns: usize, losses: &[f64]) -> Result<Self, LossModelError> {
        check(features, columns, losses)?;
        let rows = losses.len();
        let values = || (0..columns).map(|column| features.iter().skip(column).step_by(columns).copied());
        let bins = Bins::of(values(), LIMITS.bins);
        let codes = Codes::of(&bins, values());
        let all: Vec<usize> = (0..columns).collect();
        let (held, learnt): (Vec<u32>, Vec<u32>) =
            (0..rows as u32).partition(|row| *row as usize % HELD_OUT == HELD_OUT - 1);
        let base = learnt.iter().map(|row| losses[*row as usize]).sum::<f64>() / learnt.len() as f64;
        // Half of the squared error, whose gradient is the residual with the other sign.
        let gradient = losses.iter().map(|loss| base - loss).collect();
        let mut slopes = Slopes { gradient, curvature: vec![1.0; rows] };
        let mut trees = Vec::new();
        let (mut best, mut kept) = (mean_square(&held, &slopes.gradient), 0);
        while trees.len() < ROUNDS && trees.len() < kept + PATIENCE {
            let growth = Growth { codes: &codes, slopes: &slopes, columns: &all, limits: LIMITS };
            let tree = growth.tree(&learnt);
            for (row, gradient) in slopes.gradient.iter_mut().enumerate() {
                *gradient += tree.value(|column| codes.column(column)[row]);
            }
            trees.push(tree);
            let error = mean_square(&held, &slopes.gradient);
            if error < best {
                (best, kept) = (error, trees.len());
            }
        }
        trees.truncate(kept);
        Ok(Self { bins, base, trees, residual: best })
    }

    /// Expected loss of one row, never below zero. Columns that the row lacks are missing values.
    pub fn loss(&self, row: &[f64]) -> f64 {
        let code = |column: usize| self.bins.code(column, row.get(column).copied().unwrap_or(f64::NAN));
        let sum: f64 = self.trees.iter().map(|tree| tree.value(code)).sum();
        (self.base + sum).max(0.0)
    }

    /// Expected mean loss of a window: MAE of a model of absolute errors, the square of RMSE of one of squared errors.
    /// The interval says where the window's own mean falls if losses scatter as the held-out rows' did.
    ///
    /// # Errors
    /// Without rows.
    pub fn mean_loss<'a>(&self, rows: impl IntoIterator<Item = &'a [f64]>) -> Measured {
        let (mut count, mut sum) = (0_u64, 0.0);
        for row in rows {
            count += 1;
            sum += self.loss(row);
        }
        if count == 0 {
            return Err(Undefined::NoRows);
        }
        let value = sum / count as f64;
        let Interval { low, high } = normal(value, (self.residual / count as f64).sqrt());
        let interval = Interval { low: low.max(0.0), high };
        Ok(Estimate { value, interval, support: count, minimum: MEAN_MINIMUM })
    }

    /// Expected root of the mean loss: RMSE of a model of squared errors.
    ///
    /// # Errors
    /// Without rows.
    pub fn root_mean_loss<'a>(&self, rows: impl IntoIterator<Item = &'a [f64]>) -> Measured {
        let mean = self.mean_loss(rows)?;
        let interval = Interval { low: mean.interval.low.sqrt(), high: mean.interval.high.sqrt() };
        Ok(Estimate { value: mean.value.sqrt(), interval, ..mean })
    }
}

fn check(features: &[f64], columns: usize, losses: &[f64]) -> Result<(), LossModelError> {
    let rows = losses.len();
    if rows < MINIMUM_ROWS {
        return Err(LossModelError::TooFewRows { rows });
    }
    if features.len() != rows * columns {
        return Err(LossModelError::Shape { values: features.len(), columns, rows });
    }
    if let Some((row, loss)) = losses.iter().enumerate().find(|(_, loss)| !loss.is_finite() || **loss < 0.0) {
        return Err(LossModelError::Loss { row, loss: loss.to_string() });
    }
    Ok(())
}

fn mean_square(rows: &[u32], residuals: &[f64]) -> f64 {
    rows.iter().map(|row| residuals[*row as usize].powi(2)).sum::<f64>() / rows.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise of a unit normal times `1 + x`, x uniform; the second column says nothing.
    fn reference(rows: usize) -> (Vec<f64>, Vec<f64>) {
        let mut state = 3_u64;
        let mut uniform = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut features = Vec::new();
        let mut losses = Vec::new();
        for _ in 0..rows {
            let (x, y) = (uniform(), uniform());
            let noise: f64 = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
            features.extend([x, y]);
            losses.push((noise * (1.0 + x)).abs());
        }
        (features, losses)
    }

    #[test]
    fn a_shift_of_the_inputs_shows_in_the_expected_error() {
        let (features, losses) = reference(8_000);
        let model = LossModel::fit(&features, 2, &losses).unwrap();
        for x in [0.05, 0.5, 0.95] {
            // The mean magnitude of a unit normal is the root of 2 / pi.
            let truth = (1.0 + x) * (2.0 / std::f64::consts::PI).sqrt();
            let rows: Vec<[f64; 2]> = (0..500).map(|i| [x, f64::from(i) / 500.0]).collect();
            let mae = model.mean_loss(rows.iter().map(|row| row.as_slice())).unwrap();
            assert!((mae.value / truth - 1.0).abs() < 0.12, "{x}: {mae:?} {truth}");
        }
    }

    #[test]
    fn missing_values_are_a_value_of_their_own() {
        let (mut features, mut losses) = reference(4_000);
        for row in (0..4_000).step_by(3) {
            features[row * 2] = f64::NAN;
            losses[row] = 9.0;
        }
        let model = LossModel::fit(&features, 2, &losses).unwrap();
        assert!((model.loss(&[f64::NAN, 0.5]) - 9.0).abs() < 0.2);
        assert!(model.loss(&[0.5, 0.5]) < 3.0);
    }

    #[test]
    fn losses_that_features_do_not_explain_give_their_mean() {
        let losses: Vec<f64> = (0..200).map(|i| f64::from(i % 2)).collect();
        let model = LossModel::fit(&[1.0; 200], 1, &losses).unwrap();
        assert_eq!(model.loss(&[1.0]), 0.5);
        assert_eq!(LossModel::fit(&[], 0, &losses).unwrap().loss(&[]), 0.5);
    }

    #[test]
    fn unusable_references_are_refused_with_the_reason() {
        assert_eq!(LossModel::fit(&[1.0], 1, &[1.0]), Err(LossModelError::TooFewRows { rows: 1 }));
        let shape = LossModel::fit(&[1.0; 3], 1, &[1.0; 100]).unwrap_err();
        assert_eq!(shape.to_string(), "3 feature values are not 1 for each of 100 rows");
        let mut losses = [1.0; 100];
        losses[7] = f64::NAN;
        assert_eq!(
            LossModel::fit(&[1.0; 100], 1, &losses).unwrap_err().to_string(),
            "the loss of row 7 is NaN"
        );
    }
}

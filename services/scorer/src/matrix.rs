//! Feature columns to the one float matrix that a model takes.

use arrow::array::{ArrayRef, AsArray, Float32Array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Float32Type, Schema};
use arrow::record_batch::RecordBatch;

use crate::near::nearest;
use crate::{Missing, ModelFile, ModelInput};

/// The model's inputs among the columns of the feature rows.
#[derive(Debug, Clone)]
pub struct InputColumns {
    inputs: Vec<(ModelInput, usize)>,
}

/// Rows as the model takes them, and rows that it cannot take.
#[derive(Debug, Default)]
pub struct Matrix {
    /// Row after row, each with one value per input, in the model's order.
    pub values: Vec<f32>,
    /// For each row of the matrix, its index in the batch; ascending.
    pub rows: Vec<u32>,
    /// Rows of the matrix in which an input has its default: index in the batch, ascending.
    pub defaulted: Vec<u32>,
    /// Rows in which an input is missing whose policy is to reject: index in the batch, and what is missing.
    pub rejected: Vec<(u32, String)>,
}

impl InputColumns {
    /// Finds the model's inputs by name. Fails with one line per input that is not there or is of no number's type.
    pub fn find(file: &ModelFile, features: &Schema) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let mut inputs = Vec::new();
        for (place, input) in file.inputs.iter().enumerate() {
            match column(input, place, features) {
                Ok(index) => inputs.push((input.clone(), index)),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(Self { inputs }) } else { Err(problems) }
    }

    /// The matrix of a batch of feature rows. A value is the nearest float to the column's; NULL and what is not finite
    /// as a float is missing.
    pub fn matrix(&self, rows: &RecordBatch) -> Result<Matrix, arrow::error::ArrowError> {
        let mut values = vec![0.0_f32; rows.num_rows() * self.inputs.len()];
        let mut missing: Vec<Option<String>> = vec![None; rows.num_rows()];
        let mut defaulted = vec![false; rows.num_rows()];
        for (place, (input, index)) in self.inputs.iter().enumerate() {
            let column = floats(rows.column(*index))?;
            let cells = values.iter_mut().skip(place).step_by(self.inputs.len());
            for (row, (cell, value)) in cells.zip(column.iter()).enumerate() {
                match (value.filter(|v| v.is_finite()), input.missing) {
                    (Some(value), _) => *cell = value,
                    (None, Missing::Default(default)) => {
                        *cell = default;
                        defaulted[row] = true;
                    }
                    (None, Missing::Reject) => {
                        let what = value.map_or_else(|| "NULL".to_owned(), |v| v.to_string());
                        let note = format!("model input `{}` is {what}", input.name);
                        missing[row].get_or_insert(note);
                    }
                }
            }
        }
        let mut matrix = self.without_rejected(values, missing);
        matrix.defaulted = matrix.rows.iter().copied().filter(|row| defaulted[*row as usize]).collect();
        Ok(matrix)
    }

    fn without_rejected(&self, mut values: Vec<f32>, missing: Vec<Option<String>>) -> Matrix {
        let width = self.inputs.len();
        let mut matrix = Matrix::default();
        for (row, note) in (0_u32..).zip(missing) {
            let Some(note) = note else {
                let (from, to) = (row as usize * width, matrix.rows.len() * width);
                values.copy_within(from..from + width, to);
                matrix.rows.push(row);
                continue;
            };
            matrix.rejected.push((row, note));
        }
        values.truncate(matrix.rows.len() * width);
        matrix.values = values;
        matrix
    }
}

fn column(input: &ModelInput, place: usize, features: &Schema) -> Result<usize, String> {
    let names = features.fields().iter().map(|field| field.name().as_str());
    let Ok(index) = features.index_of(&input.name) else {
        let hint = match nearest(&input.name, names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the columns are {}", names.collect::<Vec<_>>().join(", ")),
        };
        return Err(format!("input {} `{}`: there is no such column; {hint}", place + 1, input.name));
    };
    let kind = features.field(index).data_type();
    if is_number(kind) {
        Ok(index)
    } else {
        Err(format!(
            "input {} `{}`: the column is {kind}, which is no number; models take integers, floats and booleans",
            place + 1,
            input.name
        ))
    }
}

fn is_number(kind: &DataType) -> bool {
    kind.is_integer() || kind.is_floating() || *kind == DataType::Boolean
}

fn floats(column: &ArrayRef) -> Result<Float32Array, arrow::error::ArrowError> {
    // `safe` would turn what overflows into NULL; both are missing, but the note should say which.
    let options = CastOptions { safe: false, ..CastOptions::default() };
    Ok(cast_with_options(column, &DataType::Float32, &options)?.as_primitive::<Float32Type>().clone())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BooleanArray, Float64Array, Int64Array, StringArray, UInt64Array};

    use super::*;

    fn file(inputs: &[(&str, Missing)]) -> ModelFile {
        let text = "sha256 = \"0000000000000000000000000000000000000000000000000000000000000000\"\n\
                    inputs = [{ name = \"x\", default = 0.0 }]\noutput = { name = \"y\" }\n\
                    decision = { threshold = 0.5, above = \"a\", below = \"b\" }\n";
        let mut file = ModelFile::parse("model.toml".as_ref(), text).unwrap();
        file.inputs = inputs
            .iter()
            .map(|(name, missing)| ModelInput { name: (*name).to_owned(), missing: *missing })
            .collect();
        file
    }

    fn rows() -> RecordBatch {
        RecordBatch::try_from_iter_with_nullable([
            ("name", Arc::new(StringArray::from(vec!["p", "q", "r", "s"])) as ArrayRef, true),
            (
                "whole",
                Arc::new(Int64Array::from(vec![Some(1), None, Some(16_777_217), Some(-4)])) as ArrayRef,
                true,
            ),
            ("real", Arc::new(Float64Array::from(vec![0.1, 2.0, f64::NAN, 1e300])) as ArrayRef, true),
            (
                "yes",
                Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, Some(true)])) as ArrayRef,
                true,
            ),
            ("big", Arc::new(UInt64Array::from(vec![u64::MAX, 0, 1, 2])) as ArrayRef, true),
        ])
        .unwrap()
    }

    fn matrix(inputs: &[(&str, Missing)]) -> Matrix {
        InputColumns::find(&file(inputs), &rows().schema()).unwrap().matrix(&rows()).unwrap()
    }

    #[test]
    fn columns_are_taken_by_name_in_the_models_order_whatever_their_type() {
        let keep = Missing::Default(-1.0);
        let matrix = matrix(&[("real", keep), ("yes", keep), ("whole", keep), ("big", keep)]);
        let expected: [f32; 16] = [
            0.1,
            1.0,
            1.0,
            18_446_744_073_709_551_615.0, //
            2.0,
            0.0,
            -1.0,
            0.0, //
            -1.0,
            -1.0,
            16_777_216.0,
            1.0, //
            -1.0,
            1.0,
            -4.0,
            2.0,
        ];
        assert_eq!(matrix.values, expected);
        assert_eq!(matrix.rows, [0, 1, 2, 3]);
        assert_eq!(matrix.defaulted, [1, 2, 3]);
        assert!(matrix.rejected.is_empty());
    }

    #[test]
    fn a_row_that_lacks_an_input_is_rejected_with_the_first_reason_and_leaves_the_others_in_place() {
        let matrix =
            matrix(&[("whole", Missing::Reject), ("real", Missing::Reject), ("yes", Missing::Default(9.0))]);
        assert_eq!(matrix.rows, [0]);
        assert!(matrix.defaulted.is_empty(), "row 2 took a default and is rejected all the same");
        assert_eq!(matrix.values, [1.0, 0.1, 1.0]);
        let notes: Vec<_> = matrix.rejected.iter().map(|(row, note)| (*row, note.as_str())).collect();
        assert_eq!(
            notes,
            [
                (1, "model input `whole` is NULL"),
                (2, "model input `real` is NaN"),
                (3, "model input `real` is inf")
            ]
        );
    }

    #[test]
    fn an_empty_batch_is_an_empty_matrix() {
        let columns = InputColumns::find(&file(&[("real", Missing::Reject)]), &rows().schema()).unwrap();
        let matrix = columns.matrix(&rows().slice(0, 0)).unwrap();
        assert!(matrix.values.is_empty() && matrix.rows.is_empty() && matrix.rejected.is_empty());
    }

    #[test]
    fn every_input_that_does_not_fit_is_told_with_the_nearest_name() {
        let keep = Missing::Default(0.0);
        let file = file(&[("reel", keep), ("whole", keep), ("name", keep), ("terminal", keep)]);
        let problems = InputColumns::find(&file, &rows().schema()).unwrap_err();
        assert_eq!(problems.len(), 3);
        assert_eq!(problems[0], "input 1 `reel`: there is no such column; did you mean `real`?");
        assert!(problems[1].starts_with("input 3 `name`: the column is Utf8"), "{}", problems[1]);
        assert!(problems[2].ends_with("the columns are name, whole, real, yes, big"), "{}", problems[2]);
    }
}

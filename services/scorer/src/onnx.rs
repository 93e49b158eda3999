//! Models run by ONNX Runtime. Nothing else of the crate knows it.

use std::sync::OnceLock;

use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::{Outlet, TensorElementType, TensorRef, ValueType};

use crate::repository::StoredModel;
use crate::{Error, library};

/// A loaded model, for one thread.
pub struct Model {
    session: Session,
    name: String,
    inputs: usize,
    output: String,
    columns: Columns,
    /// Rows in one run: all, or one at a time where the model's scores depend on which rows share a run.
    rows_per_run: usize,
}

/// Where the score is in the output tensor.
#[derive(Debug, Clone, Copy)]
struct Columns {
    /// Numbers per row.
    count: usize,
    /// Which of them is the score.
    score: usize,
}

/// Rows of the trial that a model passes when it is loaded.
const TRIAL_ROWS: usize = 23;

impl Model {
    /// Loads a model and checks its signature: one input tensor of floats `[rows, inputs]`, and the output that its
    /// `model.toml` names.
    pub fn load(stored: &StoredModel) -> Result<Self, Error> {
        let name = stored.reference.to_string();
        let fail = |message: String| Error::Model { model: name.clone(), message };
        let session =
            session(&stored.onnx)?.map_err(|error| fail(format!("model.onnx cannot be loaded: {error}")))?;
        let inputs = stored.file.inputs.len();
        check_input(session.inputs(), inputs).map_err(fail)?;
        let columns = check_output(session.outputs(), stored).map_err(fail)?;
        let output = stored.file.output.clone();
        let mut model = Self { session, name, inputs, output, columns, rows_per_run: usize::MAX };
        model.try_out()?;
        Ok(model)
    }

    /// The scores of the rows of a matrix, `inputs` numbers each, row after row. A row's score does not depend on the
    /// rows beside it.
    pub fn score(&mut self, matrix: &[f32]) -> Result<Vec<f64>, Error> {
        let mut scores = Vec::with_capacity(matrix.len() / self.inputs);
        for rows in matrix.chunks(self.rows_per_run.saturating_mul(self.inputs)) {
            self.run(rows, &mut scores)?;
        }
        Ok(scores)
    }

    fn run(&mut self, matrix: &[f32], scores: &mut Vec<f64>) -> Result<(), Error> {
        let rows = matrix.len() / self.inputs;
        // ONNX Runtime multiplies a single row by another kernel (a vector's instead of a matrix's), whose sums round
        // differently. A row alone therefore goes twice: its score is the one it has among others.
        let (twice, padded);
        let (matrix, padded_rows) = if rows == 1 {
            twice = [matrix, matrix].concat();
            padded = 2;
            (twice.as_slice(), padded)
        } else {
            (matrix, rows)
        };
        let fail = |message: String| Error::Model { model: self.name.clone(), message };
        let tensor = TensorRef::from_array_view(([padded_rows, self.inputs], matrix))
            .map_err(|error| fail(error.to_string()))?;
        let outputs = self.session.run(ort::inputs![tensor]).map_err(|error| Error::Model {
            model: self.name.clone(),
            message: format!("it cannot run: {error}"),
        })?;
        let output = outputs
            .get(&self.output)
            .ok_or_else(|| fail(format!("output `{}` did not come", self.output)))?;
        let (shape, numbers) = output.try_extract_tensor::<f32>().map_err(|error| fail(error.to_string()))?;
        if numbers.len() != padded_rows * self.columns.count {
            return Err(fail(format!(
                "output `{}` has the shape {shape} for {padded_rows} rows, not {} numbers per row",
                self.output, self.columns.count
            )));
        }
        let of_row = numbers.chunks_exact(self.columns.count).take(rows);
        scores.extend(of_row.filter_map(|row| row.get(self.columns.score)).map(|score| f64::from(*score)));
        Ok(())
    }

    /// Scores some rows together and apart. A model that sees its neighbours (normalises over the batch, say) would
    /// make a score depend on how the stream was cut: its rows go one by one.
    fn try_out(&mut self) -> Result<(), Error> {
        let numbers = 0..TRIAL_ROWS * self.inputs;
        let matrix: Vec<f32> = numbers.map(|i| TRIAL_VALUES[(i * i + i / 3) % TRIAL_VALUES.len()]).collect();
        let together = self.score(&matrix)?;
        let mut apart = Vec::new();
        for rows in matrix.chunks(7 * self.inputs) {
            self.run(rows, &mut apart)?;
        }
        let mut alone = Vec::new();
        for row in matrix.chunks(self.inputs) {
            self.run(row, &mut alone)?;
        }
        let bits = |scores: &[f64]| scores.iter().map(|score| score.to_bits()).collect::<Vec<_>>();
        if bits(&together) != bits(&apart) || bits(&together) != bits(&alone) {
            tracing::warn!(
                model = %self.name,
                "scores depend on which rows are scored together; each row is scored alone, which is slower"
            );
            self.rows_per_run = 1;
        }
        Ok(())
    }
}

/// Of several magnitudes, so that roundings show.
const TRIAL_VALUES: [f32; 11] = [0.0, 1.0, 0.37, 57.16, 3.0, 220.25, 0.008_37, -1.7, 14.0, 1_013.9, 0.5];

/// The process's environment; it lives as long as the process.
fn environment() -> Result<&'static Environment, Error> {
    static ENVIRONMENT: OnceLock<Result<Environment, String>> = OnceLock::new();
    let made = ENVIRONMENT.get_or_init(|| {
        let file = library::find().map_err(|error| error.to_string())?;
        let builder = ort::init_from(&file)
            .map_err(|error| format!("{error}; `make setup` fetches ONNX Runtime {}", library::VERSION))?;
        let environment = builder.with_name("millrace").with_telemetry(false).build();
        environment.map_err(|error| format!("ONNX Runtime cannot start: {error}"))
    });
    made.as_ref().map_err(|message| Error::Library(message.clone()))
}

/// Loads ONNX Runtime, if it was not loaded before.
pub fn start() -> Result<(), Error> {
    environment().map(drop)
}

/// A session of one thread: a worker is a thread of its own, and a sum split over threads would round by their number.
fn session(onnx: &[u8]) -> Result<ort::Result<Session>, Error> {
    let environment = environment()?;
    let build = || -> ort::Result<Session> {
        Session::builder(environment)?
            .with_intra_threads(1)?
            .with_inter_threads(1)?
            .with_parallel_execution(false)?
            .with_deterministic_compute(true)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .commit_from_memory(onnx)
    };
    Ok(build())
}

fn check_input(inputs: &[Outlet], width: usize) -> Result<(), String> {
    let [input] = inputs else {
        let names: Vec<&str> = inputs.iter().map(Outlet::name).collect();
        return Err(format!(
            "it has {} inputs ({}); export it with one tensor of all of them",
            inputs.len(),
            names.join(", ")
        ));
    };
    let ValueType::Tensor { ty: TensorElementType::Float32, shape, .. } = input.dtype() else {
        return Err(format!(
            "its input `{}` is {}, not a tensor of 32-bit floats",
            input.name(),
            input.dtype()
        ));
    };
    match shape.as_ref() {
        [rows, columns] if *rows < 0 && (*columns < 0 || usize::try_from(*columns) == Ok(width)) => Ok(()),
        [rows, _] if *rows >= 0 => Err(format!(
            "its input `{}` is fixed to {rows} rows; export it with a dynamic first dimension",
            input.name()
        )),
        [_, columns] => Err(format!(
            "its input `{}` has {columns} columns, but model.toml names {width} inputs",
            input.name()
        )),
        _ => Err(format!("its input `{}` has the shape {shape}, not [rows, inputs]", input.name())),
    }
}

fn check_output(outputs: &[Outlet], stored: &StoredModel) -> Result<Columns, String> {
    let file = &stored.file;
    let Some(output) = outputs.iter().find(|output| output.name() == file.output) else {
        let names: Vec<&str> = outputs.iter().map(Outlet::name).collect();
        return Err(format!("it has no output `{}` (output.name); it has {}", file.output, names.join(", ")));
    };
    let ValueType::Tensor { ty: TensorElementType::Float32, shape, .. } = output.dtype() else {
        return Err(format!(
            "its output `{}` is {}, not a tensor of 32-bit floats (with scikit-learn's converter: zipmap=False)",
            file.output,
            output.dtype()
        ));
    };
    let classes = file.labels.len().max(1);
    let one = Columns { count: 1, score: 0 };
    match shape.as_ref() {
        // One number for two classes is the score of the positive one.
        [_] | [_, 1] if classes <= 2 => Ok(one),
        // The exporter left the shape open: the labels tell, and the trial run checks them.
        [] | [_, -1] => Ok(Columns { count: classes, score: file.positive }),
        [_, columns] if usize::try_from(*columns) == Ok(classes) => {
            Ok(Columns { count: classes, score: file.positive })
        }
        _ => Err(format!(
            "its output `{}` has the shape {shape}, but model.toml has {} labels (output.labels)",
            file.output,
            file.labels.len()
        )),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::repository;
    use crate::testing::{Golden, golden, models, version_named};

    fn load(model: &str) -> Result<Model, Error> {
        Model::load(&repository::read(&models(), &version_named(model)).unwrap())
    }

    #[allow(clippy::cast_possible_truncation)]
    fn matrix(golden: &Golden) -> Vec<f32> {
        golden.rows.iter().flatten().map(|value| *value as f32).collect()
    }

    #[test]
    fn scores_are_those_computed_without_onnx_runtime() {
        let golden = golden();
        let models = [("logistic", &golden.logistic), ("trees", &golden.trees), ("linear", &golden.linear)];
        for (name, expected) in models {
            let scores = load(name).unwrap().score(&matrix(&golden)).unwrap();
            assert_eq!(scores.len(), expected.len());
            for (score, expected) in scores.iter().zip(expected) {
                assert!((score - expected).abs() < 2e-6, "{name}: {score} instead of {expected}");
            }
            assert!(
                scores.iter().any(|s| *s > 0.7) && scores.iter().any(|s| *s < 0.3),
                "{name} tells nothing apart"
            );
        }
    }

    #[test]
    fn an_empty_matrix_has_no_scores() {
        assert_eq!(load("logistic").unwrap().score(&[]).unwrap(), Vec::<f64>::new());
    }

    #[test]
    fn only_a_model_that_sees_its_neighbours_goes_row_by_row() {
        for name in ["logistic", "trees", "linear"] {
            assert_eq!(load(name).unwrap().rows_per_run, usize::MAX, "{name}");
        }
        assert_eq!(load("neighbours").unwrap().rows_per_run, 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn however_the_rows_are_cut_every_score_has_the_same_bits(
            name in prop::sample::select(vec!["logistic", "trees", "linear", "neighbours"]),
            values in prop::collection::vec(-300.0_f32..300.0, 3_000),
            sizes in prop::collection::vec(1_usize..40, 1_000),
        ) {
            let mut model = load(name).unwrap();
            let bits = |scores: Vec<f64>| scores.into_iter().map(f64::to_bits).collect::<Vec<_>>();
            let whole = bits(model.score(&values).unwrap());
            prop_assert_eq!(whole.len(), 1_000);
            for cuts in [vec![1; 1_000], vec![7; 1_000], sizes] {
                let (mut rest, mut scores) = (values.as_slice(), Vec::new());
                for size in cuts {
                    let (rows, after) = rest.split_at(rest.len().min(size * 3));
                    scores.extend(model.score(rows).unwrap());
                    rest = after;
                }
                prop_assert_eq!(&bits(scores), &whole);
            }
        }
    }

    #[test]
    fn a_signature_that_does_not_fit_is_refused_with_what_to_do() {
        let refused = [
            ("fixed-rows", "its input `x` is fixed to 1 rows"),
            ("four-inputs", "its input `x` has 4 columns, but model.toml names 3 inputs"),
            ("three-classes", "shape [-1, 3], but model.toml has 2 labels"),
            ("no-such-output", "no output `probabilities` (output.name); it has y"),
            ("doubles", "not a tensor of 32-bit floats"),
            ("column-inputs", "it has 2 inputs (amount, night)"),
            ("zipmap", "zipmap=False"),
        ];
        for (name, expected) in refused {
            let error = load(name).err().unwrap_or_else(|| panic!("{name} was taken")).to_string();
            assert!(error.contains(expected) && error.contains(&format!("{name}/1")), "{name}: {error}");
        }
    }

    #[test]
    fn what_is_no_onnx_model_is_refused() {
        let mut stored = repository::read(&models(), &version_named("logistic")).unwrap();
        stored.onnx.truncate(40);
        let error = Model::load(&stored).err().unwrap().to_string();
        assert!(error.contains("model.onnx cannot be loaded"), "{error}");
    }
}

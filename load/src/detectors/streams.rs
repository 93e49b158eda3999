//! The streams: what is stationary, and what changes in it.

use millrace_statistics::detectors::Input;
use millrace_statistics::detectors::stream::{PARETO_STD, Process, values};

/// Rows of a stationary stream; of a stream with a change, half of them lie before it.
pub const ROWS: usize = 10_000;

/// A kind of stream and two changes of it.
pub struct Kind {
    pub name: &'static str,
    pub process: Process,
    pub changes: [(&'static str, Process); 2],
    /// Whether default parameters are calibrated on it.
    pub calibrated: bool,
}

impl Kind {
    /// Whether a detector takes its values.
    pub fn suits(&self, input: Input) -> bool {
        input == Input::Finite || matches!(self.process, Process::Bernoulli { .. })
    }

    /// Rows without a change.
    pub fn stationary(&self, rows: usize, seed: u64) -> Vec<f64> {
        values(seed, &[(rows, self.process)])
    }

    /// Half of `ROWS` rows before the change and as many after it.
    pub fn changed(&self, change: usize, seed: u64) -> Vec<f64> {
        values(seed, &[(ROWS / 2, self.process), (ROWS / 2, self.changes[change].1)])
    }
}

/// Every kind of stream.
pub fn kinds() -> Vec<Kind> {
    let gaussian = |mean, std| Process::Gaussian { mean, std };
    let pareto = |shift| Process::Pareto { offset: shift * PARETO_STD };
    let autoregressive = |mean, correlation| Process::Autoregressive { mean, correlation };
    let bernoulli = |rate| Process::Bernoulli { rate };
    let kind = |name, process, changes| Kind { name, process, changes, calibrated: true };
    let shifts = |half, one| [("mean + 0.5 sd", half), ("mean + 1 sd", one)];
    vec![
        kind("gaussian", gaussian(0.0, 1.0), shifts(gaussian(0.5, 1.0), gaussian(1.0, 1.0))),
        kind("pareto", pareto(0.0), shifts(pareto(0.5), pareto(1.0))),
        kind(
            "autoregressive 0.5",
            autoregressive(0.0, 0.5),
            shifts(autoregressive(0.5, 0.5), autoregressive(1.0, 0.5)),
        ),
        kind("errors 20 %", bernoulli(0.2), [("30 %", bernoulli(0.3)), ("50 %", bernoulli(0.5))]),
        kind("errors 0.8 %", bernoulli(0.008), [("2 %", bernoulli(0.02)), ("5 %", bernoulli(0.05))]),
        Kind {
            calibrated: false,
            ..kind(
                "autoregressive 0.9",
                autoregressive(0.0, 0.9),
                shifts(autoregressive(0.5, 0.9), autoregressive(1.0, 0.9)),
            )
        },
    ]
}

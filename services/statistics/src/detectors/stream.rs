//! Seeded streams whose changes are known, to calibrate detectors and to test them.
//!
//! Every value is made by integer arithmetic and by operations that IEEE 754 rounds exactly (+, -, *, /, square root), so
//! that a script in another language makes the same bits (`golden/detectors/streams.py`).

use crate::random::Random;

/// Mean 0 and standard deviation 1, nearly normal, within 6 of 0: a sum of twelve uniforms.
fn normal(random: &mut Random) -> f64 {
    let sum = (0..12).fold(0.0, |sum, _| sum + random.uniform());
    sum - 6.0
}

/// How values are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Process {
    /// Independent, normal (a sum of twelve uniforms).
    Gaussian {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        std: f64,
    },
    /// Independent, skewed and heavy-tailed: Pareto with exponent 4 and minimum 1 (mean 4/3, variance 2/9, infinite fourth
    /// moment), moved by an offset.
    Pareto {
        /// What is added.
        offset: f64,
    },
    /// Normal with standard deviation 1, each value correlated with the one before.
    Autoregressive {
        /// The mean.
        mean: f64,
        /// The correlation of neighbours, between -1 and 1.
        correlation: f64,
    },
    /// Independent, 0 or 1.
    Bernoulli {
        /// The share of 1.
        rate: f64,
    },
    /// Independent, uniform.
    Uniform {
        /// The least value.
        low: f64,
        /// The greatest value.
        high: f64,
    },
}

/// The standard deviation of [`Process::Pareto`]: the root of 2/9.
pub const PARETO_STD: f64 = 0.471_404_520_791_031_7;

/// The values of one process after another: rows and process of each.
pub fn values(seed: u64, segments: &[(usize, Process)]) -> Vec<f64> {
    let mut random = Random::of(seed);
    let mut before = None;
    let mut values = Vec::with_capacity(segments.iter().map(|(rows, _)| rows).sum());
    for (rows, process) in segments {
        values.extend((0..*rows).map(|_| draw(&mut random, *process, &mut before)));
    }
    values
}

/// `before` is the autoregressive deviation of the row before.
fn draw(random: &mut Random, process: Process, before: &mut Option<f64>) -> f64 {
    match process {
        Process::Gaussian { mean, std } => normal(random) * std + mean,
        Process::Pareto { offset } => (1.0 - random.uniform()).sqrt().sqrt().recip() + offset,
        Process::Autoregressive { mean, correlation: c } => {
            let fresh = normal(random);
            let deviation = before.map_or(fresh, |before| c * before + (1.0 - c * c).sqrt() * fresh);
            *before = Some(deviation);
            deviation + mean
        }
        Process::Bernoulli { rate } => f64::from(u8::from(random.uniform() < rate)),
        Process::Uniform { low, high } => low + (high - low) * random.uniform(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_have_the_moments_that_they_promise() {
        let cases = [
            (Process::Gaussian { mean: 2.0, std: 3.0 }, 2.0, 3.0),
            (Process::Pareto { offset: 1.0 }, 7.0 / 3.0, PARETO_STD),
            (Process::Autoregressive { mean: -1.0, correlation: 0.5 }, -1.0, 1.0),
            (Process::Bernoulli { rate: 0.2 }, 0.2, 0.4),
            (Process::Uniform { low: 1.0, high: 4.0 }, 2.5, 0.75_f64.sqrt()),
        ];
        for (process, mean, std) in cases {
            let values = values(1, &[(200_000, process)]);
            let n = values.len() as f64;
            let found = values.iter().sum::<f64>() / n;
            let spread = (values.iter().map(|v| (v - found).powi(2)).sum::<f64>() / n).sqrt();
            assert!((found - mean).abs() < 0.03, "{process:?}: mean {found}");
            assert!((spread / std - 1.0).abs() < 0.03, "{process:?}: standard deviation {spread}");
        }
    }

    #[test]
    fn neighbours_are_correlated_only_where_promised() {
        let correlation = |process| {
            let v = values(2, &[(100_000, process)]);
            v.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / v.len() as f64
        };
        assert!((correlation(Process::Autoregressive { mean: 0.0, correlation: 0.5 }) - 0.5).abs() < 0.02);
        assert!(correlation(Process::Gaussian { mean: 0.0, std: 1.0 }).abs() < 0.02);
    }
}

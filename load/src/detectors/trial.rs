//! One detector on many seeds of one kind of stream.

use millrace_statistics::detectors::{Detector, Error, Parameters, Signal};

use super::streams::{Kind, ROWS};

/// What a trial of one change found.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Delay {
    /// Seeds with an alarm after the change.
    pub found: u64,
    /// Seeds without.
    pub missed: u64,
    /// Rows from the change to the first alarm, over the seeds that have one.
    pub rows: u64,
}

/// What a trial of one kind of stream found.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Trial {
    /// Alarms on stationary rows.
    pub false_alarms: u64,
    /// Stationary rows.
    pub rows: u64,
    /// Of both changes.
    pub delays: [Delay; 2],
}

/// Who watches: a detector, or the baseline that alarms at every row.
#[derive(Debug, Clone, Copy)]
pub enum Watcher {
    Detector(Parameters),
    Always,
}

impl Watcher {
    /// The rows of alarms.
    fn alarms(self, stream: &[f64]) -> Result<Vec<usize>, Error> {
        let Self::Detector(parameters) = self else { return Ok((0..stream.len()).collect()) };
        let mut detector = Detector::new(parameters)?;
        let mut alarms = Vec::new();
        for (row, value) in stream.iter().enumerate() {
            if detector.update(*value)? == Signal::Drift {
                alarms.push(row);
            }
        }
        Ok(alarms)
    }
}

/// Stationary streams of the first seeds, changed ones of others.
pub fn trial(watcher: Watcher, kind: &Kind, seeds: u64) -> Result<Trial, Error> {
    let mut trial = Trial::default();
    for seed in 0..seeds {
        trial.false_alarms += watcher.alarms(&kind.stationary(ROWS, seed))?.len() as u64;
        trial.rows += ROWS as u64;
    }
    for (change, delay) in trial.delays.iter_mut().enumerate() {
        for seed in seeds..2 * seeds {
            let alarms = watcher.alarms(&kind.changed(change, seed))?;
            match alarms.iter().find(|row| **row >= ROWS / 2) {
                Some(row) => {
                    delay.found += 1;
                    delay.rows += (row - ROWS / 2) as u64;
                }
                None => delay.missed += 1,
            }
        }
    }
    Ok(trial)
}

#[cfg(test)]
mod tests {
    use super::super::streams::kinds;
    use super::*;

    #[test]
    fn the_baseline_alarms_at_every_row_and_is_never_late() {
        let trial = trial(Watcher::Always, &kinds()[0], 2).unwrap();
        assert_eq!((trial.false_alarms, trial.rows), (20_000, 20_000));
        assert_eq!(trial.delays, [Delay { found: 2, missed: 0, rows: 0 }; 2]);
    }

    #[test]
    fn a_detector_finds_a_large_change_soon_and_is_silent_without() {
        let cusum = Parameters::calibrated("cusum").unwrap();
        let trial = trial(Watcher::Detector(cusum), &kinds()[0], 3).unwrap();
        assert_eq!(trial.false_alarms, 0);
        assert_eq!(trial.delays[1].missed, 0);
        assert!((3..900).contains(&trial.delays[1].rows), "{trial:?}");
    }
}

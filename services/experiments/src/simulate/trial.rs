//! One test of one experiment, looked at once or again and again.

use serde::Serialize;

use super::population::Population;
use crate::analysis::always_valid::{ConfidenceSequence, Msprt};
use crate::analysis::estimate::adjusted;
use crate::analysis::paired::{self, Scored};
use crate::analysis::sample_ratio::{self, Sequential};
use crate::analysis::{Effect, Estimate, Scale, Side, Sums, fixed};
use crate::interleave::preference::{SignSequence, sign_test};
use crate::random::Random;

/// What is tested, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Two arms by Welch's test.
    Welch(Population),
    /// The same of CUPED-adjusted means.
    Cuped(Population),
    /// Two conversion rates by the pooled test.
    TwoProportions(Population),
    /// Two arms by the asymptotic confidence sequence.
    ConfidenceSequence(Population),
    /// Two arms by mSPRT, effects of 0.1 standard deviations expected.
    Msprt(Population),
    /// Units of two arms of one half each, by chi-square; an effect moves the share.
    SampleRatio,
    /// The same by the sequential test.
    SequentialSampleRatio,
    /// Users' preference by the sign test; an effect raises the win rate.
    Sign,
    /// The same by the always-valid sequence.
    SignSequence,
    /// Two versions on the same rows by DeLong's test, 20 % positives; an effect separates the treatment's classes more.
    DeLong,
}

impl Test {
    /// Its name in tables.
    pub fn name(self) -> String {
        match self {
            Self::Welch(of) => format!("welch, {}", of.name()),
            Self::Cuped(of) => format!("welch with cuped, {}", of.name()),
            Self::TwoProportions(of) => format!("two proportions, {}", of.name()),
            Self::ConfidenceSequence(of) => format!("confidence sequence, {}", of.name()),
            Self::Msprt(of) => format!("msprt, {}", of.name()),
            Self::SampleRatio => "sample ratio".to_owned(),
            Self::SequentialSampleRatio => "sequential sample ratio".to_owned(),
            Self::Sign => "sign test".to_owned(),
            Self::SignSequence => "sign sequence".to_owned(),
            Self::DeLong => "delong".to_owned(),
        }
    }

    /// Whether it may be looked at any time.
    pub fn always_valid(self) -> bool {
        matches!(
            self,
            Self::ConfidenceSequence(_) | Self::Msprt(_) | Self::SequentialSampleRatio | Self::SignSequence
        )
    }
}

/// How an experiment is watched.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Watch {
    /// Units of both arms at the end.
    pub units: u64,
    /// How many looks, evenly spread; 1 is the end alone.
    pub looks: u64,
    /// Units of both arms before the first look.
    pub burn_in: u64,
}

/// Whether any look of one simulated experiment rejects at `alpha`; `effect` is the population's (0 for none).
pub fn rejects(test: Test, watch: &Watch, effect: f64, alpha: f64, random: Random) -> bool {
    let mut experiment = Experiment::new(test, effect, random);
    let mut units = 0;
    for look in 1..=watch.looks {
        let until = watch.units * look / watch.looks;
        while units < until {
            experiment.unit(units);
            units += 1;
        }
        if units >= watch.burn_in && experiment.p_value().is_some_and(|p| p <= alpha) {
            return true;
        }
    }
    false
}

/// What has come so far.
struct Experiment {
    test: Test,
    effect: f64,
    random: Random,
    arms: [Sums; 2],
    counts: [u64; 2],
    ratio: Sequential,
    taken: [u64; 2],
    signs: SignSequence,
    rows: Vec<Scored>,
}

impl Experiment {
    fn new(test: Test, effect: f64, random: Random) -> Self {
        Self {
            test,
            effect,
            random,
            arms: [Sums::default(), Sums::default()],
            counts: [0, 0],
            ratio: Sequential::new(&[0.5, 0.5], Sequential::CONCENTRATION),
            taken: [0, 0],
            signs: SignSequence::default(),
            rows: Vec::new(),
        }
    }

    /// Takes the unit of that number.
    fn unit(&mut self, at: u64) {
        match self.test {
            Test::Welch(of)
            | Test::Cuped(of)
            | Test::TwoProportions(of)
            | Test::ConfidenceSequence(of)
            | Test::Msprt(of) => {
                let arm = usize::from(at % 2 == 1);
                let (y, x) = of.draw(&mut self.random, if arm == 1 { self.effect } else { 0.0 });
                self.arms[arm].add(y, x);
            }
            Test::SampleRatio | Test::SequentialSampleRatio => {
                let arm = usize::from(self.random.chance(0.5 + self.effect));
                self.counts[arm] += 1;
            }
            Test::Sign | Test::SignSequence => {
                let won = self.random.chance(0.5 + self.effect);
                self.counts[usize::from(won)] += 1;
                self.signs.add(won);
            }
            Test::DeLong => {
                let positive = self.random.chance(0.2);
                let shared = self.random.normal() + if positive { 1.0 } else { 0.0 };
                let more = if positive { self.effect } else { 0.0 };
                let (control, treatment) = (self.random.normal(), self.random.normal());
                self.rows.push(Scored {
                    positive,
                    control: shared + control,
                    treatment: shared + more + treatment,
                });
            }
        }
    }

    /// None where nothing is defined yet.
    fn p_value(&mut self) -> Option<f64> {
        match self.test {
            Test::Welch(of) => Some(fixed::welch(&self.raw(of)?, 0.0, 0.05).p_value),
            Test::Cuped(of) => {
                let found = adjusted(of.metric(), &self.arms[0], &self.arms[1]).ok()?;
                let effect = Effect::of(&found.control, &found.treatment, Scale::Absolute).ok()?;
                Some(fixed::welch(&effect, 0.0, 0.05).p_value)
            }
            Test::TwoProportions(_) => {
                Some(fixed::two_proportions(&self.arms[0], &self.arms[1], 0.05).ok()?.p_value)
            }
            Test::ConfidenceSequence(of) => {
                Some(ConfidenceSequence::default().test(&self.raw(of)?, 0.0, 0.05).p_value)
            }
            Test::Msprt(of) => {
                let effect = self.raw(of)?;
                // The deviation of one unit, from the effect's error: two arms of n / 2 units.
                let deviation = effect.standard_error * (effect.units as f64).sqrt() / 2.0;
                Some(Msprt { expected_effect: 0.1 * deviation }.test(&effect, 0.0, 0.05).p_value)
            }
            Test::SampleRatio => Some(sample_ratio::fixed(&self.counts, &[0.5, 0.5])),
            Test::SequentialSampleRatio => {
                let batch = [0, 1].map(|arm| self.counts[arm] - self.taken[arm]);
                self.taken = self.counts;
                Some(self.ratio.look(&batch))
            }
            Test::Sign => Some(sign_test(self.counts[1], self.counts[0])),
            Test::SignSequence => Some(self.signs.p_value()),
            Test::DeLong => Some(paired::auc(&self.rows, 0.0, 0.05).ok()?.tested.p_value),
        }
    }

    fn raw(&self, of: Population) -> Option<Effect> {
        let control = Estimate::of(of.metric(), &self.arms[0], Side::Control).ok()?;
        let treatment = Estimate::of(of.metric(), &self.arms[1], Side::Treatment).ok()?;
        Effect::of(&control, &treatment, Scale::Absolute).ok()
    }
}

//! What is known of a window's predictions: how many, how many with a label, and their scores with what came true.

use std::collections::BTreeMap;

use millrace_statistics::performance::delay::DelayCurve;
use millrace_statistics::performance::regression::ErrorSums;
use millrace_statistics::performance::{DecodeError, ScoreCounts};
use millrace_topics::TaskKind;

use crate::service::notes::Outcome;

/// Of the predictions of one maker and segment in a window. Merges by addition, commutatively and associatively.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// Predictions.
    pub predictions: u64,
    /// Of them with a label, or assumed to be negative.
    pub labelled: u64,
    /// Scores with what came true.
    pub counts: Counts,
    /// How long labels took.
    pub delays: DelayCurve,
}

/// Scores with what came true, as the task has them.
#[derive(Debug, Clone, PartialEq)]
pub enum Counts {
    /// Of binary tasks.
    Binary(ScoreCounts),
    /// Of several classes: by decided and true class.
    Classes(BTreeMap<(String, String), u64>),
    /// Of numbers.
    Numbers(ErrorSums),
}

/// Why bytes are no content.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// They end too early, or have a part that is unknown.
    #[error("what is known of a window's outcomes cannot be read: {0}")]
    Malformed(&'static str),
    /// One of their parts.
    #[error(transparent)]
    Part(#[from] DecodeError),
}

const BINARY: u8 = 0;
const CLASSES: u8 = 1;
const NUMBERS: u8 = 2;

impl Content {
    /// Of no predictions.
    pub fn new(task: TaskKind) -> Self {
        let counts = match task {
            TaskKind::Binary => Counts::Binary(ScoreCounts::default()),
            TaskKind::Multiclass => Counts::Classes(BTreeMap::new()),
            TaskKind::Regression | TaskKind::Ranking => Counts::Numbers(ErrorSums::default()),
        };
        Self { predictions: 0, labelled: 0, counts, delays: DelayCurve::default() }
    }

    /// Counts a prediction, with what came true where that is known.
    pub fn add(&mut self, score: Option<f64>, decision: &str, outcome: Option<&Outcome>) {
        self.predictions += 1;
        let Some(outcome) = outcome else { return };
        self.labelled += 1;
        match (&mut self.counts, outcome) {
            (Counts::Binary(counts), Outcome::Number(truth)) => {
                counts.add(score.unwrap_or(f64::NAN), *truth != 0.0);
            }
            (Counts::Numbers(counts), Outcome::Number(truth)) => {
                if let Some(score) = score {
                    counts.add(score, *truth);
                }
            }
            (Counts::Classes(counts), Outcome::Class(truth)) => {
                *counts.entry((decision.to_owned(), truth.clone())).or_default() += 1;
            }
            _ => self.labelled -= 1,
        }
    }

    /// Adds the predictions of another partition; those of another task change nothing.
    pub fn merge(&mut self, other: &Self) {
        self.predictions += other.predictions;
        self.labelled += other.labelled;
        self.delays.merge(&other.delays);
        match (&mut self.counts, &other.counts) {
            (Counts::Binary(own), Counts::Binary(other)) => own.merge(other),
            (Counts::Classes(own), Counts::Classes(other)) => add_all(own, other),
            (Counts::Numbers(own), Counts::Numbers(other)) => own.merge(other),
            _ => {}
        }
    }

    /// As bytes; equal for equal contents.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (kind, counts) = match &self.counts {
            Counts::Binary(counts) => (BINARY, counts.to_bytes()),
            Counts::Classes(counts) => (CLASSES, classes_to_bytes(counts)),
            Counts::Numbers(counts) => (NUMBERS, counts.to_bytes()),
        };
        let mut bytes = vec![kind];
        bytes.extend_from_slice(&self.predictions.to_le_bytes());
        bytes.extend_from_slice(&self.labelled.to_le_bytes());
        put(&mut bytes, &counts);
        put(&mut bytes, &self.delays.to_bytes());
        bytes
    }

    /// Back from [`Self::to_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ContentError> {
        let mut bytes = bytes;
        let kind = *take(&mut bytes, 1)?.first().ok_or(ContentError::Malformed("it is empty"))?;
        let (predictions, labelled) = (number(&mut bytes)?, number(&mut bytes)?);
        let counts = part(&mut bytes)?;
        let counts = match kind {
            BINARY => Counts::Binary(ScoreCounts::from_bytes(counts)?),
            CLASSES => Counts::Classes(classes_from_bytes(counts)?),
            NUMBERS => Counts::Numbers(ErrorSums::from_bytes(counts)?),
            _ => return Err(ContentError::Malformed("an unknown task")),
        };
        let delays = DelayCurve::from_bytes(part(&mut bytes)?)?;
        Ok(Self { predictions, labelled, counts, delays })
    }
}

type Classes = BTreeMap<(String, String), u64>;

fn add_all(own: &mut Classes, other: &Classes) {
    for (key, count) in other {
        *own.entry(key.clone()).or_default() += count;
    }
}

fn classes_to_bytes(counts: &Classes) -> Vec<u8> {
    let mut bytes = Vec::new();
    for ((decided, truth), count) in counts {
        put(&mut bytes, decided.as_bytes());
        put(&mut bytes, truth.as_bytes());
        bytes.extend_from_slice(&count.to_le_bytes());
    }
    bytes
}

fn classes_from_bytes(mut bytes: &[u8]) -> Result<Classes, ContentError> {
    let text = |part: &[u8]| {
        String::from_utf8(part.to_vec()).map_err(|_| ContentError::Malformed("a class is no text"))
    };
    let mut counts = BTreeMap::new();
    while !bytes.is_empty() {
        let pair = (text(part(&mut bytes)?)?, text(part(&mut bytes)?)?);
        counts.insert(pair, number(&mut bytes)?);
    }
    Ok(counts)
}

fn put(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
    bytes.extend_from_slice(part);
}

fn part<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], ContentError> {
    let length = number(bytes)?;
    take(bytes, usize::try_from(length).unwrap_or(usize::MAX))
}

fn number(bytes: &mut &[u8]) -> Result<u64, ContentError> {
    let taken = take(bytes, 8)?;
    taken.try_into().map(u64::from_le_bytes).map_err(|_| ContentError::Malformed("a number is cut off"))
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], ContentError> {
    let (taken, rest) = bytes.split_at_checked(length).ok_or(ContentError::Malformed("it ends too early"))?;
    *bytes = rest;
    Ok(taken)
}

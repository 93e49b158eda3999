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
    /// The scores of all predictions, labelled or not, all counted as negative: what performance is estimated from.
    pub scores: ScoreCounts,
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
    /// Of rankings: score and relevance of the labelled items, by list. Items of one list may be in several partitions.
    Lists(Lists),
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
const LISTS: u8 = 3;

impl Content {
    /// Of no predictions.
    pub fn new(task: TaskKind) -> Self {
        let counts = match task {
            TaskKind::Binary => Counts::Binary(ScoreCounts::default()),
            TaskKind::Multiclass => Counts::Classes(BTreeMap::new()),
            TaskKind::Regression => Counts::Numbers(ErrorSums::default()),
            TaskKind::Ranking => Counts::Lists(Lists::new()),
        };
        let scores = ScoreCounts::default();
        Self { predictions: 0, labelled: 0, counts, scores, delays: DelayCurve::default() }
    }

    /// Counts a prediction, with what came true where that is known. `word` is its decision, or of rankings its list.
    pub fn add(&mut self, score: Option<f64>, word: &str, outcome: Option<&Outcome>) {
        self.predictions += 1;
        if let Some(score) = score {
            self.scores.add(score, false);
        }
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
                *counts.entry((word.to_owned(), truth.clone())).or_default() += 1;
            }
            (Counts::Lists(lists), Outcome::Number(truth)) => match score {
                Some(score) => lists.entry(word.to_owned()).or_default().push((score, *truth)),
                None => self.labelled -= 1,
            },
            _ => self.labelled -= 1,
        }
    }

    /// Adds the predictions of another partition; those of another task change nothing.
    pub fn merge(&mut self, other: &Self) {
        self.predictions += other.predictions;
        self.labelled += other.labelled;
        self.scores.merge(&other.scores);
        self.delays.merge(&other.delays);
        match (&mut self.counts, &other.counts) {
            (Counts::Binary(own), Counts::Binary(other)) => own.merge(other),
            (Counts::Classes(own), Counts::Classes(other)) => add_all(own, other),
            (Counts::Numbers(own), Counts::Numbers(other)) => own.merge(other),
            (Counts::Lists(own), Counts::Lists(other)) => {
                for (list, items) in other {
                    own.entry(list.clone()).or_default().extend(items);
                }
            }
            _ => {}
        }
    }

    /// As bytes; equal for equal contents.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (kind, counts) = match &self.counts {
            Counts::Binary(counts) => (BINARY, counts.to_bytes()),
            Counts::Classes(counts) => (CLASSES, classes_to_bytes(counts)),
            Counts::Numbers(counts) => (NUMBERS, counts.to_bytes()),
            Counts::Lists(lists) => (LISTS, lists_to_bytes(lists)),
        };
        let mut bytes = vec![kind];
        bytes.extend_from_slice(&self.predictions.to_le_bytes());
        bytes.extend_from_slice(&self.labelled.to_le_bytes());
        put(&mut bytes, &counts);
        put(&mut bytes, &self.scores.to_bytes());
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
            LISTS => Counts::Lists(lists_from_bytes(counts)?),
            _ => return Err(ContentError::Malformed("an unknown task")),
        };
        let scores = ScoreCounts::from_bytes(part(&mut bytes)?)?;
        let delays = DelayCurve::from_bytes(part(&mut bytes)?)?;
        Ok(Self { predictions, labelled, counts, scores, delays })
    }
}

type Classes = BTreeMap<(String, String), u64>;
/// Items by list: score and relevance.
type Lists = BTreeMap<String, Vec<(f64, f64)>>;

/// Items are written in the order of their numbers, so that equal lists are equal bytes.
fn lists_to_bytes(lists: &Lists) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (list, items) in lists {
        let mut items = items.clone();
        items.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        put(&mut bytes, list.as_bytes());
        put(
            &mut bytes,
            &items
                .iter()
                .flat_map(|(score, truth)| [score.to_le_bytes(), truth.to_le_bytes()].concat())
                .collect::<Vec<u8>>(),
        );
    }
    bytes
}

fn lists_from_bytes(mut bytes: &[u8]) -> Result<Lists, ContentError> {
    let mut lists = Lists::new();
    while !bytes.is_empty() {
        let list = String::from_utf8(part(&mut bytes)?.to_vec());
        let list = list.map_err(|_| ContentError::Malformed("a list is no text"))?;
        let (numbers, rest) = part(&mut bytes)?.as_chunks::<8>();
        let (items, odd) = numbers.as_chunks::<2>();
        if !rest.is_empty() || !odd.is_empty() {
            return Err(ContentError::Malformed("an item is cut off"));
        }
        let item = |[score, truth]: &[[u8; 8]; 2]| (f64::from_le_bytes(*score), f64::from_le_bytes(*truth));
        lists.insert(list, items.iter().map(item).collect());
    }
    Ok(lists)
}

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

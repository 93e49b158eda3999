//! What one partition of the stream came to: mergeable, and the same however rows were cut into batches.

use millrace_statistics::DecodeError;
use millrace_statistics::decode::{Reader, put_block, put_varint};

use crate::analysis::units::Summary;

const FORMAT: u8 = 2;

/// Units of a phase, cumulative.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counted {
    /// Per metric, in the definition's order.
    pub metrics: Vec<Summary>,
    /// Rows that arms of the experiment served.
    pub rows: u64,
    /// The first exposure, in ms.
    pub first_ms: Option<i64>,
    /// Rows whose label horizon has closed.
    pub closed: u64,
    /// Those of them whose outcome came.
    pub outcomes: u64,
}

impl Counted {
    /// Takes another partition's: units are partitioned by it.
    pub fn merge(&mut self, other: &Self) {
        self.metrics.resize(self.metrics.len().max(other.metrics.len()), Summary::default());
        self.metrics.iter_mut().zip(&other.metrics).for_each(|(one, more)| one.merge(more));
        self.rows += other.rows;
        self.closed += other.closed;
        self.outcomes += other.outcomes;
        self.first_ms = [self.first_ms, other.first_ms].into_iter().flatten().min();
    }

    /// Equal ones have equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT, u8::from(self.first_ms.is_some())];
        bytes.extend(self.first_ms.unwrap_or(0).to_le_bytes());
        [self.rows, self.closed, self.outcomes].into_iter().for_each(|count| put_varint(&mut bytes, count));
        put_varint(&mut bytes, self.metrics.len() as u64);
        self.metrics.iter().for_each(|metric| put_block(&mut bytes, &metric.to_bytes()));
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// Anything else, saying where it does not fit.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("what was counted", bytes);
        reader.format(FORMAT)?;
        let (begun, first_ms) = (reader.flag()?, reader.signed()?);
        let (rows, closed, outcomes) = (reader.varint()?, reader.varint()?, reader.varint()?);
        let count = reader.count(1)?;
        let metrics =
            (0..count).map(|_| Summary::from_bytes(reader.block()?)).collect::<Result<_, DecodeError>>()?;
        reader.end()?;
        Ok(Self { metrics, rows, first_ms: begun.then_some(first_ms), closed, outcomes })
    }
}

/// A row that both versions scored.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// A hash of the row's id: samples keep the least.
    pub id: u64,
    /// A hash of its unit.
    pub unit: u64,
    /// The deployment under which it was served.
    pub deployment: i64,
    /// The control's score.
    pub control: f64,
    /// The treatment's.
    pub treatment: f64,
    /// What came true, where that is known.
    pub positive: Option<bool>,
    /// What the two versions decide for.
    pub decisions: [String; 2],
    /// The values of the definition's segments.
    pub segments: Vec<String>,
}

/// As bytes.
pub fn pairs_to_bytes(pairs: &[Pair]) -> Vec<u8> {
    let mut bytes = vec![FORMAT];
    put_varint(&mut bytes, pairs.len() as u64);
    for pair in pairs {
        bytes.extend(pair.id.to_le_bytes());
        bytes.extend(pair.unit.to_le_bytes());
        bytes.extend(pair.deployment.to_le_bytes());
        bytes.extend(pair.control.to_le_bytes());
        bytes.extend(pair.treatment.to_le_bytes());
        bytes.push(pair.positive.map_or(2, u8::from));
        pair.decisions.iter().for_each(|text| put_block(&mut bytes, text.as_bytes()));
        put_varint(&mut bytes, pair.segments.len() as u64);
        pair.segments.iter().for_each(|text| put_block(&mut bytes, text.as_bytes()));
    }
    bytes
}

/// Reads what [`pairs_to_bytes`] wrote.
///
/// # Errors
/// Anything else, saying where it does not fit.
pub fn pairs_from_bytes(bytes: &[u8]) -> Result<Vec<Pair>, DecodeError> {
    let mut reader = Reader::new("scored rows", bytes);
    reader.format(FORMAT)?;
    let count = reader.count(44)?;
    let pairs = (0..count).map(|_| pair(&mut reader)).collect::<Result<_, _>>()?;
    reader.end()?;
    Ok(pairs)
}

fn pair(reader: &mut Reader<'_>) -> Result<Pair, DecodeError> {
    let unsigned = |reader: &mut Reader<'_>| reader.array().map(u64::from_le_bytes);
    let (id, unit, deployment) = (unsigned(reader)?, unsigned(reader)?, reader.signed()?);
    let (control, treatment) = (reader.float()?, reader.float()?);
    let positive = match reader.array()? {
        [2] => None,
        [byte] => Some(byte == 1),
    };
    let decisions = [reader.text()?.to_owned(), reader.text()?.to_owned()];
    let count = reader.count(1)?;
    let segments = (0..count).map(|_| reader.text().map(str::to_owned)).collect::<Result<_, _>>()?;
    Ok(Pair { id, unit, deployment, control, treatment, positive, decisions, segments })
}

/// Who won a request, of two rankers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Won {
    /// The deployment under which the list was made.
    pub deployment: i64,
    /// The user.
    pub user: String,
    /// What each arm's ranker earned more of: 1 the first, 2 the second, 0 neither.
    pub winner: u8,
}

/// As bytes.
pub fn outcomes_to_bytes(outcomes: &[Won]) -> Vec<u8> {
    let mut bytes = vec![FORMAT];
    put_varint(&mut bytes, outcomes.len() as u64);
    for one in outcomes {
        bytes.extend(one.deployment.to_le_bytes());
        bytes.push(one.winner);
        put_block(&mut bytes, one.user.as_bytes());
    }
    bytes
}

/// Reads what [`outcomes_to_bytes`] wrote.
///
/// # Errors
/// Anything else, saying where it does not fit.
pub fn outcomes_from_bytes(bytes: &[u8]) -> Result<Vec<Won>, DecodeError> {
    let mut reader = Reader::new("outcomes of lists", bytes);
    reader.format(FORMAT)?;
    let count = reader.count(10)?;
    let mut one = || {
        let deployment = reader.signed()?;
        let [winner] = reader.array()?;
        Ok(Won { deployment, winner, user: reader.text()?.to_owned() })
    };
    let outcomes = (0..count).map(|_| one()).collect::<Result<_, DecodeError>>()?;
    reader.end()?;
    Ok(outcomes)
}

/// FNV-1a 64.
pub fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

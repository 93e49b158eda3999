//! What one batch caused: produced, and produced again after an abort, until its commit.

use std::sync::Arc;

use hashbrown::HashMap;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::store_writer::TaskKey;
use super::topic::EncodedRows;
use crate::dead_letters::{DeadLetters, Letter};
use crate::embedded::{Amount, Flow};
use crate::error::Error;
use crate::headers::{self, Parent};
use crate::input::RawBatch;
use crate::kafka::producer::{OutRecord, Outlet};
use crate::task::Origin;

/// A raw record: where its bytes are.
#[derive(Debug, Clone)]
pub struct RawRef {
    /// Its batch.
    pub batch: Arc<RawBatch>,
    /// Its index there.
    pub index: usize,
}

/// The row that outputs go back to.
#[derive(Debug, Clone)]
pub struct Cause {
    /// The event at the root of the chain.
    pub origin: Origin,
    /// Kafka's timestamp of that event, in ms.
    pub origin_ms: i64,
    /// Passed on.
    pub traceparent: Option<Arc<str>>,
    /// Passed on.
    pub late: bool,
    /// The stage, for a dead letter.
    pub stage: usize,
    /// Its input topic, for a dead letter.
    pub topic: Arc<str>,
    /// Its partition.
    pub partition: i32,
    /// Its bytes, for a dead letter.
    pub raw: RawRef,
}

impl Cause {
    /// The row itself, as the parent of a record that it causes.
    fn parent(&self, part: u32) -> Parent {
        let offset = self.raw.batch.records.get(self.raw.index).map_or(-1, |record| record.offset);
        let record = Origin { topic: self.topic.clone(), partition: self.partition, offset };
        Parent { record, part }
    }
}

/// Rows for one topic.
#[derive(Debug)]
pub struct OutBatch {
    /// The topic.
    pub topic: Arc<str>,
    /// The rows.
    pub rows: EncodedRows,
    /// For each, the index of its cause.
    pub cause: Vec<u32>,
    /// For each, whether it is marked late; empty: none is by itself.
    pub late: Vec<bool>,
}

/// What one batch of one task caused.
#[derive(Debug)]
pub struct PendingBatch {
    /// The task.
    pub task: TaskKey,
    /// The rows of the batch, in the order taken.
    pub causes: Vec<Cause>,
    /// Rows to produce.
    pub outputs: Vec<OutBatch>,
    /// Dead letters to produce.
    pub letters: Vec<Letter>,
    /// Causes whose outputs were refused: nothing of them is produced.
    refused: Vec<u32>,
    /// Where records tell their parents: for each row of each output, which of the records it is that its cause has in
    /// that partition.
    parts: Option<Vec<Vec<u32>>>,
}

/// What [`PendingBatch::produce`] numbers its records with: batch, output and row.
const ROW_BITS: u32 = 32;
const OUTPUT_BITS: u32 = 8;
/// The output number of dead letters.
const LETTERS: usize = (1 << OUTPUT_BITS) - 1;

impl PendingBatch {
    /// What a batch caused. `parents`: whether records tell which record was taken to write them.
    pub fn new(
        task: TaskKey,
        causes: Vec<Cause>,
        outputs: Vec<OutBatch>,
        letters: Vec<Letter>,
        parents: bool,
    ) -> Self {
        let parts = parents.then(|| parts(&outputs));
        Self { task, causes, outputs, letters, refused: Vec::new(), parts }
    }

    /// Rows that are produced, dead letters left aside.
    pub fn rows(&self) -> u64 {
        let causes = self.outputs.iter().flat_map(|o| &o.cause);
        causes.filter(|cause| !self.refused.contains(cause)).count() as u64
    }

    /// Whether the batch caused nothing and no live row was taken.
    pub fn is_empty(&self) -> bool {
        self.causes.is_empty() && self.letters.is_empty()
    }

    /// Sends everything; records are numbered so that [`refuse`](Self::refuse) finds them again. Whether it is whole: an
    /// output that the client itself refuses as too large is turned into a dead letter on the way, and a transaction that
    /// fails meanwhile takes no more.
    pub fn produce(
        &mut self,
        batch: usize,
        outlet: &Outlet,
        letters: &mut DeadLetters,
        flow: Option<&Flow>,
    ) -> Result<bool, Error> {
        let refused = self.refused.len();
        for output in 0..self.outputs.len() {
            for row in 0..self.outputs[output].cause.len() {
                if !self.produce_row(batch, output, row, outlet, flow)? {
                    return Ok(false);
                }
            }
        }
        for letter in 0..self.letters.len() {
            if !self.produce_letter(batch, letter, outlet, letters)? {
                return Ok(false);
            }
        }
        Ok(self.refused.len() == refused)
    }

    /// Sends one record again that did not arrive; what took its place, where the broker refused it as too large.
    pub fn produce_again(
        &mut self,
        number: usize,
        too_large: bool,
        outlet: &Outlet,
        letters: &mut DeadLetters,
    ) -> Result<(), Error> {
        let (batch, output, row) = unnumbered(number);
        let known = self.letters.len();
        if too_large {
            self.refuse(output, row);
        }
        if output == LETTERS {
            return self.produce_letter(batch, row, outlet, letters).map(drop);
        }
        if !too_large {
            self.produce_row(batch, output, row, outlet, None)?;
        }
        (known..self.letters.len()).try_for_each(|i| self.produce_letter(batch, i, outlet, letters).map(drop))
    }

    /// Sends a dead letter; `Ok(false)`: the transaction takes no more.
    fn produce_letter(
        &self,
        batch: usize,
        index: usize,
        outlet: &Outlet,
        letters: &mut DeadLetters,
    ) -> Result<bool, Error> {
        let Some(letter) = self.letters.get(index) else { return Ok(true) };
        let rows = letters.encode(letter)?;
        let sent = outlet.send(letters.record(letter, &rows), numbered(batch, LETTERS, index));
        sent.map_err(Error::kafka(format!("cannot send to {}", letters.topic())))
    }

    /// Sends a row; `Ok(false)`: the transaction takes no more.
    fn produce_row(
        &mut self,
        batch: usize,
        number: usize,
        row: usize,
        outlet: &Outlet,
        flow: Option<&Flow>,
    ) -> Result<bool, Error> {
        let output = &self.outputs[number];
        let cause_index = output.cause[row];
        if self.refused.contains(&cause_index) {
            return Ok(true);
        }
        let (Some(cause), Some(payload)) =
            (self.causes.get(cause_index as usize), output.rows.payloads.get(row))
        else {
            return Err(Error::Configuration(format!("an output row of {} has no cause", output.topic)));
        };
        let late = cause.late || output.late.get(row).copied().unwrap_or(false);
        let key = output.rows.key(row);
        let partition = output.rows.partitions[row];
        let part = self.parts.as_ref().and_then(|parts| parts.get(number)?.get(row).copied());
        let parent = part.map(|part| cause.parent(part).to_string());
        let record = OutRecord {
            topic: &output.topic,
            partition,
            key,
            payload,
            headers: headers::write(
                &cause.origin.to_string(),
                cause.origin_ms,
                parent.as_deref(),
                cause.traceparent.as_deref(),
                late,
            ),
        };
        if let Some(flow) = flow {
            flow.wrote(&output.topic, partition, Amount::of_record(key, Some(payload)));
        }
        match outlet.send(record, numbered(batch, number, row)) {
            Ok(sent) => Ok(sent),
            Err(KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge)) => {
                self.refuse_cause(cause_index, number);
                Ok(true)
            }
            Err(source) => Err(Error::Kafka { what: format!("cannot send to {}", output.topic), source }),
        }
    }

    /// The partition that a record is sent to; `None`: it is a dead letter.
    pub fn partition(&self, output: usize, row: usize) -> Option<i32> {
        self.outputs.get(output)?.rows.partitions.get(row).copied()
    }

    /// The broker refused an output as too large: the row that caused it goes to the dead letters instead.
    pub fn refuse(&mut self, output: usize, row: usize) {
        if output == LETTERS {
            if let Some(letter) = self.letters.get_mut(row) {
                letter.drop_bytes();
            }
        } else if let Some(cause) = self.outputs.get(output).and_then(|o| o.cause.get(row)).copied() {
            self.refuse_cause(cause, output);
        }
    }

    fn refuse_cause(&mut self, cause: u32, output: usize) {
        if self.refused.contains(&cause) {
            return;
        }
        self.refused.push(cause);
        if let (Some(row), Some(output)) = (self.causes.get(cause as usize), self.outputs.get(output)) {
            let detail = format!("its output is too large for {}", output.topic);
            self.letters.push(Letter::of_row(row, "output_too_large", detail));
        }
    }
}

/// Numbers the records that one row causes in one partition, for each row of each output.
fn parts(outputs: &[OutBatch]) -> Vec<Vec<u32>> {
    let mut next: HashMap<(&str, i32, u32), u32> = HashMap::new();
    let of_output = |output| {
        let OutBatch { topic, rows, cause, .. }: &OutBatch = output;
        let of_row = |(partition, cause): (&i32, &u32)| {
            let next = next.entry((topic.as_ref(), *partition, *cause)).or_default();
            std::mem::replace(next, *next + 1)
        };
        rows.partitions.iter().zip(cause).map(of_row).collect()
    };
    outputs.iter().map(of_output).collect()
}

fn numbered(batch: usize, output: usize, row: usize) -> usize {
    (batch << (ROW_BITS + OUTPUT_BITS)) | (output << ROW_BITS) | row
}

/// The batch, the output and the row that a record was numbered with.
pub fn unnumbered(number: usize) -> (usize, usize, usize) {
    let row = number & ((1 << ROW_BITS) - 1);
    (number >> (ROW_BITS + OUTPUT_BITS), (number >> ROW_BITS) & LETTERS, row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_says_which_record_it_was() {
        for record in [(0, 0, 0), (7, 3, 123_456), (65_000, LETTERS, 4_000_000_000)] {
            assert_eq!(unnumbered(numbered(record.0, record.1, record.2)), record);
        }
    }
}

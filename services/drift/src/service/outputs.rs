//! Gathers what a batch causes, in the order of the rows that cause it.

use millrace_runtime::task::{Effects, Output};
use serde::Serialize;

use super::Error;
use super::message::{Message, encode};

/// Messages for one output topic, each with the row that caused it.
#[derive(Debug)]
pub struct Outgoing<H> {
    messages: Vec<(u32, Message<H>)>,
}

impl<H> Default for Outgoing<H> {
    fn default() -> Self {
        Self { messages: Vec::new() }
    }
}

impl<H: Serialize> Outgoing<H> {
    /// A message that the row `cause` (an index in the batch's order) caused.
    pub fn push(&mut self, cause: u32, message: Message<H>) {
        self.messages.push((cause, message));
    }

    /// Appends them to the effects, as outputs to the stage's topic of that index: by cause, then as they were pushed, so
    /// that how rows were cut into batches changes nothing.
    pub fn finish(mut self, topic: usize, effects: &mut Effects) -> Result<(), Error> {
        if self.messages.is_empty() {
            return Ok(());
        }
        self.messages.sort_by_key(|(cause, _)| *cause);
        let (causes, messages): (Vec<u32>, Vec<Message<H>>) = self.messages.into_iter().unzip();
        let (rows, of) = encode(&messages)?;
        let cause = of.into_iter().map(|index| causes[index]).collect();
        effects.outputs.push(Output { topic, rows, cause, late: Vec::new() });
        Ok(())
    }
}

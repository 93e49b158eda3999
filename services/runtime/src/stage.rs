//! A stage as one worker runs it: its decoders, its output topics, its aligner.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use millrace_schemas::{Decoder, SchemaRegistry};

use crate::alignment::Aligner;
use crate::error::Error;
use crate::output::{OutTopic, schema};
use crate::service::Stage;

/// An input topic of a stage.
pub struct StageInput {
    /// The Kafka name.
    pub topic: Arc<str>,
    /// What turns its records into rows.
    pub decoder: Decoder,
    /// The rows' schema.
    pub schema: SchemaRef,
    /// Whether its rows may come once more.
    pub repeats: bool,
}

/// A stage as one worker runs it.
pub struct RunningStage {
    /// What the service says of it.
    pub stage: Stage,
    /// Its inputs.
    pub inputs: Vec<StageInput>,
    /// Its output topics.
    pub outputs: Vec<OutTopic>,
    /// Keeps its partitions side by side.
    pub aligner: Option<Aligner>,
    /// Whether what it writes may come once more, so that records tell their parents.
    pub repeats: bool,
}

impl RunningStage {
    /// Sets a stage up. `Ok(None)`: the registry does not answer yet. `repeats`: rows of derived topics may come once more.
    pub fn open(
        stage: &Stage,
        registry: &Arc<dyn SchemaRegistry>,
        aligner: Option<Aligner>,
        repeats: bool,
    ) -> Result<Option<Self>, Error> {
        let mut outputs = Vec::with_capacity(stage.outputs.len());
        for topic in &stage.outputs {
            match OutTopic::open(topic, registry.as_ref())? {
                Some(output) => outputs.push(output),
                None => return Ok(None),
            }
        }
        let inputs = stage.inputs.iter().map(|input| {
            let schema = schema(&input.topic)?;
            Ok(StageInput {
                topic: input.topic.name.as_str().into(),
                schema: schema.arrow().clone(),
                decoder: Decoder::new(input.topic.format, schema, registry.clone()),
                repeats: repeats && input.source.is_none(),
            })
        });
        Ok(Some(Self {
            stage: stage.clone(),
            inputs: inputs.collect::<Result<_, Error>>()?,
            outputs,
            aligner,
            repeats,
        }))
    }

    /// The partition numbers for which a worker that owns `owned` owns all inputs.
    pub fn complete(&self, owned: &[(String, i32)]) -> Vec<i32> {
        let has = |topic: &str, p: i32| owned.iter().any(|(t, q)| t == topic && *q == p);
        let mut numbers: Vec<_> = owned.iter().map(|(_, p)| *p).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.retain(|p| self.inputs.iter().all(|input| has(&input.topic, *p)));
        numbers
    }
}

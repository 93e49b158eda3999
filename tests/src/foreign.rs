//! A client that is not ours: confluent-kafka, driven by the scripts in `tests/clients`.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::process::Process;
use crate::stack::Stack;
use crate::{cache, reaper};

const PRODUCED_WITHIN: Duration = Duration::from_secs(600);

/// What the client has to know of a topic it writes.
#[derive(Debug, Clone)]
pub struct Topic {
    /// The name without the application.
    pub stem: String,
    /// The column of the record's key.
    pub key: String,
    /// The column of the record time.
    pub time: String,
    /// The Avro schema's file; `None`: records are JSON.
    pub schema: Option<PathBuf>,
}

impl Topic {
    /// A topic of Avro records.
    pub fn avro(stem: &str, key: &str, time: &str, schema: &Path) -> Self {
        Self { stem: stem.into(), key: key.into(), time: time.into(), schema: Some(schema.into()) }
    }

    /// A topic of JSON records.
    pub fn json(stem: &str, key: &str, time: &str) -> Self {
        Self { stem: stem.into(), key: key.into(), time: time.into(), schema: None }
    }

    fn argument(&self) -> String {
        let Topic { stem, key, time, schema } = self;
        match schema {
            Some(schema) => format!("{stem}:key={key},time={time},schema={}", schema.display()),
            None => format!("{stem}:key={key},time={time},format=json"),
        }
    }
}

/// Publishing to one application's topics.
pub struct Producer<'a> {
    stack: &'a Stack,
    app: String,
    topics: Vec<Topic>,
    flush_every_ms: Option<i64>,
}

impl<'a> Producer<'a> {
    /// A client for the topics `<app>.<stem>`.
    pub fn new(stack: &'a Stack, app: &str, topics: Vec<Topic>) -> Self {
        Self { stack, app: app.into(), topics, flush_every_ms: None }
    }

    /// Waits for all deliveries each time that the record time has gone on by this much.
    pub fn flush_every_ms(mut self, flush_every_ms: i64) -> Self {
        self.flush_every_ms = Some(flush_every_ms);
        self
    }

    /// Starts publishing a file of JSON lines (what a line may be stands in `tests/clients/produce.py`).
    pub fn start(&self, lines: &Path) -> Result<Publishing> {
        let mut command = python("produce.py")?;
        command
            .args(["--bootstrap", self.stack.kafka.bootstrap(), "--registry", self.stack.registry.url()])
            .args(["--app", &self.app, "--input"])
            .arg(lines);
        for topic in &self.topics {
            command.args(["--topic", &topic.argument()]);
        }
        if let Some(ms) = self.flush_every_ms {
            command.args(["--flush-every-ms", &ms.to_string()]);
        }
        Ok(Publishing(Process::spawn("the foreign producer", &mut command)?))
    }

    /// Publishes a file and waits until all is delivered.
    pub fn publish(&self, lines: &Path) -> Result<usize> {
        self.start(lines)?.finish()
    }

    /// Publishes these lines.
    pub fn publish_lines(&self, lines: &[Value]) -> Result<usize> {
        let folder = reaper::temporary_folder()?;
        let path = folder.path().join("lines.jsonl");
        let mut file = BufWriter::new(std::fs::File::create(&path)?);
        for line in lines {
            writeln!(file, "{line}")?;
        }
        file.into_inner()?;
        self.publish(&path)
    }
}

/// A producer that runs.
pub struct Publishing(Process);

impl Publishing {
    /// Waits until all is delivered; how many records that were.
    pub fn finish(mut self) -> Result<usize> {
        let status = self.0.wait(PRODUCED_WITHIN)?;
        ensure!(status.success(), "the foreign producer failed ({status}):\n{}", self.0.tail());
        let output = self.0.output();
        let count = output.lines().find_map(|line| line.strip_prefix("delivered "));
        Ok(count.context("the foreign producer did not say how many it delivered")?.parse()?)
    }
}

/// Reads `count` Avro records of a topic: objects with `key`, `partition`, `offset`, `headers` and `value`.
pub fn consume(stack: &Stack, topic: &str, count: usize, bound: Duration) -> Result<Vec<Value>> {
    let mut command = python("consume.py")?;
    command
        .args(["--bootstrap", stack.kafka.bootstrap(), "--registry", stack.registry.url(), "--topic", topic])
        .args(["--count", &count.to_string(), "--timeout-s", &bound.as_secs().to_string()]);
    let output = command.output()?;
    ensure!(
        output.status.success(),
        "the foreign consumer failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout)?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

fn python(script: &str) -> Result<Command> {
    let mut command = Command::new(cache::path("python/bin/python")?);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(script));
    Ok(command)
}

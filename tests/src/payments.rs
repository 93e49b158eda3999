//! Generated payments with their labels, as files for `backfill` and as lines for the foreign client.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use millrace_load::fraud::{DAY_MS, Event, Params, Stream, stream};
use millrace_load::output::{json, parquet};
use tempfile::TempDir;

use crate::application::repository;
use crate::foreign::Topic;
use crate::reaper;

/// In which order the records are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Payments and labels by record time, as they happen.
    Merged,
    /// All payments, then all labels.
    PaymentsFirst,
}

/// The first `rows` payments of a generated stream.
pub struct Payments {
    stream: Stream,
    folder: TempDir,
}

impl Payments {
    /// `rows` payments of `customers` customers; an error if they span fewer than `days` days.
    pub fn generate(rows: usize, customers: u32, days: u32) -> Result<Self> {
        let params = Params { customers, days: days + days / 2, seed: 7, ..Params::default() };
        let stream = stream(&params).limit(rows);
        let payments = stream.payments();
        ensure!(payments.len() == rows, "{} payments were generated instead of {rows}", payments.len());
        let span_ms = match (payments.first(), payments.last()) {
            (Some(first), Some(last)) => last.tx_time_ms - first.tx_time_ms,
            _ => 0,
        };
        ensure!(span_ms >= i64::from(days) * DAY_MS, "the payments span {} days only", span_ms / DAY_MS);
        let folder = reaper::temporary_folder()?;
        parquet::write(&stream, folder.path())?;
        Ok(Self { stream, folder })
    }

    /// How many payments there are; as many labels.
    pub fn len(&self) -> usize {
        self.stream.payments().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `transactions.parquet` or `labels.parquet`.
    pub fn parquet(&self, source: &str) -> PathBuf {
        self.folder.path().join(format!("{source}.parquet"))
    }

    /// A file of JSON lines of both topics.
    pub fn lines(&self, order: Order) -> Result<PathBuf> {
        let path = self.folder.path().join(format!("{order:?}.jsonl"));
        if !path.exists() {
            self.write_lines(order, &path)?;
        }
        Ok(path)
    }

    fn write_lines(&self, order: Order, path: &Path) -> Result<()> {
        let out = BufWriter::new(File::create(path)?);
        let events = || self.stream.clone();
        match order {
            Order::Merged => json::write(events(), out)?,
            Order::PaymentsFirst => {
                let payments = events().filter(|event| matches!(event, Event::Payment(_)));
                let labels = events().filter(|event| matches!(event, Event::Label(_)));
                json::write(payments.chain(labels), out)?;
            }
        }
        Ok(())
    }
}

/// The source topics of the fraud application, for the foreign client.
pub fn topics() -> Result<Vec<Topic>> {
    let source = |stem: &str, time: &str| -> Result<Topic> {
        let root = repository();
        let file = root.join(format!("topics/fraud/{stem}.toml"));
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let schema = text.lines().find_map(|line| line.strip_prefix("schema = \""));
        let schema = schema.and_then(|rest| rest.strip_suffix('"')).context("no line `schema = \"...\"`")?;
        Ok(Topic::avro(stem, "customer_id", time, &root.join("schemas").join(schema)))
    };
    Ok(vec![source("transactions", "tx_time")?, source("labels", "label_time")?])
}

//! A view over files: the very plan that streams run, over Parquet.
//!
//! Rows are taken as a live run would take them: the inputs' next rows merged by record time, ties by the order of the
//! sources in the SQL, rows of a file in its order. Each stage has one lane per partition, so that task times, and with
//! them lateness, are those of live tasks.

mod cast;
mod chain;
mod file;
mod moments;
mod output;
mod report;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use millrace_topics::Partitioner;

use crate::error::Error;
use crate::exec::SourceRows;
use crate::view::PlannedView;
use chain::Chain;
use file::SourceFile;
use output::OutputFile;
use report::Counting;
pub use report::{RejectedRows, Report};

/// The file that holds a source's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The source's name in the SQL.
    pub source: String,
    /// A Parquet file.
    pub file: PathBuf,
}

/// Keys to partitions.
#[derive(Debug, Clone, Copy)]
struct Partitions {
    partitioner: Partitioner,
    count: u32,
}

/// Rows that one pass takes at most.
const CHUNK: usize = 16_384;

/// Runs a view over files and writes one row per emitted row, in the order taken, as Parquet. `progress` is told how
/// many rows of how many were taken. Nothing is left at `output` unless it is whole.
pub fn backfill(
    view: &PlannedView,
    inputs: &[Input],
    output: &std::path::Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, Error> {
    refuse_overwriting(inputs, output)?;
    let mut files = open(view, inputs)?;
    let total = files.iter().map(SourceFile::rows).sum();
    let mut chain = Chain::new(&view.plan, source_partitions(view), view_partitions(view))?;
    let mut writer = OutputFile::create(output, view.schema.arrow())?;
    let mut counting = Counting::default();
    let mut order = Vec::with_capacity(CHUNK);
    loop {
        for file in &mut files {
            file.fill(&mut counting)?;
        }
        let from: Vec<usize> = files.iter().map(SourceFile::position).collect();
        if !merge(&mut files, &mut order) {
            break;
        }
        let taken = run(&mut chain, &files, &from, &order)?;
        writer.write(&taken.rows)?;
        counting.count(&files, &order, &taken);
        progress(files.iter().map(SourceFile::done).sum(), total);
    }
    writer.finish()?;
    progress(total, total);
    Ok(counting.report(total))
}

fn refuse_overwriting(inputs: &[Input], output: &std::path::Path) -> Result<(), Error> {
    let same = |input: &&Input| match (input.file.canonicalize(), output.canonicalize()) {
        (Ok(input), Ok(output)) => input == output,
        _ => false,
    };
    match inputs.iter().find(same) {
        Some(input) => Err(Error::Backfill(format!(
            "the output {} is the input of {} too; write to another file",
            output.display(),
            input.source
        ))),
        None => Ok(()),
    }
}

fn open(view: &PlannedView, inputs: &[Input]) -> Result<Vec<SourceFile>, Error> {
    let sources = &view.plan.sources;
    let names = || sources.iter().map(|source| source.name.as_str()).collect::<Vec<_>>().join(", ");
    for (i, input) in inputs.iter().enumerate() {
        if sources.iter().all(|source| source.name != input.source) {
            let message =
                format!("the view {} does not read {}; it reads: {}", view.topic.stem, input.source, names());
            return Err(Error::Backfill(message));
        }
        if inputs[..i].iter().any(|other| other.source == input.source) {
            return Err(Error::Backfill(format!("{} has two files; give each source one", input.source)));
        }
    }
    let open = |(i, source): (usize, &crate::sql::Source)| {
        let input = inputs.iter().find(|input| input.source == source.name).ok_or_else(|| {
            Error::Backfill(format!("the view {} reads {}; give its file too", view.topic.stem, source.name))
        })?;
        SourceFile::open(&input.file, source, &view.plan.columns_of(i), source_partitions(view), CHUNK)
    };
    sources.iter().enumerate().map(open).collect()
}

fn source_partitions(view: &PlannedView) -> Partitions {
    let kafka = view.sources.first().map_or(&view.topic.kafka, |source| &source.kafka);
    Partitions { partitioner: kafka.partitioner, count: kafka.partitions.max(1) }
}

/// Internal topics have the view's partitions, and Java's partitioner.
fn view_partitions(view: &PlannedView) -> Partitions {
    Partitions { partitioner: Partitioner::Murmur2, count: view.topic.kafka.partitions.max(1) }
}

/// Takes rows until a file has to be read further; whether there was any. `order` is of (source, row of its batch).
fn merge(files: &mut [SourceFile], order: &mut Vec<(usize, usize)>) -> bool {
    order.clear();
    while order.len() < CHUNK {
        let mut first: Option<(i64, usize)> = None;
        for (i, file) in files.iter().enumerate() {
            match file.next_time() {
                Some(time) if first.is_none_or(|(earliest, _)| time < earliest) => first = Some((time, i)),
                None if !file.is_at_end() => return !order.is_empty(),
                _ => {}
            }
        }
        let Some((_, i)) = first else { break };
        order.push((i, files[i].position()));
        files[i].advance();
    }
    !order.is_empty()
}

fn run(
    chain: &mut Chain,
    files: &[SourceFile],
    from: &[usize],
    order: &[(usize, usize)],
) -> Result<chain::Taken, Error> {
    let columns: Vec<Vec<_>> = files.iter().zip(from).map(|(file, from)| file.columns(*from)).collect();
    let inputs: Vec<SourceRows> = files
        .iter()
        .zip(from)
        .zip(&columns)
        .map(|((file, from), columns)| file.source_rows(*from, columns))
        .collect();
    chain.take(&inputs, order.iter().map(|(input, row)| (*input, row - from[*input])))
}

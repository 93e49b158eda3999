//! Runs every case of `tests/sql_cases` in every way. Their format stands in the README there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use arrow::record_batch::RecordBatch;
use millrace_features::backfill::{self, Input};
use millrace_runtime::service::Service;
use millrace_tests::application::Application;
use millrace_tests::reaper;
use millrace_tests::rows::{read_parquet, write_parquet};
use millrace_tests::sql_case::{Case, Outcome, Table, run};

use crate::oracle;

const BATCHES: [usize; 3] = [1, 7, 1000];
const PARTITIONS: [usize; 2] = [1, 3];

#[test]
fn every_sql_case_gives_what_it_expects_in_every_way() {
    let mut failures = Vec::new();
    let files = case_files();
    assert!(files.len() >= 25, "only {} cases were found", files.len());
    for file in &files {
        let outcome = Case::read(file).and_then(|case| check(&case).with_context(|| case.title.clone()));
        if let Err(error) = outcome {
            failures.push(format!("{}: {error:#}", file.file_name().unwrap_or_default().to_string_lossy()));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} cases fail:\n\n{}",
        failures.len(),
        files.len(),
        failures.join("\n\n")
    );
}

#[test]
fn a_case_that_expects_something_else_fails_and_shows_what_came() {
    let file = case_files().into_iter().find(|file| file.ends_with("bounds_are_inclusive.toml")).unwrap();
    let mut case = Case::read(&file).unwrap();
    case.expect = case.expect.map(|expect| expect.replace("6.0", "6.5"));
    let error = format!("{:#}", check(&case).unwrap_err());
    assert!(error.contains("c  | 2 | 6.5") && error.contains("c  | 2 | 6.0"), "{error}");
}

fn case_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql_cases");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|e| e == "toml")).collect();
    files.sort();
    files
}

fn check(case: &Case) -> Result<()> {
    let Some(expect) = &case.expect else { return check_refusal(case) };
    let expect = Table::parse(expect)?;
    for partitions in PARTITIONS {
        let app = case.application(partitions)?;
        let application = load(&app)?;
        let service = service(&application)?;
        let sources = sources(case, &app)?;
        for batch in BATCHES {
            for stop in [false, true] {
                let way = format!(
                    "{partitions} partitions, batches of {batch}{}",
                    if stop { ", stopped half-way" } else { "" }
                );
                let outcome = run(&service, &sources, batch, stop).with_context(|| way.clone())?;
                check_rows(&expect, &outcome.rows, partitions == 1).with_context(|| way.clone())?;
                check_marks(case, &outcome).with_context(|| way.clone())?;
                check_store(case, &app, &outcome).with_context(|| way)?;
            }
        }
        let way = || format!("backfill of {partitions} partitions");
        let rows = backfill(&application, case).with_context(way)?;
        check_rows(&expect, &rows, partitions == 1).with_context(way)?;
    }
    if case.datafusion.is_none() {
        let tables = case.sources.iter().map(|(name, source)| Ok((name.clone(), source.rows()?)));
        let rows = oracle::execute(&case.view, tables.collect::<Result<Vec<_>>>()?).context("DataFusion")?;
        check_rows(&expect, &rows, false).context("DataFusion")?;
    }
    Ok(())
}

fn check_refusal(case: &Case) -> Result<()> {
    let app = case.application(1)?;
    let problems: Vec<String> = match millrace_topics::load(app.topics(), app.name()) {
        Ok(application) => millrace_features::check(&application).iter().map(ToString::to_string).collect(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    };
    ensure!(!problems.is_empty(), "the view is not refused");
    let text = problems.join("\n");
    for part in &case.refused {
        ensure!(text.contains(part), "the refusal does not say {part:?}, but\n{text}");
    }
    Ok(())
}

fn load(app: &Application) -> Result<millrace_topics::Application> {
    millrace_topics::load(app.topics(), app.name()).map_err(all)
}

fn service(application: &millrace_topics::Application) -> Result<Service> {
    let view = application.topic("view").context("the view")?;
    millrace_features::service(application, view).map_err(all)
}

fn all(problems: Vec<millrace_topics::Problem>) -> anyhow::Error {
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    anyhow::anyhow!("refused: {}", problems.join("\n"))
}

/// The sources' rows by Kafka name.
fn sources(case: &Case, app: &Application) -> Result<BTreeMap<String, RecordBatch>> {
    case.sources.iter().map(|(name, source)| Ok((app.topic(name), source.rows()?))).collect()
}

fn backfill(application: &millrace_topics::Application, case: &Case) -> Result<RecordBatch> {
    let folder = reaper::temporary_folder()?;
    let view = application.topic("view").context("the view")?;
    let view = millrace_features::plan_view(application, view).map_err(all)?;
    let inputs = case.sources.iter().map(|(name, source)| {
        let file = folder.path().join(format!("{name}.parquet"));
        write_parquet(&file, &source.rows()?)?;
        Ok(Input { source: name.clone(), file })
    });
    let output = folder.path().join("view.parquet");
    let report = backfill::backfill(&view, &inputs.collect::<Result<Vec<_>>>()?, &output, &mut |_, _| ())?;
    ensure!(report.rejected.is_empty(), "rows were rejected: {:?}", report.rejected);
    ensure!(report.late == u64::try_from(case.late.len())?, "{} rows were late", report.late);
    read_parquet(&output)
}

fn check_rows(expect: &Table, rows: &RecordBatch, ordered: bool) -> Result<()> {
    let actual = Table::of(rows)?;
    ensure!(actual.header == expect.header, "the columns are {:?}", actual.header);
    let expect = expect.normalized(rows)?;
    let equal = if ordered { actual == expect } else { actual.clone().sorted() == expect.clone().sorted() };
    ensure!(equal, "expected\n{expect}but got\n{actual}");
    Ok(())
}

fn check_marks(case: &Case, outcome: &Outcome) -> Result<()> {
    let table = Table::of(&outcome.rows)?;
    let marked = table.column(0).zip(&outcome.late).filter(|(_, late)| **late).map(|(id, _)| id.to_string());
    let mut marked: Vec<String> = marked.collect();
    let mut expected = case.late.clone();
    marked.sort();
    expected.sort();
    ensure!(marked == expected, "marked late are {marked:?}, not {expected:?}");
    ensure!(outcome.rejected.is_empty(), "rows were rejected: {:?}", outcome.rejected);
    Ok(())
}

fn check_store(case: &Case, app: &Application, outcome: &Outcome) -> Result<()> {
    for (key, fields) in &case.store {
        let name = format!("millrace:{}:view:{key}", app.name());
        let write = outcome.store.get(&name);
        let write = write.with_context(|| format!("no {key} in the store: {:?}", outcome.store.keys()))?;
        for (field, expected) in fields {
            let text = write.fields.iter().find(|(name, _)| **name == **field).map(|(_, text)| text.as_str());
            ensure!(text == Some(expected), "the store has {text:?} for {key} {field}, not {expected:?}");
        }
    }
    Ok(())
}

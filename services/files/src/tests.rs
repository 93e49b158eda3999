#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Int64Type};

use super::*;

fn csv(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.csv");
    fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn a_csv_file_is_read_by_its_header_with_types_of_the_whole_file() {
    let (_folder, path) = csv("a,b,c\n1,x,0.5\n2,,1\n3,\"y,z\",\n");
    let reader = open(&path, Some(&["c".to_owned(), "a".to_owned()])).unwrap();
    let names: Vec<_> =
        reader.schema().fields().iter().map(|f| (f.name().clone(), f.data_type().clone())).collect();
    assert_eq!(names, [("a".to_owned(), DataType::Int64), ("c".to_owned(), DataType::Float64)]);
    let batches: Vec<_> = reader.map(Result::unwrap).collect();
    assert_eq!(batches[0].column(0).as_primitive::<Int64Type>().values(), &[1, 2, 3]);
    assert_eq!(batches[0].column(1).null_count(), 1);
}

#[test]
fn json_lines_are_read_as_a_csv_file_of_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let read = |text: &str, columns: &[&str]| -> Result<Vec<_>, Error> {
        let path = folder.path().join("data.jsonl");
        fs::write(&path, text).unwrap();
        let columns: Vec<String> = columns.iter().map(|one| (*one).to_owned()).collect();
        let batches = open(&path, Some(&columns))?.collect::<Result<Vec<_>, _>>()?;
        let batch = &batches[0];
        Ok(texts(&path, batch, &columns[0])?.into_iter().zip(numbers(&path, batch, &columns[1])?).collect())
    };
    let rows =
        read("{\"u\": \"a\", \"x\": [1], \"v\": 1}\n\n{\"v\": 0.5, \"u\": \"b\"}\n", &["u", "v"]).unwrap();
    assert_eq!(rows, [(Some("a".to_owned()), 1.0), (Some("b".to_owned()), 0.5)]);
    // Units may be numbers and texts.
    let rows = read("{\"u\": 7, \"v\": true}\n{\"u\": \"b\", \"v\": false}\n", &["u", "v"]).unwrap();
    assert_eq!(rows, [(Some("7".to_owned()), 1.0), (Some("b".to_owned()), 0.0)]);
    let said = |text: &str| read(text, &["u", "v"]).unwrap_err().to_string();
    assert!(said("").contains("data.jsonl: has no rows"));
    assert!(said("{\"u\": 1}\n").contains("has no column `v`; it has u"));
    let text = said("{\"u\": 1, \"v\": 2}\n{\"u\": 1, \n");
    assert!(text.contains("data.jsonl: line 2: "), "{text}");
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_name_and_line() {
    let said = |path: &Path, columns: Option<&[String]>| match open(path, columns) {
        Err(error) => error.to_string(),
        Ok(reader) => reader.filter_map(Result::err).next().unwrap().to_string(),
    };
    let (_folder, path) = csv("a,b\n1,2\n1,2,3\n");
    let text = said(&path, None);
    assert!(text.contains("data.csv: ") && text.contains("line 3"), "{text}");
    let (_folder, path) = csv("a,b\n");
    assert!(said(&path, None).contains("has no rows"));
    let (folder, path) = csv("a,b\n1,2\n");
    assert!(said(&path, Some(&["x".to_owned()])).contains("has no column `x`; it has a, b"));
    assert!(said(Path::new("/none/x.csv"), None).contains("/none/x.csv: cannot be opened"));
    assert!(said(Path::new("x.json"), None).contains("neither .parquet nor .csv"));
    let broken = folder.path().join("x.parquet");
    fs::write(&broken, "PAR1 no").unwrap();
    assert!(said(&broken, None).contains("x.parquet: is no Parquet file"));
}

#[test]
fn texts_and_numbers_of_a_column_are_told_or_refused_by_name() {
    let (_folder, path) = csv("a,b,c\n1,x,true\n2,,false\n");
    let batch = open(&path, None).unwrap().next().unwrap().unwrap();
    let texts = |column: &str| texts(&path, &batch, column).unwrap();
    assert_eq!(texts("a"), [Some("1".to_owned()), Some("2".to_owned())]);
    assert_eq!(texts("b"), [Some("x".to_owned()), None]);
    assert_eq!(numbers(&path, &batch, "c").unwrap(), [1.0, 0.0]);
    let refused = numbers(&path, &batch, "b").unwrap_err().to_string();
    assert!(refused.ends_with("data.csv: column `b` (Utf8) is not numeric"), "{refused}");
}

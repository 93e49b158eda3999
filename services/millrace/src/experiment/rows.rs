//! Rows of Parquet, CSV and JSON lines files as the experiments' core takes them.

use std::path::Path;

use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use millrace_experiments::files::Error;

/// One file and what is read of it.
pub struct Table<'a> {
    /// The file.
    pub file: &'a Path,
    /// The columns by their role: `unit`, `arm`, `value`, ...
    pub columns: Vec<(&'static str, &'a str)>,
}

/// A batch of a file with the number of its first row, from 1.
pub struct Batch<'a> {
    file: &'a Path,
    rows: RecordBatch,
    first: u64,
}

impl<'a> Table<'a> {
    /// Its batches; `make` turns each into rows.
    ///
    /// # Errors
    /// The file cannot be opened, or has not the columns.
    pub fn rows<R: 'a>(
        &'a self,
        make: impl Fn(&Batch<'_>) -> Result<Vec<R>, Error> + 'a,
    ) -> Result<impl Iterator<Item = Result<R, Error>> + 'a, Error> {
        let columns: Vec<String> = self.columns.iter().map(|(_, column)| (*column).to_owned()).collect();
        let batches = millrace_files::open(self.file, Some(&columns)).map_err(source)?;
        let mut first = 1;
        Ok(batches.flat_map(move |rows| {
            let made = rows.map_err(source).and_then(|rows| {
                let batch = Batch { file: self.file, rows, first };
                first += batch.rows.num_rows() as u64;
                make(&batch)
            });
            match made {
                Ok(rows) => rows.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            }
        }))
    }

    /// An error of the core with file and column named.
    pub fn explained(&self, error: Error) -> anyhow::Error {
        let file = self.file.display();
        match error {
            Error::Source(_) => anyhow::Error::new(error),
            Error::Value { row, column, problem } => {
                let named = self.columns.iter().find(|(role, _)| column.starts_with(role));
                let named = named.map_or_else(|| column.to_owned(), |(_, name)| format!("column `{name}`"));
                anyhow::anyhow!("{file}: row {row}, {named}: {problem}")
            }
            error => anyhow::Error::new(error).context(file.to_string()),
        }
    }
}

fn source(error: millrace_files::Error) -> Error {
    Error::Source(error.to_string())
}

impl Batch<'_> {
    /// How many rows.
    pub fn len(&self) -> usize {
        self.rows.num_rows()
    }

    /// Texts of a column; a row without one is an error that names it by its role.
    pub fn texts(&self, column: &str, role: &'static str) -> Result<Vec<String>, Error> {
        let texts = millrace_files::texts(self.file, &self.rows, column).map_err(source)?;
        let text = |(row, text): (u64, Option<String>)| {
            text.ok_or_else(|| Error::Value { row, column: role, problem: "is empty".to_owned() })
        };
        (self.first..).zip(texts).map(text).collect()
    }

    /// Numbers of a column, NaN where there is none. A column that has texts, too, is read as texts: the first of them that is
    /// no number is an error that names its row.
    pub fn numbers(&self, column: &str) -> Result<Vec<f64>, Error> {
        let kind = self.rows.column_by_name(column).map(|array| array.data_type());
        if !kind.is_some_and(DataType::is_string) {
            return millrace_files::numbers(self.file, &self.rows, column).map_err(source);
        }
        let texts = millrace_files::texts(self.file, &self.rows, column).map_err(source)?;
        let number = |(row, text): (u64, Option<String>)| {
            let Some(text) = text else { return Ok(f64::NAN) };
            text.trim().parse().map_err(|_| {
                let file = self.file.display();
                Error::Source(format!("{file}: row {row}, column `{column}`: `{text}` is no number"))
            })
        };
        (self.first..).zip(texts).map(number).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_no_number_is_told_with_its_row() {
        let folder = tempfile::tempdir().unwrap();
        let said = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            let table = Table { file: &file, columns: vec![("value", "v")] };
            let rows = table.rows(|batch| batch.numbers("v")).unwrap();
            rows.collect::<Result<Vec<_>, _>>().map_err(|error| table.explained(error).to_string())
        };
        assert_eq!(said("a.csv", "v\n1\n2.5\n").unwrap(), [1.0, 2.5]);
        let error = said("a.csv", "v\n1\n2\nmany\n3\n").unwrap_err();
        assert!(error.ends_with("a.csv: row 3, column `v`: `many` is no number"), "{error}");
        let error = said("a.jsonl", "{\"v\": 1}\n{\"v\": \"x\"}\n").unwrap_err();
        assert!(error.ends_with("a.jsonl: row 2, column `v`: `x` is no number"), "{error}");
    }
}

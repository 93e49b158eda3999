//! One case file, and the application it stands for.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use arrow::datatypes::{Field, Schema};
use arrow::record_batch::RecordBatch;
use serde::Deserialize;

use super::table::{Column, Table};
use crate::application::Application;

/// A case as its file says it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What the case shows, as a sentence.
    pub title: String,
    /// The view.
    pub view: String,
    /// The source topics, by name.
    pub sources: BTreeMap<String, Source>,
    /// `lateness` of the view.
    pub lateness: Option<String>,
    /// `horizon` of the view.
    pub horizon: Option<String>,
    /// The rows that the view emits, in the order in which it takes their causes.
    pub expect: Option<String>,
    /// The first cells of the rows that are marked late.
    #[serde(default)]
    pub late: Vec<String>,
    /// What the online store holds in the end: `<entity>:<key>` to fields and their texts.
    #[serde(default)]
    pub store: BTreeMap<String, BTreeMap<String, String>>,
    /// Parts of the text with which the view is refused; instead of `expect`.
    #[serde(default)]
    pub refused: Vec<String>,
    /// Why DataFusion cannot say the same.
    pub datafusion: Option<String>,
}

/// A source topic of a case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The column of the record's key.
    pub key: String,
    /// The column of the record time.
    pub time: String,
    /// A table: columns as `name type`, then the rows as they lie in the log.
    pub rows: String,
}

impl Case {
    /// Reads a case file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)?;
        let case: Self = toml::from_str(&text)?;
        ensure!(case.expect.is_some() == case.refused.is_empty(), "a case has either `expect` or `refused`");
        Ok(case)
    }

    /// A case without expectations: a view of one topic `events`.
    pub fn of_one_source(view: String, key: &str, time: &str, rows: String) -> Self {
        let source = Source { key: key.into(), time: time.into(), rows };
        Self {
            title: "events".into(),
            view,
            sources: BTreeMap::from([("events".into(), source)]),
            lateness: None,
            // Longer than any rows of such a case span.
            horizon: Some("100 days".into()),
            expect: None,
            late: Vec::new(),
            store: BTreeMap::new(),
            refused: Vec::new(),
            datafusion: None,
        }
    }

    /// The case's application: its topics with this many partitions each, the view in `view.toml` and `view.sql`.
    pub fn application(&self, partitions: usize) -> Result<Application> {
        let app = Application::empty("case")?;
        for (name, source) in &self.sources {
            app.write(&format!("{name}.avsc"), &source.avro(name)?)?;
            let text = format!(
                "title = \"Rows\"\nschema = \"{name}.avsc\"\nkey = \"{}\"\ntime = \"{}\"\n\
                 partitions = {partitions}\nretention = \"forever\"\n",
                source.key, source.time
            );
            app.write(&format!("{name}.toml"), &text)?;
        }
        let mut text = format!("title = \"The view\"\npartitions = {partitions}\nretention = \"forever\"\n");
        text += "\n[features]\nstart = \"earliest\"\nmax_skew = \"12h\"\n";
        for (name, value) in [("lateness", &self.lateness), ("horizon", &self.horizon)] {
            if let Some(value) = value {
                text += &format!("{name} = \"{value}\"\n");
            }
        }
        app.write("view.toml", &text)?;
        app.write("view.sql", &self.view)?;
        Ok(app)
    }
}

impl Source {
    fn table(&self) -> Result<(Vec<Column>, Table)> {
        let table = Table::parse(&self.rows)?;
        let columns = table.header.iter().map(|cell| Column::parse(cell)).collect::<Result<Vec<_>>>()?;
        Ok((columns, table))
    }

    /// The Avro schema of its rows.
    pub fn avro(&self, name: &str) -> Result<String> {
        let (columns, _) = self.table()?;
        let fields = columns.iter().map(Column::avro).collect::<Result<Vec<_>>>()?;
        let fields = fields.join(", ");
        Ok(format!(
            "{{\"type\": \"record\", \"name\": \"{name}\", \"namespace\": \"cases\", \"fields\": [{fields}]}}"
        ))
    }

    /// Its rows.
    pub fn rows(&self) -> Result<RecordBatch> {
        let (columns, table) = self.table()?;
        let mut fields = Vec::new();
        let mut arrays = Vec::new();
        for (i, column) in columns.iter().enumerate() {
            let array = column.read(table.column(i))?;
            fields.push(Field::new(&column.name, array.data_type().clone(), column.nullable));
            arrays.push(array);
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).context("rows of a source")
    }
}

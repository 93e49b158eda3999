//! What one topic of rankings hangs on.

use millrace_runtime::service::{InputTopic, SourceChecks};
use millrace_topics::{Application, RankingsTable, Topic};

use super::candidates::Candidates;
use super::rows::Rows;
use crate::Error;
use crate::version::FeatureColumns;

/// The requests, and how lists are made of them.
pub struct Parts {
    /// The requests.
    pub input: InputTopic,
    /// The columns of their candidates.
    pub columns: FeatureColumns,
    /// The candidates of requests.
    pub candidates: Candidates,
    /// Lists as rows.
    pub rows: Rows,
}

impl Parts {
    /// Finds them; `topic` is a `[rankings]` topic of the application with this table.
    pub fn find(app: &Application, topic: &Topic, table: &RankingsTable) -> Result<Self, Error> {
        let fail = |message: String| Error::Application(format!("{}: {message}", topic.file.display()));
        let requests = app
            .topic(&table.requests)
            .ok_or_else(|| fail(format!("rankings.requests: there is no topic `{}`", table.requests)))?;
        let lacks = |what: &str| fail(format!("{}.toml lacks its {what}", requests.stem));
        let columns = requests.kafka.schema.as_ref().ok_or_else(|| lacks("schema"))?.arrow();
        let schema = topic.kafka.schema.as_ref().ok_or_else(|| fail("its schema is not known".into()))?;
        let id = requests.id.as_deref().ok_or_else(|| lacks("id"))?;
        let time = requests.time.as_deref().ok_or_else(|| lacks("time"))?;
        let candidates = Candidates::find(columns, &table.items).map_err(fail)?;
        Ok(Self {
            input: InputTopic {
                topic: requests.kafka.clone(),
                time: time.to_owned(),
                source: Some(SourceChecks { max_ahead_ms: requests.max_ahead_ms, dead_letters: true }),
            },
            columns: FeatureColumns {
                topic: requests.kafka.name.clone(),
                schema: candidates.schema().clone(),
            },
            rows: Rows::find(schema.arrow(), columns, (id, time), table).map_err(fail)?,
            candidates,
        })
    }
}

//! Alarms as commands see them: read from the journal, spoken to through the topic of commands.

use std::sync::Arc;

use millrace_runtime::task::{Batch, Effects, Input, Origin, Phase, RowMeta, Taken, Task as _};
use millrace_schemas::envelope::{DriftCommand, DriftEvent};
use millrace_schemas::{Decoder, SchemaRegistry};
use millrace_topics::events::{self, Events};
use millrace_topics::{Application, log};
use rdkafka::ClientConfig;

use super::detect::{WindowDetectors, of_windows};
use super::layout::Layout;
use super::measures::Measures;
use super::report::{Report, ReportPlan};
use super::shared::Clocks;
use super::{Error, missing};
use crate::alarm::{Alarm, AlarmKey};
use crate::cause::Depends;

/// Records taken at once.
const CHUNK: usize = 500;

/// Every alarm, and what the stream's clock shows.
#[derive(Debug, Clone, Default)]
pub struct AlarmBook {
    /// The end of the last window that was judged for good, in ms.
    pub time_ms: Option<i64>,
    /// Alarms that are or were open, by what they are about.
    pub alarms: Vec<(AlarmKey, Alarm)>,
}

/// The alarms of an application all of whose topics have their schemas: its journal, replayed.
pub fn alarms(
    app: &Application,
    kafka: &ClientConfig,
    registry: Arc<dyn SchemaRegistry>,
) -> Result<AlarmBook, Error> {
    let layout = Layout::of(app)?;
    let journal = layout.between.journal;
    let schema = journal.schema.clone().ok_or_else(|| missing(app, "drift", "a schema of its journal"))?;
    let records = log::read_to_end(kafka, &journal.name)
        .map_err(|source| events::Error::of_kafka(&app.name, "read", &journal.name, source))?;
    let plan = ReportPlan {
        triggers: Vec::new(),
        depends: Depends::default(),
        tolerance_ms: 0,
        trained: Arc::new(|_, _| None),
        requests: false,
        detectors: WindowDetectors::new(of_windows(&layout.detectors), layout.table.judge_from_ms),
        outcomes_ms: None,
    };
    let mut report = Report::new(plan, Arc::new(Clocks::default()), Arc::new(Measures::new(&app.name)));
    let mut decoder = Decoder::new(journal.format, schema, registry);
    for chunk in records.chunks(CHUNK) {
        let payloads: Vec<Option<&[u8]>> = chunk.iter().map(|(_, payload)| payload.as_deref()).collect();
        let decoded = decoder.decode(&payloads).map_err(|error| Error::Internal(error.to_string()))?;
        let offsets = decoded.index.iter().filter_map(|index| Some(chunk.get(*index)?.0));
        let batch = batch(&journal.name, decoded.rows.clone(), offsets);
        report.apply(&batch, &mut Effects::default()).map_err(|error| Error::Internal(error.to_string()))?;
    }
    Ok(report.book())
}

/// Every event of an application's drift topic, in order.
pub fn events(
    app: &Application,
    kafka: &ClientConfig,
    registry: Arc<dyn SchemaRegistry>,
) -> Result<Vec<DriftEvent>, Error> {
    let topic = &app.drift().ok_or_else(|| missing(app, "drift", "a topic file with a table [drift]"))?.kafka;
    Ok(Events::new(kafka, registry, app, topic)?.all()?)
}

/// Says something to an alarm.
pub fn say(
    app: &Application,
    kafka: &ClientConfig,
    registry: Arc<dyn SchemaRegistry>,
    command: &DriftCommand,
) -> Result<(), Error> {
    let topic =
        app.drift_commands().ok_or_else(|| missing(app, "drift", "a topic file with a table [drift]"))?;
    let commands = Events::new(kafka, registry, app, &topic.kafka)?;
    let said = std::slice::from_ref(command);
    commands.append(&commands.writer(None)?, said, |command: &DriftCommand| &command.alarm)?;
    Ok(())
}

fn batch(topic: &str, rows: arrow::record_batch::RecordBatch, offsets: impl Iterator<Item = i64>) -> Batch {
    let topic: Arc<str> = topic.into();
    let meta = |offset| RowMeta {
        offset,
        time_ms: 0,
        origin: Origin { topic: topic.clone(), partition: 0, offset },
        traceparent: None,
        late: false,
    };
    let meta: Vec<RowMeta> = offsets.map(meta).collect();
    let order = (0..).take(meta.len()).map(|row| Taken { input: 0, row }).collect();
    Batch { inputs: vec![Input { rows, meta }], order, phase: Phase::Rebuild }
}

use std::sync::Arc;

use arrow::record_batch::RecordBatch;

use super::*;
use crate::envelope::record::Record as _;
use crate::{Decoder, Encoder, Format, InProcessRegistry, SchemaRegistry, TopicSchema};

fn full() -> DriftEvent {
    DriftEvent {
        kind: DriftKind::Finding,
        status: DriftStatus::Revision,
        revision: 2,
        time_ms: 9,
        window_start_ms: -1,
        window_end_ms: 9,
        window: "1 day".into(),
        app: "fraud".into(),
        topic: "features".into(),
        subject: Subject::Data,
        column: Some("amount".into()),
        segment: Some("country=NE".into()),
        model: Some("fraud-gbt".into()),
        version: Some("1".into()),
        arm: Some("champion".into()),
        method: "psi".into(),
        statistic: Some(0.1),
        threshold: Some(0.05),
        p_value: Some(1e-300),
        p_adjusted: Some(0.25),
        effect: Some(0.1),
        low: Some(0.08),
        high: Some(0.12),
        error: Some(1e-4),
        rows: 1 << 40,
        reference_rows: 3,
        p_rows: Some(10_000),
        reference: "version 1".into(),
        drifted: true,
        severity: 2.0,
        alarm: AlarmState::Acknowledged,
        cause_group: Some(1),
        rank: Some(1),
        root: Some("amount in country=NE".into()),
        detail: "é".into(),
        values: [("auc".into(), 0.5), ("é".into(), f64::MIN_POSITIVE)].into(),
        ..DriftEvent::default()
    }
}

#[test]
fn events_survive_the_wire_in_both_formats() {
    let summary = DriftEvent { kind: DriftKind::Summary, subject: Subject::Dataset, ..DriftEvent::default() };
    let mut events = vec![full(), summary, DriftEvent { values: BTreeMap::new(), ..full() }];
    events.iter_mut().for_each(DriftEvent::seal);
    let rows = DriftEvent::to_batch(&events).unwrap();
    let schema = Arc::new(TopicSchema::parse(DriftEvent::AVRO).unwrap());
    let registry = Arc::new(InProcessRegistry::default());
    let id = registry.register("x", DriftEvent::AVRO).unwrap();
    for format in [Format::Avro, Format::Json] {
        let encoded = Encoder::new(format, Arc::clone(&schema), id).unwrap().encode(&rows).unwrap();
        let records: Vec<_> = (0..events.len()).map(|i| encoded.get(i)).collect();
        let decoded = Decoder::new(format, Arc::clone(&schema), registry.clone()).decode(&records);
        assert_eq!(DriftEvent::from_batch(&decoded.unwrap().rows).unwrap(), events);
    }
    assert!(DriftEvent::from_batch(&DriftEvent::to_batch(&[]).unwrap()).unwrap().is_empty());
}

#[test]
fn the_id_tells_apart_what_an_event_is_about_and_ignores_what_was_measured() {
    let sealed = |change: fn(&mut DriftEvent)| {
        let mut event = full();
        change(&mut event);
        event.seal();
        event.id
    };
    let id = sealed(|_| ());
    assert_eq!(id.len(), 32);
    assert_eq!(id, sealed(|e| (e.effect, e.severity, e.detail) = (None, 7.0, "other".into())));
    let others: [fn(&mut DriftEvent); 8] = [
        |e| e.kind = DriftKind::Summary,
        |e| e.status = DriftStatus::Final,
        |e| e.revision = 3,
        |e| e.window_end_ms = 10,
        |e| e.subject = Subject::Prediction,
        |e| e.segment = None,
        |e| (e.model, e.version) = (Some("fraud-gbt1".into()), Some(String::new())),
        |e| e.version = None,
    ];
    for other in others {
        assert_ne!(id, sealed(other));
    }
}

#[test]
fn a_row_of_another_kind_is_an_error() {
    let nothing = RecordBatch::new_empty(Arc::new(arrow::datatypes::Schema::empty()));
    assert!(DriftEvent::from_batch(&nothing).unwrap().is_empty());
    let rows = DriftEvent::to_batch(&[full()]).unwrap();
    let place = rows.schema().index_of("subject").unwrap();
    let mut columns = rows.columns().to_vec();
    columns[place] = Arc::new(arrow::array::StringArray::from(vec!["moon"]));
    let error = DriftEvent::from_batch(&RecordBatch::try_new(rows.schema(), columns).unwrap());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("subject") && error.contains("moon"), "{error}");
}

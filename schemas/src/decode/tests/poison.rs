//! Bad records among good ones.

use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::*;
use crate::decode::shape::Shape;

#[test]
fn each_kind_of_poison_has_its_reason_and_costs_no_good_record() {
    let wrong = r#"{"type":"record","name":"W","fields":[{"name":"id","type":"long"}]}"#;
    let (mut d, ids) = decoder(PAYMENT, &[PAYMENT, wrong]);
    let good = payment(ids[0], 7);
    let mut overlong = good.clone();
    overlong.push(0);
    let mut twice = good.clone();
    twice.extend_from_slice(&good);
    let mut magic = good.clone();
    magic[0] = 1;
    let mut unknown = good.clone();
    unknown[4] = 99;
    let mut paid = good.clone();
    let at = good.len() - payment(ids[0], 7)[5 + 3 + 8 + 1..].len();
    paid[at] = 2;
    let cases = [
        (None, Reason::NullValue),
        (Some(vec![]), Reason::NotConfluent),
        (Some(vec![0, 0, 0]), Reason::NotConfluent),
        (Some(magic), Reason::NotConfluent),
        (Some(unknown), Reason::UnknownSchema),
        (Some(written(ids[1], wrong, &[("id", Avro::Long(1))])), Reason::IncompatibleSchema),
        (Some(good[..good.len() - 1].to_vec()), Reason::Malformed),
        (Some(good[..5].to_vec()), Reason::Malformed),
        (Some(overlong), Reason::Malformed),
        (Some(twice), Reason::Malformed),
        (Some(paid), Reason::Malformed),
    ];
    let mut payloads = vec![Some(good.as_slice())];
    for (bad, _) in &cases {
        payloads.push(bad.as_deref());
        payloads.push(Some(good.as_slice()));
    }
    let decoded = d.decode(&payloads).unwrap();
    assert_eq!(decoded.index, (0..payloads.len()).step_by(2).collect::<Vec<_>>());
    assert_eq!(longs(&decoded, "count"), vec![7; cases.len() + 1]);
    let reasons: Vec<_> = decoded.rejected.iter().map(|r| (r.index, r.reason)).collect();
    let expected: Vec<_> = cases.iter().enumerate().map(|(i, (_, reason))| (2 * i + 1, *reason)).collect();
    assert_eq!(reasons, expected);
    assert!(decoded.rejected.iter().all(|r| !r.detail.is_empty()));
}

#[test]
fn a_null_for_a_column_without_nulls_rejects_that_record_alone() {
    let writer = r#"{"type":"record","name":"W","fields":[{"name":"n","type":["null","long"]}]}"#;
    let reader = r#"{"type":"record","name":"R","fields":[{"name":"n","type":"long"}]}"#;
    let (mut d, ids) = decoder(reader, &[writer]);
    let record = |n: Option<i64>| {
        let value =
            n.map_or(Avro::Union(0, Box::new(Avro::Null)), |n| Avro::Union(1, Box::new(Avro::Long(n))));
        written(ids[0], writer, &[("n", value)])
    };
    for _ in 0..2 {
        let decoded = decode(&mut d, &[record(Some(1)), record(None), record(Some(3)), record(Some(4))]);
        assert_eq!(longs(&decoded, "n"), [1, 3, 4]);
        assert_eq!(decoded.rejected[0].reason, Reason::IncompatibleSchema);
    }
}

#[test]
fn a_branch_that_the_union_lacks_is_no_second_branch() {
    let schema = r#"{"type":"record","name":"W","fields":[{"name":"n","type":["null","long"]}]}"#;
    let (mut d, ids) = decoder(schema, &[schema]);
    let record = |tag: u8| [&[0][..], &ids[0].to_be_bytes(), &[tag, 2]].concat();
    let decoded = decode(&mut d, &[record(1), record(2), record(3), record(4)]);
    assert_eq!(decoded.index, [1]);
    assert!(decoded.rejected[0].detail.contains("field `n`"), "{}", decoded.rejected[0].detail);
}

#[test]
fn forged_counts_and_lengths_are_refused_at_once() {
    let schema = r#"{"type":"record","name":"W","fields":[
        {"name":"n","type":"long"},{"name":"nothing","type":{"type":"array","items":"null"}}]}"#;
    let reader = r#"{"type":"record","name":"R","fields":[{"name":"n","type":"long"}]}"#;
    let (mut d, ids) = decoder(reader, &[schema]);
    let record = |tail: &[u8]| [&[0][..], &ids[0].to_be_bytes(), &[2], tail].concat();
    let huge = [0xfe, 0xff, 0xff, 0xff, 0x0f, 0];
    let least = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0];
    let decoded = decode(&mut d, &[record(&huge), record(&least), record(&[6, 0]), record(&[0])]);
    assert_eq!(decoded.index, [2, 3]);
    let (mut d, ids) = decoder(PAYMENT, &[PAYMENT]);
    let long = [&[0][..], &ids[0].to_be_bytes(), &[0xfe, 0xff, 0xff, 0xff, 0x0f, b'x']].concat();
    assert_eq!(decode(&mut d, &[long]).rejected[0].reason, Reason::Malformed);
}

#[test]
fn a_schema_that_refers_to_itself_ends_nowhere_deep() {
    let list = r#"{"type":"record","name":"L","fields":[
        {"name":"n","type":"long"},{"name":"next","type":["null","L"],"default":null}]}"#;
    let endless =
        r#"{"type":"record","name":"E","fields":[{"name":"n","type":"long"},{"name":"self","type":"E"}]}"#;
    let reader = r#"{"type":"record","name":"R","fields":[{"name":"n","type":"long"}]}"#;
    let (mut d, ids) = decoder(reader, &[list, endless]);
    let payloads: Vec<_> =
        ids.iter().map(|id| [&[0][..], &id.to_be_bytes(), &[2; 100_000]].concat()).collect();
    let decoded = decode(&mut d, &payloads);
    assert_eq!(decoded.rejected.len(), 2);
    assert!(Shape::of(&serde_json::from_str(endless).unwrap()).unwrap().check(&[2; 100_000]).is_err());
}

/// Counts what is asked, and fails when it is told to.
struct Counting {
    inner: InProcessRegistry,
    asked: AtomicUsize,
    down: std::sync::atomic::AtomicBool,
}

impl SchemaRegistry for Counting {
    fn schema(&self, id: u32) -> Result<Option<String>, RegistryError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.down.load(Ordering::Relaxed) {
            return Err(RegistryError::Unavailable("down".into()));
        }
        self.inner.schema(id)
    }
    fn register(&self, subject: &str, avro: &str) -> Result<u32, RegistryError> {
        self.inner.register(subject, avro)
    }
    fn latest(&self, subject: &str) -> Result<Option<(u32, String)>, RegistryError> {
        self.inner.latest(subject)
    }
}

#[test]
fn an_id_is_asked_for_once_and_a_silent_registry_consumes_nothing() {
    let inner = InProcessRegistry::default();
    let id = inner.register("t-value", PAYMENT).unwrap();
    let registry = Arc::new(Counting { inner, asked: 0.into(), down: true.into() });
    let mut d = Decoder::new(Format::Avro, topic(PAYMENT), registry.clone());
    let (good, unknown) = (payment(id, 1), payment(77, 1));
    let payloads: Vec<_> =
        (0..100).map(|i| Some(if i % 2 == 0 { &good[..] } else { &unknown[..] })).collect();
    assert!(matches!(d.decode(&payloads), Err(RegistryError::Unavailable(_))));
    registry.down.store(false, Ordering::Relaxed);
    registry.asked.store(0, Ordering::Relaxed);
    assert_eq!(d.decode(&payloads).unwrap().index.len(), 50);
    assert_eq!(registry.asked.load(Ordering::Relaxed), 2);
    assert_eq!(d.decode(&payloads).unwrap().rejected.len(), 50);
    assert_eq!(registry.asked.load(Ordering::Relaxed), 3);
    registry.inner.register("t-value", r#"{"type":"record","name":"P","fields":[]}"#).unwrap();
}

/// What becomes of a record.
#[derive(Debug, Clone)]
enum Fate {
    Good,
    Truncated(prop::sample::Index),
    Flipped(prop::sample::Index, u8),
    Longer(Vec<u8>),
    Noise(Vec<u8>),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Good),
        1 => any::<prop::sample::Index>().prop_map(Fate::Truncated),
        1 => (any::<prop::sample::Index>(), 0u8..8).prop_map(|(at, bit)| Fate::Flipped(at, bit)),
        1 => prop::collection::vec(any::<u8>(), 1..20).prop_map(Fate::Longer),
        1 => prop::collection::vec(any::<u8>(), 0..60).prop_map(Fate::Noise),
    ]
}

/// Whether apache-avro, which knows nothing of this crate, reads exactly one value from the body.
fn apache_reads(schema: &apache_avro::Schema, body: &[u8]) -> bool {
    let mut rest = body;
    apache_avro::from_avro_datum(schema, &mut rest, None).is_ok() && rest.is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn good_records_survive_any_neighbours_in_order(fates in prop::collection::vec(fate(), 1..40)) {
        let (mut d, ids) = decoder(PAYMENT, &[PAYMENT, &PAYMENT.replace("Payment", "Transfer")]);
        let payloads: Vec<Vec<u8>> = fates.iter().enumerate().map(|(i, fate)| {
            let mut bytes = payment(ids[i / 3 % 2], i as i64);
            match fate {
                Fate::Good => {}
                Fate::Truncated(at) => bytes.truncate(at.index(bytes.len())),
                Fate::Flipped(at, bit) => { let at = 5 + at.index(bytes.len() - 5); bytes[at] ^= 1 << bit; }
                Fate::Longer(more) => bytes.extend(more),
                Fate::Noise(noise) => { bytes.truncate(5); bytes.extend(noise); }
            }
            bytes
        }).collect();
        let decoded = decode(&mut d, &payloads);
        for (i, fate) in fates.iter().enumerate() {
            let kept = decoded.index.contains(&i);
            match fate {
                Fate::Good => prop_assert!(kept),
                Fate::Truncated(_) | Fate::Longer(_) => prop_assert!(!kept),
                // A flipped bit or noise may be another good record, which nobody can tell.
                Fate::Flipped(..) | Fate::Noise(_) => {
                    if kept { prop_assert!(apache_reads(&PAYMENTS, &payloads[i][5..])); }
                }
            }
        }
        for (row, &i) in decoded.index.iter().enumerate() {
            if matches!(fates[i], Fate::Good) {
                prop_assert_eq!(longs(&decoded, "count")[row], i as i64);
                prop_assert_eq!(texts(&decoded, "id")[row].clone(), Some(format!("p{i}")));
            }
        }
        prop_assert!(decoded.rejected.iter().all(|r| matches!(r.reason, Reason::Malformed | Reason::NotConfluent)));
    }

    #[test]
    fn what_is_kept_is_written_again_byte_for_byte(noise in prop::collection::vec(any::<u8>(), 0..40)) {
        let schema = r#"{"type":"record","name":"W","fields":[
            {"name":"n","type":["null","long"]},{"name":"flag","type":"boolean"},{"name":"text","type":["string","null"]}]}"#;
        let (mut d, ids) = decoder(schema, &[schema]);
        let record = [&[0][..], &ids[0].to_be_bytes(), &noise].concat();
        let decoded = decode(&mut d, std::slice::from_ref(&record));
        if decoded.index == [0] {
            let encoded = Encoder::new(Format::Avro, topic(schema), ids[0]).unwrap().encode(&decoded.rows).unwrap();
            let again = decode(&mut d, &[encoded.get(0).unwrap().to_vec()]);
            prop_assert_eq!(again.rows, decoded.rows);
            prop_assert!(encoded.get(0).unwrap().len() <= record.len());
        }
    }

    #[test]
    fn noise_as_json_never_panics(noise in prop::collection::vec(any::<u8>(), 0..60), text in "[\\[\\]{}:,\"0-9a-z.eE-]{0,40}") {
        let mut d = Decoder::new(Format::Json, topic(PAYMENT), Arc::new(InProcessRegistry::default()));
        let decoded = decode(&mut d, &[noise, text.into_bytes()]);
        prop_assert_eq!(decoded.rejected.len(), 2);
    }
}

//! Random rows of every type, written by apache-avro, read and written again.

use proptest::prelude::*;

use super::*;

const EVERY: &str = include_str!("../../topic_schema/every_type.avsc");

fn maybe(value: BoxedStrategy<Avro>, null: u32) -> BoxedStrategy<Avro> {
    prop::option::of(value)
        .prop_map(move |value| match value {
            Some(value) => Avro::Union(1 - null, Box::new(value)),
            None => Avro::Union(null, Box::new(Avro::Null)),
        })
        .boxed()
}

fn text() -> BoxedStrategy<Avro> {
    any::<String>().prop_map(Avro::String).boxed()
}

fn list(item: BoxedStrategy<Avro>) -> BoxedStrategy<Avro> {
    prop::collection::vec(item, 0..4).prop_map(Avro::Array).boxed()
}

/// One entry at most: apache-avro's map has no order.
fn map(value: BoxedStrategy<Avro>) -> BoxedStrategy<Avro> {
    prop::option::of((any::<String>(), value))
        .prop_map(|entry| Avro::Map(entry.into_iter().collect()))
        .boxed()
}

fn row() -> impl Strategy<Value = Vec<Avro>> {
    let long = any::<i64>;
    vec![
        text(),
        any::<bool>().prop_map(Avro::Boolean).boxed(),
        any::<i32>().prop_map(Avro::Int).boxed(),
        long().prop_map(Avro::Long).boxed(),
        any::<u32>().prop_map(|bits| Avro::Float(f32::from_bits(bits))).boxed(),
        any::<u64>().prop_map(|bits| Avro::Double(f64::from_bits(bits))).boxed(),
        any::<Vec<u8>>().prop_map(Avro::Bytes).boxed(),
        any::<i32>().prop_map(Avro::Date).boxed(),
        long().prop_map(Avro::TimestampMillis).boxed(),
        long().prop_map(Avro::TimestampMicros).boxed(),
        long().prop_map(Avro::LocalTimestampMillis).boxed(),
        list(text()),
        list(maybe(text(), 0)),
        map(maybe(text(), 0)),
        maybe(text(), 0),
        maybe(any::<f64>().prop_map(Avro::Double).boxed(), 1),
        maybe(long().prop_map(Avro::TimestampMillis).boxed(), 0),
        maybe(list(text()), 0),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rows_come_back_byte_for_byte(rows in prop::collection::vec(row(), 1..20)) {
        let (mut d, ids) = decoder(EVERY, &[EVERY]);
        let names: Vec<_> = d.schema.arrow().fields().iter().map(|f| f.name().clone()).collect();
        let payloads: Vec<Vec<u8>> = rows
            .into_iter()
            .map(|row| {
                let fields: Vec<_> = names.iter().map(String::as_str).zip(row).collect();
                written(ids[0], EVERY, &fields)
            })
            .collect();
        let decoded = decode(&mut d, &payloads);
        prop_assert!(decoded.rejected.is_empty(), "{:?}", decoded.rejected);
        let encoded = Encoder::new(Format::Avro, topic(EVERY), ids[0]).unwrap().encode(&decoded.rows).unwrap();
        for (i, payload) in payloads.iter().enumerate() {
            prop_assert_eq!(encoded.get(i), Some(payload.as_slice()));
        }
        // And through JSON; NaNs with other bits than the usual ones come back as the usual one.
        let json = Encoder::new(Format::Json, topic(EVERY), 0).unwrap().encode(&decoded.rows).unwrap();
        let texts: Vec<_> = (0..json.len()).map(|i| json.get(i)).collect();
        let mut from_json = Decoder::new(Format::Json, topic(EVERY), Arc::new(InProcessRegistry::default()));
        let again = from_json.decode(&texts).unwrap();
        prop_assert!(again.rejected.is_empty(), "{:?}", again.rejected);
        for (i, name) in names.iter().enumerate().filter(|(_, name)| !["single", "double", "maybe_last"].contains(&name.as_str())) {
            prop_assert_eq!(again.rows.column(i), decoded.rows.column(i), "{}", name);
        }
        let doubles = |rows: &RecordBatch| rows.column(5).as_primitive::<Float64Type>().values().to_vec();
        for (a, b) in doubles(&again.rows).iter().zip(doubles(&decoded.rows)) {
            prop_assert!(a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()), "{} {}", a, b);
        }
    }
}

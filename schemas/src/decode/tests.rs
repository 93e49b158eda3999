//! Decoding against apache-avro as an independent writer.

mod evolution;
mod json;
mod poison;
mod round_trip;

use std::sync::{Arc, LazyLock};

use apache_avro::types::Value as Avro;
use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, Int64Type};

use super::*;
use crate::{Encoder, InProcessRegistry};

const PAYMENT: &str = r#"{"type":"record","name":"Payment","namespace":"bank","fields":[
    {"name":"id","type":"string"},
    {"name":"amount","type":"double"},
    {"name":"count","type":"long"},
    {"name":"paid","type":"boolean"},
    {"name":"country","type":["null","string"],"default":null},
    {"name":"tags","type":{"type":"array","items":"string"}},
    {"name":"context","type":{"type":"map","values":["null","string"]}}
]}"#;

fn topic(avro: &str) -> Arc<TopicSchema> {
    Arc::new(TopicSchema::parse(avro).unwrap())
}

/// A decoder of a topic with a registry that knows the writers' schemas, and their ids.
fn decoder(reader: &str, writers: &[&str]) -> (Decoder, Vec<u32>) {
    let registry = Arc::new(InProcessRegistry::default());
    let ids = writers.iter().map(|w| registry.register("t-value", w).unwrap()).collect();
    (Decoder::new(Format::Avro, topic(reader), registry), ids)
}

/// What apache-avro writes, in the wire format.
fn written(id: u32, schema: &str, fields: &[(&str, Avro)]) -> Vec<u8> {
    written_as(id, &apache_avro::Schema::parse_str(schema).unwrap(), fields)
}

fn written_as(id: u32, schema: &apache_avro::Schema, fields: &[(&str, Avro)]) -> Vec<u8> {
    let value =
        Avro::Record(fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect());
    let mut bytes = vec![0];
    bytes.extend(id.to_be_bytes());
    bytes.extend(apache_avro::to_avro_datum(schema, value.resolve(schema).unwrap()).unwrap());
    bytes
}

static PAYMENTS: LazyLock<apache_avro::Schema> =
    LazyLock::new(|| apache_avro::Schema::parse_str(PAYMENT).unwrap());

fn payment(id: u32, i: i64) -> Vec<u8> {
    let some = |text: &str| Avro::Union(1, Box::new(Avro::String(text.into())));
    let country = if i % 3 == 0 { Avro::Union(0, Box::new(Avro::Null)) } else { some("LU") };
    let tags = (0..i.rem_euclid(4)).map(|t| Avro::String(format!("tag {t}"))).collect();
    let context = (0..i.rem_euclid(2)).map(|_| ("terminal".to_owned(), some("t9"))).collect();
    written_as(
        id,
        &PAYMENTS,
        &[
            ("id", Avro::String(format!("p{i}"))),
            ("amount", Avro::Double(i as f64 / 4.0)),
            ("count", Avro::Long(i)),
            ("paid", Avro::Boolean(i % 2 == 0)),
            ("country", country),
            ("tags", Avro::Array(tags)),
            ("context", Avro::Map(context)),
        ],
    )
}

fn decode(decoder: &mut Decoder, payloads: &[Vec<u8>]) -> Decoded {
    let payloads: Vec<_> = payloads.iter().map(|p| Some(p.as_slice())).collect();
    let decoded = decoder.decode(&payloads).unwrap();
    assert_eq!(decoded.rows.num_rows(), decoded.index.len());
    assert_eq!(decoded.rows.schema(), *decoder.schema.arrow());
    assert_eq!(decoded.index.len() + decoded.rejected.len(), payloads.len());
    assert!(decoded.index.is_sorted() && decoded.rejected.is_sorted_by_key(|r| r.index));
    decoded
}

fn longs(decoded: &Decoded, column: &str) -> Vec<i64> {
    decoded.rows.column_by_name(column).unwrap().as_primitive::<Int64Type>().values().to_vec()
}

fn texts(decoded: &Decoded, column: &str) -> Vec<Option<String>> {
    let array = decoded.rows.column_by_name(column).unwrap().as_string::<i32>();
    array.iter().map(|text| text.map(str::to_owned)).collect()
}

#[test]
fn what_apache_avro_writes_is_read_column_by_column() {
    let (mut d, ids) = decoder(PAYMENT, &[PAYMENT]);
    let payloads: Vec<_> = (0..7).map(|i| payment(ids[0], i)).collect();
    let decoded = decode(&mut d, &payloads);
    assert_eq!(decoded.index, (0..7).collect::<Vec<_>>());
    assert_eq!(longs(&decoded, "count"), (0..7).collect::<Vec<_>>());
    assert_eq!(decoded.rows.column(1).as_primitive::<Float64Type>().value(5), 1.25);
    assert_eq!(texts(&decoded, "country")[..3], [None, Some("LU".into()), Some("LU".into())]);
    let tags = decoded.rows.column(5).as_list::<i32>();
    assert_eq!((0..7).map(|i| tags.value_length(i)).collect::<Vec<_>>(), [0, 1, 2, 3, 0, 1, 2]);
    let context = decoded.rows.column(6).as_map();
    assert_eq!(context.value(1).column(0).as_string::<i32>().value(0), "terminal");
}

#[test]
fn decoders_and_encoders_move_between_threads() {
    fn moves<T: Send>() {}
    moves::<Decoder>();
    moves::<Encoder>();
    moves::<Decoded>();
}

#[test]
fn nothing_in_is_nothing_out() {
    let (mut d, _) = decoder(PAYMENT, &[]);
    assert_eq!(decode(&mut d, &[]).rows.num_rows(), 0);
}

#[test]
fn records_of_several_schemas_keep_their_order() {
    let older = r#"{"type":"record","name":"Old","fields":[{"name":"n","type":"int"}]}"#;
    let newer = r#"{"type":"record","name":"New","namespace":"a.b","fields":[
        {"name":"extra","type":"string"},{"name":"n","type":"long"}]}"#;
    let (mut d, ids) =
        decoder(newer.replace(r#""string""#, r#""string","default":"?""#).as_str(), &[older, newer]);
    let payloads: Vec<_> = (0..50i32)
        .map(|i| {
            if i % 3 == 0 {
                written(ids[0], older, &[("n", Avro::Int(i))])
            } else {
                written(
                    ids[1],
                    newer,
                    &[("extra", Avro::String(format!("x{i}"))), ("n", Avro::Long(i.into()))],
                )
            }
        })
        .collect();
    let decoded = decode(&mut d, &payloads);
    assert_eq!(longs(&decoded, "n"), (0..50).collect::<Vec<_>>());
    assert_eq!(
        texts(&decoded, "extra")[..4],
        [Some("?"), Some("x1"), Some("x2"), Some("?")].map(|t| t.map(String::from))
    );
}

#[test]
fn the_encoder_writes_what_apache_avro_reads() {
    let every = include_str!("../topic_schema/every_type.avsc");
    let json = br#"{"text":"\u00e9\"","small":1,"big":-5,"tags":["x","y"],"holes":[null,"z"],
        "context":{"a":null,"b":"c"},"maybe_first":null,"maybe_last":null,"maybe_millis":7,"maybe_tags":["q"]}"#;
    let schema = topic(every);
    let registry = Arc::new(InProcessRegistry::default());
    let id = registry.register("t-value", every).unwrap();
    let rows =
        Decoder::new(Format::Json, Arc::clone(&schema), registry.clone()).decode(&[Some(json)]).unwrap();
    assert!(rows.rejected.is_empty(), "{:?}", rows.rejected);
    let encoded = Encoder::new(Format::Avro, Arc::clone(&schema), id).unwrap().encode(&rows.rows).unwrap();
    let bytes = encoded.get(0).unwrap();
    assert_eq!(bytes[..5], [0, 0, 0, 0, 1]);
    let apache = apache_avro::Schema::parse_str(every).unwrap();
    let Avro::Record(fields) = apache_avro::from_avro_datum(&apache, &mut &bytes[5..], None).unwrap() else {
        panic!()
    };
    let field = |name: &str| fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()).unwrap();
    let some = |branch, text: &str| Avro::Union(branch, Box::new(Avro::String(text.into())));
    assert_eq!(field("text"), Avro::String("é\"".into()));
    assert_eq!(field("big"), Avro::Long(-5));
    assert_eq!(field("day"), Avro::Date(3));
    assert_eq!(field("millis"), Avro::TimestampMillis(4));
    assert_eq!(field("raw"), Avro::Bytes(vec![0, 255]));
    assert_eq!(field("holes"), Avro::Array(vec![Avro::Union(0, Box::new(Avro::Null)), some(1, "z")]));
    assert_eq!(field("maybe_last"), Avro::Union(1, Box::new(Avro::Null)));
    assert_eq!(field("maybe_millis"), Avro::Union(1, Box::new(Avro::TimestampMillis(7))));
    let mut back = Decoder::new(Format::Avro, schema, registry);
    assert_eq!(decode(&mut back, &[bytes.to_vec()]).rows, rows.rows);
}

#[test]
fn blocks_with_their_size_are_read_as_those_without() {
    let schema = r#"{"type":"record","name":"R","fields":[
        {"name":"tags","type":{"type":"array","items":"string"}},{"name":"n","type":"long"}]}"#;
    let (mut d, ids) = decoder(schema, &[schema]);
    let record =
        |size: u8| [&[0][..], &ids[0].to_be_bytes(), &[1, size, 2, b'a', 2, 2, b'b', 0, 14]].concat();
    // One item in a block of 2 bytes, one in a block without a size; then a size that is not the block's.
    let decoded = decode(&mut d, &[record(4), record(2)]);
    assert_eq!(decoded.index, [0]);
    assert_eq!(longs(&decoded, "n"), [7]);
    assert_eq!(decoded.rows.column(0).as_list::<i32>().values().as_string::<i32>().value(1), "b");
}

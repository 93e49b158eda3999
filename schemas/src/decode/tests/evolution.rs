//! Writers with other schemas than the topic's.

use arrow::array::ArrayRef;

use super::*;

fn field(name: &str, of: &str, more: &str) -> String {
    format!(r#"{{"name":"{name}","type":{of}{more}}}"#)
}

fn record(name: &str, fields: &[String]) -> String {
    format!(r#"{{"type":"record","name":"{name}","fields":[{}]}}"#, fields.join(","))
}

/// One record of field `x` read as another schema; the columns of the only row, or the reason.
fn read(writer: &str, value: Avro, reader: &str) -> Result<Vec<ArrayRef>, Reason> {
    let (mut d, ids) = decoder(reader, &[writer]);
    let decoded = decode(&mut d, &[written(ids[0], writer, &[("x", value)])]);
    match decoded.rejected.first() {
        Some(rejected) => Err(rejected.reason),
        None => Ok(decoded.rows.columns().to_vec()),
    }
}

fn shown(column: &ArrayRef) -> String {
    let options = arrow::util::display::FormatOptions::default().with_null("null");
    arrow::util::display::ArrayFormatter::try_new(column, &options).unwrap().value(0).to_string()
}

#[test]
fn promotions_of_the_avro_specification_hold_in_every_place() {
    let cases = [
        ("\"int\"", Avro::Int(7), "\"long\"", "7"),
        ("\"int\"", Avro::Int(7), "\"float\"", "7.0"),
        ("\"int\"", Avro::Int(7), "\"double\"", "7.0"),
        ("\"long\"", Avro::Long(7), "\"float\"", "7.0"),
        ("\"long\"", Avro::Long(7), "\"double\"", "7.0"),
        ("\"float\"", Avro::Float(0.5), "\"double\"", "0.5"),
        ("\"string\"", Avro::String("ab".into()), "\"bytes\"", "6162"),
        ("\"bytes\"", Avro::Bytes(b"ab".to_vec()), "\"string\"", "ab"),
        (
            "\"long\"",
            Avro::Long(0),
            r#"{"type":"long","logicalType":"timestamp-millis"}"#,
            "1970-01-01T00:00:00Z",
        ),
        (r#"{"type":"string","avro.java.string":"String"}"#, Avro::String("j".into()), "\"string\"", "j"),
    ];
    for (writer, value, reader, expected) in cases {
        let w = |of: &str| record("W", &[field("x", of, "")]);
        let r = |of: &str| record("R", &[field("x", of, "")]);
        let got = |writer: &str, value: Avro, reader: &str| {
            read(writer, value, reader)
                .map(|columns| shown(&columns[0]))
                .unwrap_or_else(|e| panic!("{writer} {reader} {e:?}"))
        };
        let nullable = |of: &str| format!("[\"null\",{of}]");
        let nullable_last = |of: &str| format!("[{of},\"null\"]");
        let some = |branch| Avro::Union(branch, Box::new(value.clone()));
        let null = |branch| Avro::Union(branch, Box::new(Avro::Null));
        assert_eq!(got(&w(writer), value.clone(), &r(reader)), expected);
        assert_eq!(got(&w(writer), value.clone(), &r(&nullable(reader))), expected);
        assert_eq!(got(&w(writer), value.clone(), &r(&nullable_last(reader))), expected);
        assert_eq!(got(&w(&nullable(writer)), some(1), &r(&nullable(reader))), expected);
        assert_eq!(got(&w(&nullable(writer)), some(1), &r(&nullable_last(reader))), expected);
        assert_eq!(got(&w(&nullable_last(writer)), some(0), &r(&nullable(reader))), expected);
        assert_eq!(got(&w(&nullable(writer)), null(0), &r(&nullable_last(reader))), "null");
        assert_eq!(got(&w(&nullable_last(writer)), null(1), &r(&nullable(reader))), "null");
        assert_eq!(got(&w(&nullable(writer)), some(1), &r(reader)), expected);
        assert_eq!(read(&w(&nullable(writer)), null(0), &r(reader)).unwrap_err(), Reason::IncompatibleSchema);
    }
}

#[test]
fn items_are_promoted_too() {
    let array = |of: &str| format!(r#"{{"type":"array","items":{of}}}"#);
    let map = |of: &str| format!(r#"{{"type":"map","values":{of}}}"#);
    let w = record("W", &[field("x", &array("\"int\""), "")]);
    let r = record("R", &[field("x", &array(r#"["null","double"]"#), "")]);
    assert_eq!(shown(&read(&w, Avro::Array(vec![Avro::Int(1)]), &r).unwrap()[0]), "[1.0]");
    let w = record("W", &[field("x", &map("\"string\""), "")]);
    let r = record("R", &[field("x", &map(r#"["null","string"]"#), "")]);
    let value = Avro::Map([("k".to_owned(), Avro::String("v".into()))].into());
    assert_eq!(shown(&read(&w, value, &r).unwrap()[0]), "{k: v}");
}

#[test]
fn fields_that_the_writer_lacks_take_their_defaults_in_avro_and_json() {
    let every = include_str!("../../topic_schema/every_type.avsc");
    let writer = r#"{"type":"record","name":"W","fields":[{"name":"text","type":"string"}]}"#;
    let (mut d, ids) = decoder(every, &[writer]);
    let from_avro = decode(&mut d, &[written(ids[0], writer, &[("text", Avro::String("t".into()))])]);
    let mut d = Decoder::new(Format::Json, topic(every), Arc::new(InProcessRegistry::default()));
    let from_json = decode(&mut d, &[br#"{"text":"t"}"#.to_vec()]);
    assert!(from_avro.rejected.is_empty() && from_json.rejected.is_empty(), "{from_avro:?} {from_json:?}");
    assert_eq!(from_avro.rows, from_json.rows);
    let shown: Vec<_> = from_json.rows.columns().iter().map(shown).collect();
    assert_eq!(shown[1..8], ["true", "-7", "9007199254740993", "0.5", "1.0", "00ff", "1970-01-04"]);
    assert_eq!(shown[11..], ["[a]", "[]", "{}", "null", "2.5", "null", "null"]);
}

#[test]
fn fields_that_the_topic_lacks_are_skipped_whatever_they_are() {
    let inner = r#"{"type":"record","name":"Inner","fields":[{"name":"a","type":"int"},{"name":"b","type":["int","string","null"]}]}"#;
    let writer = record(
        "W",
        &[
            field("skip_1", inner, ""),
            field("skip_2", r#"{"type":"enum","name":"E","symbols":["A","B"]}"#, ""),
            field("x", "\"long\"", ""),
            field("skip_3", r#"{"type":"array","items":"Inner"}"#, ""),
            field("skip_4", r#"{"type":"fixed","name":"F","size":3}"#, ""),
            field("skip_5", r#"{"type":"map","values":"E"}"#, ""),
        ],
    );
    let reader = record("R", &[field("x", "\"long\"", "")]);
    let (mut d, ids) = decoder(&reader, &[&writer]);
    let inner = |branch: u32, b: Avro| {
        Avro::Record(vec![("a".into(), Avro::Int(1)), ("b".into(), Avro::Union(branch, Box::new(b)))])
    };
    let fields = [
        ("skip_1", inner(1, Avro::String("s".into()))),
        ("skip_2", Avro::Enum(1, "B".into())),
        ("x", Avro::Long(42)),
        ("skip_3", Avro::Array(vec![inner(2, Avro::Null), inner(0, Avro::Int(3))])),
        ("skip_4", Avro::Fixed(3, vec![1, 2, 3])),
        ("skip_5", Avro::Map([("k".to_owned(), Avro::Enum(0, "A".into()))].into())),
    ];
    let decoded = decode(&mut d, &[written(ids[0], &writer, &fields), written(ids[0], &writer, &fields)]);
    assert!(decoded.rejected.is_empty(), "{:?}", decoded.rejected);
    assert_eq!(longs(&decoded, "x"), [42, 42]);
}

#[test]
fn a_renamed_field_is_found_by_its_alias() {
    let writer = record("W", &[field("x", "\"long\"", "")]);
    let reader = record("R", &[field("y", "\"long\"", r#","aliases":["x"]"#)]);
    assert_eq!(shown(&read(&writer, Avro::Long(5), &reader).unwrap()[0]), "5");
}

#[test]
fn what_cannot_be_read_is_incompatible() {
    let reader = record("R", &[field("x", "\"long\"", "")]);
    let enum_type = r#"{"type":"enum","name":"E","symbols":["A"]}"#;
    for (writer, value) in [
        (record("W", &[field("x", "\"string\"", "")]), Avro::String("5".into())),
        (record("W", &[field("x", "\"double\"", "")]), Avro::Double(5.0)),
        (record("W", &[field("x", enum_type, "")]), Avro::Enum(0, "A".into())),
    ] {
        assert_eq!(read(&writer, value, &reader).unwrap_err(), Reason::IncompatibleSchema, "{writer}");
    }
    let reference = record("W", &[field("e", enum_type, ""), field("x", "\"E\"", "")]);
    let (mut d, ids) = decoder(&reader, &[&reference, r#"{"type":"string"}"#, "\"string\""]);
    let enums = [("e", Avro::Enum(0, "A".into())), ("x", Avro::Enum(0, "A".into()))];
    let mut other = written(ids[0], &reference, &enums);
    other[4] = ids[1] as u8;
    let mut third = other.clone();
    third[4] = ids[2] as u8;
    let decoded = decode(&mut d, &[written(ids[0], &reference, &enums), other, third]);
    assert!(
        decoded.rejected.iter().all(|r| r.reason == Reason::IncompatibleSchema),
        "{:?}",
        decoded.rejected
    );
    assert_eq!(decoded.rejected.len(), 3);
    let missing = record("R", &[field("x", "\"long\"", ""), field("z", "\"long\"", "")]);
    let writer = record("W", &[field("x", "\"long\"", "")]);
    assert_eq!(read(&writer, Avro::Long(1), &missing).unwrap_err(), Reason::IncompatibleSchema);
}

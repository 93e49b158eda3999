//! JSON records.

use super::*;

fn json(schema: &str, records: &[&str]) -> Decoded {
    let mut d = Decoder::new(Format::Json, topic(schema), Arc::new(InProcessRegistry::default()));
    decode(&mut d, &records.iter().map(|r| r.as_bytes().to_vec()).collect::<Vec<_>>())
}

fn one(of: &str, value: &str) -> Result<String, (Reason, String)> {
    let schema = format!(r#"{{"type":"record","name":"R","fields":[{{"name":"x","type":{of}}}]}}"#);
    let decoded = json(&schema, &[&format!(r#"{{"x":{value}}}"#)]);
    match decoded.rejected.first() {
        Some(r) => Err((r.reason, r.detail.clone())),
        None => {
            let options = arrow::util::display::FormatOptions::default().with_null("null");
            let column = decoded.rows.column(0);
            Ok(arrow::util::display::ArrayFormatter::try_new(column, &options).unwrap().value(0).to_string())
        }
    }
}

#[test]
fn a_value_of_the_fields_type_is_read_and_any_other_is_a_wrong_type() {
    let millis = r#"{"type":"long","logicalType":"timestamp-millis"}"#;
    let date = r#"{"type":"int","logicalType":"date"}"#;
    for (of, value, expected) in [
        ("\"string\"", r#""a\u00e9\n""#, Some("aé\n")),
        ("\"string\"", "1", None),
        ("\"string\"", "null", None),
        ("\"boolean\"", "true", Some("true")),
        ("\"boolean\"", "1", None),
        ("\"boolean\"", "\"true\"", None),
        ("\"int\"", "-2147483648", Some("-2147483648")),
        ("\"int\"", "2147483648", None),
        ("\"int\"", "1.0", None),
        ("\"long\"", "9223372036854775807", Some("9223372036854775807")),
        ("\"long\"", "9223372036854775808", None),
        ("\"long\"", "\"5\"", None),
        ("\"long\"", "1e3", None),
        ("\"float\"", "0.5", Some("0.5")),
        ("\"float\"", "1e300", None),
        ("\"double\"", "7", Some("7.0")),
        ("\"double\"", "1e300", Some("1e300")),
        ("\"double\"", "\"NaN\"", Some("NaN")),
        ("\"double\"", "\"-Infinity\"", Some("-inf")),
        ("\"double\"", "\"1\"", None),
        ("\"double\"", "true", None),
        ("\"bytes\"", "\"\\u0000\u{ff}\"", Some("00ff")),
        ("\"bytes\"", "\"\u{100}\"", None),
        (millis, "1500", Some("1970-01-01T00:00:01.500Z")),
        (millis, "\"2018-04-01T12:00:00.250+02:00\"", Some("2018-04-01T10:00:00.250Z")),
        (millis, "\"soon\"", None),
        (millis, "1.5", None),
        (millis, "\"20180401\"", None),
        (date, "\"20180401\"", None),
        (date, "\"2018-04-01\"", Some("2018-04-01")),
        (date, "1", Some("1970-01-02")),
        ("[\"null\",\"long\"]", "null", Some("null")),
        ("[\"null\",\"long\"]", "3", Some("3")),
        (r#"{"type":"array","items":"long"}"#, "[1,2]", Some("[1, 2]")),
        (r#"{"type":"array","items":"long"}"#, "[1,null]", None),
        (r#"{"type":"array","items":["null","long"]}"#, "[1,null]", Some("[1, null]")),
        (r#"{"type":"array","items":"long"}"#, "{}", None),
        (r#"{"type":"map","values":"long"}"#, r#"{"a":1,"a":2}"#, Some("{a: 2}")),
        (r#"{"type":"map","values":"long"}"#, "[]", None),
        (r#"["null",{"type":"map","values":["null","string"]}]"#, r#"{"a":null}"#, Some("{a: null}")),
    ] {
        let got = one(of, value);
        match expected {
            Some(text) => assert_eq!(got.as_deref(), Ok(text), "{of} {value}"),
            None => {
                let (reason, detail) = got.expect_err(value);
                assert_eq!(reason, Reason::WrongType, "{of} {value}: {detail}");
                assert!(detail.contains("`x`"), "{detail}");
            }
        }
    }
}

#[test]
fn broken_json_is_malformed_and_another_value_than_an_object_a_wrong_type() {
    let good = r#"{"id":"a","amount":1,"count":2,"paid":true,"tags":[],"context":{},"unknown":{"deep":[1,{"x":2}]}}"#;
    let records = [
        "{",
        "",
        "nul",
        r#"{"id":}"#,
        good,
        "[]",
        "5",
        r#"{"id":"a"}"#,
        &format!("{good} {good}"),
        "{\"id\":\"\\ud800\"}",
    ];
    let decoded = json(PAYMENT, &records);
    assert_eq!(decoded.index, [4]);
    let reasons: Vec<_> = decoded.rejected.iter().map(|r| (r.index, r.reason)).collect();
    use Reason::{Malformed, WrongType};
    assert_eq!(
        reasons,
        [
            (0, Malformed),
            (1, Malformed),
            (2, Malformed),
            (3, Malformed),
            (5, WrongType),
            (6, WrongType),
            (7, WrongType),
            (8, Malformed),
            (9, Malformed)
        ]
    );
    assert!(decoded.rejected[6].detail.contains("`amount` is missing"), "{}", decoded.rejected[6].detail);
}

#[test]
fn a_record_that_fails_half_way_leaves_nothing_behind() {
    let row = |count: &str| {
        format!(
            r#"{{"id":"a","tags":["x","y"],"context":{{"k":"v"}},"amount":1,"paid":true,"count":{count}}}"#
        )
    };
    let decoded = json(PAYMENT, &[&row("1"), &row("\"2\""), &row("3")]);
    assert_eq!(longs(&decoded, "count"), [1, 3]);
    assert_eq!(decoded.rows.column(5).as_list::<i32>().values().len(), 4);
    assert_eq!(decoded.rejected[0].reason, Reason::WrongType);
}

#[test]
fn what_is_written_as_json_is_read_back() {
    let every = include_str!("../../topic_schema/every_type.avsc");
    let schema = topic(every);
    let records: [&[u8]; 2] = [
        br#"{"text":"q\"\\\u0001","double":"NaN","single":"-Infinity","raw":"\u0000\u00ff","holes":[null,"z"],"context":{"a\"":null},
            "millis":-1,"maybe_tags":["x"],"maybe_last":null}"#,
        br#"{"text":"","double":0.1,"single":0.1,"big":-9223372036854775808}"#,
    ];
    let mut d = Decoder::new(Format::Json, Arc::clone(&schema), Arc::new(InProcessRegistry::default()));
    let decoded = decode(&mut d, &records.map(<[u8]>::to_vec));
    assert!(decoded.rejected.is_empty(), "{:?}", decoded.rejected);
    let mut encoder = Encoder::new(Format::Json, schema, 0).unwrap();
    let encoded = encoder.encode(&decoded.rows).unwrap();
    assert_eq!((encoded.len(), encoded.is_empty(), encoded.get(2)), (2, false, None));
    let texts: Vec<_> = (0..2).map(|i| encoded.get(i).unwrap().to_vec()).collect();
    assert!(texts.iter().all(|t| serde_json::from_slice::<serde_json::Value>(t).unwrap().is_object()));
    let again = decode(&mut d, &texts);
    // NaN is not equal to itself, so the texts are compared.
    let encoded_again = encoder.encode(&again.rows).unwrap();
    assert_eq!((0..2).map(|i| encoded_again.get(i).unwrap()).collect::<Vec<_>>(), texts);
    // Slices of a batch are written from where they begin.
    assert_eq!(encoder.encode(&decoded.rows.slice(1, 1)).unwrap().get(0).unwrap(), texts[1]);
}

use super::*;

fn schema(fields: &[&str]) -> String {
    format!(r#"{{"type":"record","name":"R","namespace":"n","fields":[{}]}}"#, fields.join(","))
}

fn of(field_type: &str) -> String {
    schema(&[&format!(r#"{{"name":"x","type":{field_type}}}"#)])
}

fn problems(old: &str, new: &str) -> Vec<Incompatibility> {
    backward(old, new).unwrap()
}

#[test]
fn types_may_become_wider_and_not_narrower() {
    let millis = r#"{"type":"long","logicalType":"timestamp-millis"}"#;
    let micros = r#"{"type":"long","logicalType":"timestamp-micros"}"#;
    let list = |item: &str| format!(r#"{{"type":"array","items":{item}}}"#);
    for (old, new, fits) in [
        ("\"int\"", "\"long\"", true),
        ("\"int\"", "\"double\"", true),
        ("\"long\"", "\"double\"", true),
        ("\"float\"", "\"double\"", true),
        ("\"string\"", "\"bytes\"", true),
        ("\"bytes\"", "\"string\"", true),
        ("\"long\"", "\"int\"", false),
        ("\"double\"", "\"long\"", false),
        ("\"string\"", "\"long\"", false),
        ("\"long\"", "\"boolean\"", false),
        ("\"long\"", "[\"null\",\"long\"]", true),
        ("\"int\"", "[\"null\",\"long\"]", true),
        ("[\"null\",\"long\"]", "[\"long\",\"null\"]", true),
        ("[\"null\",\"long\"]", "[\"null\",\"double\"]", true),
        ("[\"null\",\"long\"]", "\"long\"", false),
        ("[\"null\",\"string\"]", "[\"null\",\"long\"]", false),
        (millis, millis, true),
        (&list("\"int\""), &list("\"long\""), true),
        (&list("\"long\""), &list("\"int\""), false),
        (&list("\"string\""), &list("[\"null\",\"string\"]"), true),
        (&list("\"long\""), "\"long\"", false),
        // The same bytes, a thousand times apart.
        (millis, micros, false),
    ] {
        let found = problems(&of(old), &of(new));
        assert_eq!(found.is_empty(), fits, "{old} to {new}: {found:?}");
        assert!(found.iter().all(|p| p.field.as_deref() == Some("x")), "{found:?}");
    }
}

#[test]
fn fields_come_with_a_default_and_go_freely() {
    let two = schema(&[r#"{"name":"x","type":"long"}"#, r#"{"name":"y","type":"string"}"#]);
    let with_default = two.replace(r#""string""#, r#""string","default":"?""#);
    assert_eq!(problems(&two, &of("\"long\"")), []);
    assert_eq!(problems(&of("\"long\""), &with_default), []);
    let found = problems(&of("\"long\""), &two);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].field.as_deref(), Some("y"));
    assert!(found[0].message.contains("default"), "{}", found[0].message);
}

#[test]
fn a_renamed_field_needs_its_old_name_as_alias() {
    let renamed = r#"{"name":"z","type":"double"}"#;
    let alias = r#"{"name":"z","type":"double","aliases":["x"]}"#;
    let narrow = r#"{"name":"z","type":"int","aliases":["x"]}"#;
    assert_eq!(problems(&of("\"long\""), &schema(&[alias])), []);
    assert_eq!(problems(&of("\"long\""), &schema(&[renamed])).len(), 1);
    assert_eq!(problems(&of("\"long\""), &schema(&[narrow])).len(), 1);
}

#[test]
fn every_field_at_fault_is_named() {
    let old = schema(&[r#"{"name":"a","type":"long"}"#, r#"{"name":"b","type":"string"}"#]);
    let new = schema(&[
        r#"{"name":"a","type":"int"}"#,
        r#"{"name":"b","type":"string"}"#,
        r#"{"name":"c","type":"string"}"#,
    ]);
    let fields: Vec<_> = problems(&old, &new).into_iter().filter_map(|p| p.field).collect();
    assert_eq!(fields, ["a", "c"]);
}

#[test]
fn another_record_name_is_a_problem_and_another_namespace_none() {
    let old = of("\"long\"");
    assert_eq!(problems(&old, &old.replace("\"n\"", "\"m\"")), []);
    let found = problems(&old, &old.replace("\"R\"", "\"S\""));
    assert_eq!((found.len(), found[0].field.as_deref()), (1, None));
}

#[test]
fn an_unusable_schema_is_an_error() {
    assert!(backward("{", &of("\"int\"")).is_err());
    assert!(backward(&of("\"int\""), "{").is_err());
    assert!(backward("\"int\"", &of("\"int\"")).is_err());
}

#[test]
fn a_schema_file_is_held_against_all_versions_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.avsc");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    assert!(check_history(&file)[0].message.contains("cannot be read"));
    write("x.avsc", &of("\"long\""));
    write("x.v1.avsc", &of("\"int\""));
    write("xx.v1.avsc", &of("\"string\""));
    assert_eq!(check_history(&file), []);
    write("x.v2.avsc", &of("\"double\""));
    write("x.v10.avsc", &of("\"int\""));
    let found = check_history(&file);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].message.contains("version 2") && found[0].file == file, "{found:?}");
    assert!(
        found[1].message.contains("version 3 is missing") && found[1].file.ends_with("x.v10.avsc"),
        "{found:?}"
    );
    write("x.avsc", "{");
    assert_eq!(check_history(&file).len(), 1);
}

#[test]
fn the_schemas_of_this_crate_fit_their_history() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in ["predictions", "dead-letters", "deployments", "fraud/transactions", "fraud/labels"] {
        assert_eq!(check_history(&folder.join(format!("{file}.avsc"))), [], "{file}");
    }
}

#![allow(clippy::unwrap_used)]

use super::*;

fn file(dir: &Path, values: impl Iterator<Item = String>) -> std::path::PathBuf {
    let path = dir.join("values.csv");
    let lines: Vec<String> =
        std::iter::once("other,value".to_owned()).chain(values.map(|v| format!("x,{v}"))).collect();
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    path
}

#[test]
fn a_jump_is_found_at_its_row_and_missing_values_are_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let noise = |i: u32| f64::from(i.wrapping_mul(2_654_435_761) >> 16) / 65_536.0;
    let value = |i: u32| match i {
        7 => String::new(),
        0..2_000 => format!("{}", noise(i)),
        _ => format!("{}", noise(i) + 5.0),
    };
    let path = file(dir.path(), (0..4_000).map(value));
    let found = detect(&path, "value", "adwin", &[]).unwrap();
    assert_eq!((found.rows, found.missing), (4_000, 1));
    assert!(found.alarms.first().is_some_and(|row| (2_000..2_200).contains(row)), "{:?}", found.alarms);
    assert_eq!(found.parameters["clock"], "32");
    let set = [("delta".to_owned(), "0.5".to_owned())];
    assert_eq!(detect(&path, "value", "adwin", &set).unwrap().parameters["delta"], "0.5");
}

#[test]
fn what_is_wrong_is_named_by_file_column_and_row() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), ["0", "1", "0.5"].into_iter().map(str::to_owned));
    let say = |column: &str, method: &str| detect(&path, column, method, &[]).unwrap_err().to_string();
    let binary = say("value", "ddm");
    for part in ["values.csv", "column value", "row 2", "binary"] {
        assert!(binary.contains(part), "{binary}");
    }
    assert!(say("other", "adwin").contains("numbers"));
    assert!(say("value", "adwinn").contains("adwin"));
    assert!(say("valu", "adwin").contains("valu"));
}

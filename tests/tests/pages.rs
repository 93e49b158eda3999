//! The pages that people open: drawn and read in a real browser.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use millrace_drift::report::{html, page_of_events};
use millrace_experiments::random::Random;
use millrace_schemas::envelope::{DriftEvent, DriftKind, DriftStatus, Subject};
use millrace_tests::application::Application;
use millrace_tests::browser::{View, look};
use millrace_tests::millrace::Millrace;
use millrace_tests::reaper;

const NARROW: View = View { width: 500, height: 900, dark: true };
const WITHIN: Duration = Duration::from_secs(120);
const DAY: i64 = 86_400_000;

/// Where screenshots are kept, for people who want to see them.
fn kept(name: &str) -> Option<PathBuf> {
    Some(Path::new(&std::env::var_os("PAGE_SCREENSHOTS")?).join(name))
}

/// A page that loads to its end, complains of nothing, draws everything, and fits into its window, wide or narrow.
fn check(name: &str, html: &str, drawings: usize, said: &[&str]) {
    assert!(html.len() < 5_000_000, "{name}: {} bytes", html.len());
    for (place, view) in [("wide", View::default()), ("narrow", NARROW)] {
        let file = kept(&format!("{name}-{place}.png"));
        let seen = look(html, view, file.as_deref()).unwrap();
        assert_eq!(seen.console, Vec::<String>::new(), "{name}, {place}");
        assert!(seen.drawings >= drawings, "{name}, {place}: {} drawings", seen.drawings);
        assert_eq!((seen.empty_drawings, seen.overflow_px), (0, 0), "{name}, {place}");
        assert_eq!(seen.dark, view.dark);
        for text in said {
            assert!(seen.dom.contains(text), "{name}, {place}: {text} is not said");
        }
        // The script ran: columns can be searched.
        assert!(!seen.dom.contains("aria-label=\"Filter columns\" hidden"), "{name}, {place}");
    }
}

/// A CSV of `columns` numbers and a country, of which the first number is `shift` larger.
fn csv(folder: &Path, name: &str, columns: usize, rows: u64, shift: f64) -> String {
    let names: Vec<String> = (0..columns).map(|column| format!("column_{column:04}")).collect();
    let mut text = format!("country,{}\n", names.join(","));
    let mut random = Random::of(7 + shift as u64);
    for row in 0..rows {
        text.push_str(if row % 3 == 0 { "NE" } else { "SW" });
        for column in 0..columns {
            let value = random.uniform() * 100.0;
            write!(text, ",{:.3}", if column == 0 { value + shift } else { value }).unwrap();
        }
        text.push('\n');
    }
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

fn compared(columns: usize, rows: u64) -> String {
    let app = Application::empty("pages").unwrap();
    let folder = reaper::temporary_folder().unwrap();
    let reference = csv(folder.path(), "before.csv", columns, rows, 0.0);
    let current = csv(folder.path(), "after.csv", columns, rows, 40.0);
    let page = folder.path().join("page.html").display().to_string();
    let words = ["drift", "compare", "--reference", &reference, "--current", &current, "--html", &page];
    Millrace::offline(&app).succeed(&words, WITHIN).unwrap();
    std::fs::read_to_string(page).unwrap()
}

#[test]
fn a_comparison_of_two_files_is_a_page_that_a_browser_draws() {
    let html = compared(11, 2_000);
    check("compare", &html, 12, &["1 of 12 columns drifted", "column_0000", "before.csv", "reference"]);
}

#[test]
fn a_page_of_a_thousand_columns_is_small_and_drawn() {
    let html = compared(1_000, 400);
    check("compare-thousand", &html, 1_000, &["of 1001 columns drifted", "column_0000"]);
}

fn finding(day: i64, column: &str, severity: f64, root: Option<&str>, group: i32) -> DriftEvent {
    let shown = r#"{"bins":["0 to 20","20 to 40","40 to 60","60 to 80"],"reference":[40,30,20,10],"current":[20,25,30,25]}"#;
    let mut event = DriftEvent {
        window_start_ms: day * DAY,
        window_end_ms: (day + 1) * DAY,
        window: "1 day".into(),
        topic: "features".into(),
        column: Some(column.into()),
        method: "wasserstein_normed".into(),
        effect: Some(severity / 10.0),
        threshold: Some(0.1),
        severity,
        drifted: true,
        cause_group: Some(group),
        root: root.map(str::to_owned),
        detail: format!("{column} is {:.1} on average, was 53.2.", 53.2 * (1.0 + severity / 10.0)),
        rows: 9_500,
        reference_rows: 430_000,
        ..DriftEvent::default()
    };
    event.distributions.insert(column.into(), shown.into());
    event.seal();
    event
}

fn quality(day: i64) -> DriftEvent {
    let precision = if day < 75 { 0.82 } else { 0.82 - 0.03 * (day - 75) as f64 };
    let figures =
        [("precision", precision), ("precision.low", precision - 0.05), ("precision.high", precision + 0.05)];
    let mut event = DriftEvent {
        kind: DriftKind::Summary,
        subject: Subject::Performance,
        status: if day > 85 { DriftStatus::Provisional } else { DriftStatus::Final },
        window_start_ms: day * DAY,
        window_end_ms: (day + 1) * DAY,
        window: "1 day".into(),
        topic: "predictions".into(),
        model: Some("fraud-gbdt".into()),
        version: Some("1".into()),
        values: figures.map(|(name, value)| (name.to_owned(), value)).into(),
        ..DriftEvent::default()
    };
    event.seal();
    event
}

#[test]
fn the_report_of_a_topic_is_a_page_that_a_browser_draws() {
    let mut events: Vec<DriftEvent> = (60..90).map(quality).collect();
    for day in 72..90 {
        events.push(finding(day, "amount", 1.2 + 0.1 * (day - 72) as f64, None, 1));
        events.push(finding(day, "customer_avg_7d", 1.6, Some("amount"), 1));
    }
    events.push(finding(66, "terminal_tx_1d", 1.1, None, 2));
    let day = |ms: i64| format!("2018-06-{:02}", ms / DAY - 59);
    let html = html(&page_of_events("fraud", &events, &day));
    let said =
        ["2 causes of drift", "amount is", "moved with it: customer_avg_7d", "Precision at the threshold"];
    check("report", &html, 7, &said);
}

//! The page of an analysis, as a browser shows it.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use millrace_experiments::report::stream::{Known, html};
use millrace_schemas::envelope::{ExperimentResult, ResultKind};
use millrace_tests::application::Application;
use millrace_tests::browser::{View, look};
use millrace_tests::millrace::Millrace;

#[test]
fn the_page_of_an_analysis_is_drawn_light_and_dark_on_a_desk_and_on_a_phone() {
    let (folder, app) = (tempfile::tempdir().unwrap(), Application::copy("fraud").unwrap());
    let [rows, page] = ["rows.csv", "page.html"].map(|name| folder.path().join(name));
    let mut text = String::from("unit,arm,amount,before\n");
    for unit in 0_u32..2000 {
        // Spread over its range, with no habit of the arm.
        let habit = f64::from(unit.wrapping_mul(2_654_435_761) >> 16) / 65_536.0;
        let noise = f64::from(unit.wrapping_mul(40_503).wrapping_add(7) % 1009) / 1009.0;
        let arm = ["control", "b", "c & <d>"][unit as usize % 3];
        writeln!(text, "u{unit},{arm},{},{habit}", habit + noise + if arm == "b" { 0.2 } else { 0.0 })
            .unwrap();
    }
    fs::write(&rows, text).unwrap();
    let [rows, file] = [&rows, &page].map(|path| path.display().to_string());
    let words =
        ["experiment", "analyze", "--input", &rows, "--metric", "amount:mean", "--covariate", "before"];
    let more = ["--looks", "40", "--expected-effect", "0.1", "--html", &file];
    Millrace::offline(&app).succeed(&[&words[..], &more].concat(), Duration::from_secs(60)).unwrap();
    let html = fs::read_to_string(&page).unwrap();
    for (width, dark) in [(1280, false), (1280, true), (390, false)] {
        let seen = look(&html, View { width, dark, ..View::default() }, None).unwrap();
        assert_eq!((seen.console.clone(), seen.dark), (Vec::new(), dark));
        // Of two arms three intervals with and without the covariate, and the looks.
        assert_eq!((seen.drawings, seen.empty_drawings, seen.overflow_px), (14, 0, 0), "{width} {dark}");
        for said in ["b is higher than the control", "c &amp; &lt;d&gt;", "<h2>Arms</h2>", "mSPRT"] {
            assert!(seen.dom.contains(said), "{said}");
        }
    }
}

#[test]
fn the_page_of_an_experiment_on_the_stream_fits_a_desk_and_a_phone() {
    let mut events = Vec::new();
    for window in 1..=30_i64 {
        let frame = ExperimentResult {
            experiment: "x".into(),
            topic: "predictions".into(),
            mode: "canary".into(),
            phase: i32::from(window > 20),
            window_end_ms: window * 3_600_000,
            by: "experiments".into(),
            ..ExperimentResult::default()
        };
        for (metric, high) in [("auc", Some(0.5 / window as f64)), ("a & <very> long name of a metric", None)]
        {
            events.push(ExperimentResult {
                kind: ResultKind::Comparison,
                metric: Some(metric.into()),
                arm: Some("second".into()),
                control: Some("champion".into()),
                segment: (metric != "auc").then(|| "country=Niederlande".to_owned()),
                estimate: Some(-0.000_123),
                low: high.map(|high: f64| -high),
                high,
                detail: "why".into(),
                ..frame.clone()
            });
        }
        let figures = [("mature_units", 100.0), ("immature_units", 7.0), ("mixed_units", 1.0)];
        events.push(ExperimentResult {
            detail: "auc undecided, ".repeat(10),
            values: figures.iter().map(|(name, value)| ((*name).to_owned(), Some(*value))).collect(),
            ..frame
        });
    }
    let html = html(&Known::of(&events, "x").unwrap());
    for (width, dark) in [(1280, false), (1280, true), (390, false)] {
        let seen = look(&html, View { width, dark, ..View::default() }, None).unwrap();
        assert_eq!((seen.console.clone(), seen.dark), (Vec::new(), dark));
        // Segments are in the table alone.
        assert_eq!((seen.drawings, seen.empty_drawings, seen.overflow_px), (1, 0, 0), "{width} {dark}");
        for said in ["-0.000123", "country=Niederlande", "&lt;very&gt;", "<h2>Phases</h2>"] {
            assert!(seen.dom.contains(said), "{said}");
        }
    }
}

#![allow(clippy::unwrap_used)]

use millrace_report::{Point, Series};

use super::*;

fn page(columns: usize) -> Page {
    let chart = Chart {
        bins: (0..20).map(|i| format!("{i} to {}", i + 1)).collect(),
        reference: (0..20).map(|i| f64::from(i) / 190.0).collect(),
        current: (0..20).map(|i| f64::from(19 - i) / 190.0).collect(),
    };
    let card = |i: usize| ColumnCard {
        name: format!("column_with_a_long_name_{i}"),
        severity: Some(if i.is_multiple_of(7) { 2.5 } else { 0.4 }),
        facts: [
            ("method", "Kolmogorov-Smirnov"),
            ("effect", "0.1234"),
            ("threshold", "0.0987"),
            ("p", "0.0312"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec(),
        chart: chart.clone(),
    };
    let windows: Vec<String> = (1..=31).map(|day| format!("2018-05-{day:02}")).collect();
    Page {
        title: "fraud <&\"'>".into(),
        verdict: "3 of 15 columns drifted".into(),
        facts: vec![("period".into(), "2018-05-01 to 2018-05-31".into())],
        causes: vec![Cause {
            title: "amount in country=DE".into(),
            severity: 4.2,
            sentence: "The mean rose from 53 to 69.".into(),
            follows: vec!["customer_avg_1d".into()],
            chart: chart.clone(),
        }],
        timeline: Timeline {
            rows: (0..columns).map(|i| (card(i).name, vec![Some(2.0); 31])).take(200).collect(),
            windows: windows.clone(),
        },
        series: vec![Series {
            name: "AUC ROC".into(),
            points: windows
                .iter()
                .enumerate()
                .map(|(i, window)| Point {
                    window: window.clone(),
                    value: (i != 3).then_some(0.9),
                    interval: Some((0.85, 0.95)),
                    mature: i < 25,
                })
                .collect(),
            against: None,
        }],
        columns: (0..columns).map(card).collect(),
        notes: vec!["weekend: seasonal, not judged".into()],
    }
}

#[test]
fn a_page_is_one_file_that_loads_nothing() {
    let html = html(&page(15));
    for outside in ["http:", "https:", "src=", "@import", "url("] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert!(html.contains("fraud &lt;&amp;&quot;&#39;&gt;") && !html.contains("fraud <&"));
    for said in
        ["What drifted", "amount in country=DE", "moved with it: customer_avg_1d", "seasonal, not judged"]
    {
        assert!(html.contains(said), "{said}");
    }
    assert_eq!(html.matches("<article").count(), 15);
}

#[test]
fn a_thousand_columns_stay_below_five_megabytes() {
    assert!(html(&page(1_000)).len() < 5_000_000);
}

#[test]
fn an_empty_page_says_that_nothing_drifted() {
    let html = html(&Page { title: "quiet".into(), ..Page::default() });
    assert!(html.contains("every judged subject stays within its threshold"));
    assert!(!html.contains("<svg") && !html.contains("NaN"));
}

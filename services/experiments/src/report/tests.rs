#![allow(clippy::unwrap_used)]

use super::*;
use crate::analysis::Metric;
use crate::files::{Options, Report, Row, analyze};
use crate::random::Random;

fn report(options: &Options, raised: f64) -> Report {
    let mut random = Random::of(4);
    let rows = (0..3000).map(|unit| {
        let habit = random.normal();
        let arm = ["control", "b <&\"'>"][unit % 2];
        let value = 2.0 + habit + random.normal() + if unit % 2 == 1 { raised } else { 0.0 };
        Ok(Row { unit: unit.to_string(), arm: arm.to_owned(), value, beside: Some(habit) })
    });
    analyze(rows, options).unwrap()
}

#[test]
fn a_page_is_one_small_file_that_loads_nothing() {
    let options =
        Options { looks: 50, expected_relative_effect: Some(0.1), ..Options::new("amount", Metric::Mean) };
    let html = html(&report(&options, 0.3), "rows.csv");
    for outside in ["http:", "https:", "src=", "@import", "url(", "NaN", "inf"] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert!(html.contains("b &lt;&amp;&quot;&#39;&gt;") && !html.contains("b <&"));
    for said in ["higher than the control", "Welch, CUPED", "always valid, raw", "mSPRT", "p (Holm)", "3,000"]
    {
        assert!(html.contains(said), "{said}");
    }
    assert!(html.contains("prefers-color-scheme:dark") && html.len() < 60_000, "{}", html.len());
    // One circle a look that counts (burn-in: 200 of 3,000 units, 60 a look), one point a test.
    assert_eq!((html.matches("<circle").count(), html.matches("class=point").count()), (47, 6));
}

#[test]
fn what_stops_a_conclusion_stands_first() {
    let options = Options {
        shares: vec![("control".into(), 0.7), ("b <&\"'>".into(), 0.3)],
        ..Options::new("amount", Metric::Mean)
    };
    let html = html(&report(&options, 0.3), "rows.csv");
    assert!(html.contains("Nothing may be concluded: the arms do not have their shares"));
    assert!(html.contains("nothing is concluded") && !html.contains("look by look"));
}

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::profile::{Bounds, ColumnPlan, Kind, Plan};
use crate::reference::{Block, Reference};

const DAY: i64 = 86_400_000;

/// A reference of empty days: what is refused is refused before anything is measured.
fn days(count: i64) -> Reference {
    let plan =
        Arc::new(Plan::new(vec![ColumnPlan::new("amount", Kind::Numeric)], Bounds::default(), Vec::new()));
    let block = |day| Block {
        start_ms: day * DAY,
        end_ms: (day + 1) * DAY,
        segments: BTreeMap::new(),
        scores: BTreeMap::new(),
        unseen: BTreeMap::new(),
    };
    let blocks = (0..count).map(block).collect();
    Reference { plan, blocks, delays: None, source: "a test".into() }
}

fn error(reference: &Reference, options: &Options) -> String {
    calibrate(reference, options).unwrap_err().to_string()
}

#[test]
fn a_range_too_short_is_refused_with_how_much_is_needed() {
    let text = error(&days(20), &Options::default());
    assert!(
        text.contains("20 windows") && text.contains("180d") && text.contains("needs 23, that is 23d"),
        "{text}"
    );
    assert!(text.contains("ask for 160d or less"), "{text}");
    assert!(calibrate(&days(23), &Options::default()).is_ok());
    let text = error(&days(9), &Options { expected_time_between_alarms_ms: 30 * DAY, ..Options::default() });
    assert!(text.contains("needs 14"), "{text}");
    let half = Options { share: 0.5, ..Options::default() };
    assert!(error(&days(30), &half).contains("needs 45"), "{}", error(&days(30), &half));
}

#[test]
fn windows_that_blocks_do_not_make_are_refused() {
    let hours = Options { window: WindowSpec::Tumbling { length_ms: 3_600_000 }, ..Options::default() };
    let text = error(&days(60), &hours);
    assert!(text.contains("blocks of 1h"), "{text}");
    assert!(error(&days(0), &Options::default()).contains("no block"));
    assert!(calibrate(&days(60), &Options { share: 0.0, ..Options::default() }).is_err());
}

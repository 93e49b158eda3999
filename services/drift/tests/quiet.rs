//! The whole path from a reference to causes, on a stream with rolling features: quiet while nothing changes, and the
//! planted change on top when something does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "quiet/stream.rs"]
mod stream;

use std::collections::BTreeMap;

use millrace_drift::alarm::{Alarms, Rules};
use millrace_drift::calibrate::{Options, calibrate};
use millrace_drift::cause::{Depends, group};
use millrace_drift::judge::{
    About, Bound, Inputs, Judgement, Stream as Topic, Thresholds, against, judge_window,
};
use millrace_drift::reference::{Reference, Support};
use millrace_drift::window::{WHOLE, Window};
use millrace_schemas::envelope::{DriftEvent, Subject};

use stream::{Change, DAY, Stream, profiles, reference};

struct Watch {
    reference: Reference,
    thresholds: Thresholds,
    support: Option<Support>,
    joint: bool,
}

impl Watch {
    fn new(stream: &mut Stream, days: usize, joint: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let reference = reference(stream, days, folder.path());
        let thresholds = calibrate(&reference, &Options { joint, ..Options::default() }).unwrap().thresholds;
        let support = Support::of(&reference.total(WHOLE).unwrap());
        Self { reference, thresholds, support, joint }
    }

    fn judge(&self, stream: &mut Stream, change: Change) -> Judgement {
        let (start_ms, day) = stream.next_day(change);
        let end_ms = start_ms + DAY;
        let about = About {
            app: "fraud".into(),
            topic: "features".into(),
            subject: Subject::Data,
            window: "1 day".into(),
            start_ms,
            end_ms,
            ..About::default()
        };
        let against = against(&self.reference, None, Window { start_ms, end_ms, number: 0 });
        judge_window(&Inputs {
            about: &about,
            against: &against,
            current: &profiles(&self.reference, &day),
            thresholds: &self.thresholds,
            quality: None,
            stream: Topic::default(),
            support: self.support.as_ref(),
            options: &millrace_drift::judge::Options { joint: self.joint, ..Default::default() },
        })
    }
}

fn drifted(judgement: &Judgement) -> Vec<&DriftEvent> {
    judgement.findings.iter().filter(|event| event.drifted).collect()
}

#[test]
fn an_unchanged_stream_stays_quiet_though_plain_p_values_alarm() {
    let (mut days, mut alarmed, mut by_p_value) = (0, 0, 0);
    for seed in 1..=4 {
        let mut stream = Stream::new(seed);
        let watch = Watch::new(&mut stream, 42, false);
        for _ in 0..42 {
            let judgement = watch.judge(&mut stream, Change::None);
            days += 1;
            alarmed += usize::from(!drifted(&judgement).is_empty());
            by_p_value +=
                usize::from(judgement.findings.iter().any(|e| e.p_adjusted.is_some_and(|p| p < 0.05)));
        }
    }
    // 168 days at one alarm in 180 days.
    assert!(alarmed <= 2, "{alarmed} of {days} days alarmed");
    println!("{alarmed} of {days} days alarmed; by p-values {by_p_value}");
}

/// Two days of a change: the root of the top-ranked cause of the second one, with the members of its group.
fn top_cause(change: Change) -> (DriftEvent, Vec<DriftEvent>) {
    let mut stream = Stream::new(11);
    let watch = Watch::new(&mut stream, 42, false);
    let depends = Depends::new(
        &[
            ("customer_avg_7d".to_owned(), vec!["amount".to_owned()]),
            ("terminal_age".to_owned(), vec!["terminal_id".to_owned()]),
        ]
        .into(),
        &[],
    );
    let mut alarms = Alarms::new(Rules::default());
    let mut top = None;
    for _ in 0..2 {
        let mut events = watch.judge(&mut stream, change).findings;
        for event in &mut events {
            event.alarm = alarms.observe(event);
        }
        let causes = group(&mut events, &depends, |event| alarms.since_ms(event), DAY);
        top = causes.first().map(|cause| {
            let members = cause.findings.iter().map(|i| events[*i].clone()).collect();
            (events[cause.root].clone(), members)
        });
    }
    top.unwrap()
}

#[test]
fn a_change_in_one_country_is_named_as_such() {
    let (root, members) = top_cause(Change::AmountsInOneCountry);
    assert_eq!(root.column.as_deref(), Some("amount"), "{root:#?}");
    assert_eq!(root.segment.as_deref(), Some("country=NE"), "{root:#?}");
    assert_eq!((root.rank, root.subject), (Some(1), Subject::Data));
    assert!(members.iter().all(|event| event.cause_group == Some(1)));
    assert!(root.detail.starts_with("In country=NE amount is "), "{}", root.detail);
}

#[test]
fn terminals_that_nobody_knew_are_named_as_such() {
    let (root, members) = top_cause(Change::NewTerminals);
    assert_eq!((root.column.as_deref(), root.segment.as_deref()), (Some("terminal_id"), None), "{root:#?}");
    assert!(members.iter().any(|event| event.column.as_deref() == Some("terminal_age")), "{members:#?}");
}

#[test]
fn values_that_are_missing_are_drift_of_their_own() {
    let (root, _) = top_cause(Change::MissingAmounts);
    assert_eq!((root.column.as_deref(), root.method.as_str()), (Some("amount"), "missing"), "{root:#?}");
    assert!(root.detail.contains("amount is missing in"), "{}", root.detail);
}

#[test]
fn a_column_that_is_the_same_all_day_is_told_as_seasonal_and_what_is_judged_twice_is_the_same() {
    let mut stream = Stream::new(7);
    let watch = Watch::new(&mut stream, 28, true);
    let weekend: BTreeMap<_, _> = watch.thresholds.of(Some("weekend"), WHOLE).collect();
    let seasonal = weekend.values().any(|b| matches!(b, Bound::NotJudged { reason } if reason == "seasonal"));
    assert!(seasonal, "{weekend:?}");
    let text = watch.thresholds.to_toml();
    assert_eq!(Thresholds::from_toml("thresholds.toml", &text).as_ref(), Ok(&watch.thresholds));
    let (mut one, mut two) = (Stream::new(8), Stream::new(8));
    let judged = watch.judge(&mut one, Change::None);
    assert_eq!(judged, watch.judge(&mut two, Change::None));
    assert!(judged.summary.detail.contains("seasonal, not judged"), "{}", judged.summary.detail);
    let ids: std::collections::BTreeSet<_> = judged.findings.iter().map(|event| &event.id).collect();
    assert_eq!(ids.len(), judged.findings.len());
}

//! What events say of times, roles and figures, as people then see it.

use super::*;
use crate::report::stream::{Known, text};

fn counted(bench: &mut Bench, run: &str, day: i64, counted: &Counted) {
    let note = Note::Counted { run: run.to_owned(), place: place(0), end_ms: day * DAY, phase: 0 };
    bench.tell(note, &counted.to_bytes());
}

#[test]
fn a_start_is_dated_by_its_command_though_units_were_watched_before() {
    let definition = ExperimentDefinition {
        covariate_ms: 2 * DAY,
        ..definition(ExperimentKind::Ab, &[("a", 0.5), ("b", 0.5)])
    };
    let mut bench = Bench::new(1);
    let run = bench.start(&definition);
    for day in 1..=4 {
        let first_ms = (day > 3).then_some(3 * DAY + 7);
        counted(&mut bench, &run, day, &Counted { rows: 1, first_ms, ..Counted::default() });
    }
    let start = bench.results.iter().find(|event| event.decision == Some(Decided::Start)).unwrap();
    assert_eq!((start.time_ms, start.window_end_ms), (SPOKEN_MS, 3 * DAY));
    assert!(start.detail.ends_with("were collected until 1970-01-04 00:00"), "{}", start.detail);
    bench.command(CommandKind::Pause, String::new());
    let pause = bench.results.last().unwrap();
    assert_eq!(
        (pause.time_ms, pause.window_start_ms, pause.window_end_ms),
        (SPOKEN_MS, 3 * DAY + 7, 4 * DAY),
        "what is counted lies in the stream's time, whenever a person speaks"
    );
}

#[test]
fn commands_are_refused_in_the_words_that_people_use() {
    let mut bench = Bench::new(1);
    bench.start(&definition(ExperimentKind::Ab, &[("a", 0.5), ("b", 0.5)]));
    bench.command(CommandKind::Decide, "B".into());
    assert_eq!(bench.results.last().unwrap().detail, "refused: decide by Somebody: it has no arm `B`");
}

#[test]
fn guardrails_are_told_with_their_bounds_and_shares_of_units_only_where_some_are_expected() {
    let guardrail =
        ExperimentMetric { bound: 0.5, ..metric("complaints", MetricKind::Mean, MetricRole::Guardrail) };
    let primary = metric("value", MetricKind::Mean, MetricRole::Primary);
    for (kind, expected) in [(ExperimentKind::Ab, true), (ExperimentKind::Bandit, false)] {
        let mut definition = definition(kind, &[("a", 0.5), ("b", 0.5)]);
        definition.metrics = vec![primary.clone(), guardrail.clone()];
        let mut bench = Bench::new(1);
        let run = bench.start(&definition);
        let rules = Rules { window_ms: DAY, label_horizon_ms: 0, covariate_ms: 0 };
        let (mut units, mut random) = (vec![Units::new(rules); 3], Random::of(7));
        (1..5).for_each(|day| ab_parts(&mut units, &mut random, day, 0.0));
        let mut summary = units[0].summary(6 * DAY, Beside::Nothing);
        units[1..].iter().for_each(|units| summary.merge(&units.summary(6 * DAY, Beside::Nothing)));
        let metrics = vec![summary.clone(), summary];
        let all = Counted { metrics, rows: 9, first_ms: Some(5), closed: 8, outcomes: 6 };
        counted(&mut bench, &run, 6, &all);
        let told = |name: &str| {
            let mut own = bench.results.iter().filter(|event| event.metric.as_deref() == Some(name));
            own.next()
                .map(|event| (event.role.clone(), event.standing.clone(), event.values.get("bound").copied()))
        };
        let said = |role: &str, standing: &str| (Some(role.to_owned()), Some(standing.to_owned()));
        let (role, standing) = said("guardrail", "good");
        assert_eq!(told("complaints"), Some((role, standing, Some(Some(0.5)))));
        let (role, standing) = said("primary", "undecided");
        assert_eq!(told("value"), Some((role, standing, None)));
        let text = text(&Known::of(&bench.results, "x").unwrap());
        assert_eq!(text.contains("sample ratio"), expected, "{text}");
        assert!(text.contains("6 (75 %) of rows") && text.contains("guardrail, bound 0.5: good"), "{text}");
    }
}

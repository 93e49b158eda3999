use super::*;

const DAY: i64 = 86_400_000;

fn window(day: i64, severity: f64) -> DriftEvent {
    DriftEvent {
        topic: "features".into(),
        column: Some("amount".into()),
        method: "ks".into(),
        window_start_ms: (day - 1) * DAY,
        window_end_ms: day * DAY,
        severity,
        drifted: severity > 1.0,
        ..DriftEvent::default()
    }
}

fn days(alarms: &mut Alarms, from: i64, severities: &[f64]) -> Vec<AlarmState> {
    severities.iter().zip(from..).map(|(severity, day)| alarms.observe(&window(day, *severity))).collect()
}

fn command(day: i64, action: Action) -> Command {
    let alarm = AlarmKey::of(&window(1, 0.0)).id();
    Command { time_ms: day * DAY, alarm, action, by: "ann".into(), note: "known sale".into() }
}

#[test]
fn an_alarm_opens_after_so_many_windows_and_closes_only_well_below_the_threshold() {
    use AlarmState::{Closed, None, Open};
    let mut alarms = Alarms::new(Rules { open_after: 2, close_after: 2, close_below: 0.8 });
    assert_eq!(days(&mut alarms, 1, &[0.5, 1.2, 0.9, 1.5, 2.0]), [None, None, None, None, Open]);
    assert_eq!(
        alarms.iter().next().map(|(_, a)| (a.since_ms, a.opened_ms)),
        Some((Some(4 * DAY), Some(5 * DAY)))
    );
    assert_eq!(days(&mut alarms, 6, &[0.9, 0.7, 0.9, 0.7, 0.7]), [Open, Open, Open, Open, Closed]);
    assert_eq!(days(&mut alarms, 11, &[1.1, 0.2, 1.1, 1.1]), [Closed, Closed, Closed, Open]);
}

#[test]
fn a_quiet_subject_leaves_no_state() {
    let mut alarms = Alarms::new(Rules { open_after: 3, ..Rules::default() });
    days(&mut alarms, 1, &[0.1, 0.9, 1.1, 0.3]);
    assert_eq!(alarms.iter().count(), 0);
}

#[test]
fn provisional_windows_and_revisions_do_not_count() {
    let mut alarms = Alarms::new(Rules { open_after: 2, ..Rules::default() });
    let early = DriftEvent { status: DriftStatus::Provisional, ..window(1, 3.0) };
    assert_eq!(alarms.observe(&early), AlarmState::None);
    assert_eq!(alarms.observe(&window(1, 3.0)), AlarmState::None);
    let again = DriftEvent { status: DriftStatus::Revision, revision: 1, ..window(1, 3.0) };
    assert_eq!(alarms.observe(&again), AlarmState::None);
    assert_eq!(alarms.observe(&window(1, 3.0)), AlarmState::None);
    assert_eq!(alarms.observe(&window(2, 3.0)), AlarmState::Open);
}

#[test]
fn people_acknowledge_mute_and_close() {
    use AlarmState::{Acknowledged, Closed, Muted, Open};
    let mut alarms = Alarms::new(Rules::default());
    assert!(matches!(alarms.command(&command(1, Action::Acknowledge)), Err(CommandError::Unknown(_))));
    assert_eq!(days(&mut alarms, 1, &[2.0]), [Open]);
    assert_eq!(alarms.command(&command(1, Action::Acknowledge)), Ok(Acknowledged));
    assert_eq!(days(&mut alarms, 2, &[2.0]), [Acknowledged]);
    assert_eq!(alarms.command(&command(2, Action::Mute { until_ms: 4 * DAY })), Ok(Muted));
    assert_eq!(days(&mut alarms, 3, &[2.0, 2.0]), [Muted, Acknowledged]);
    assert_eq!(alarms.command(&command(4, Action::Close)), Ok(Closed));
    let error = alarms.command(&command(4, Action::Close)).unwrap_err().to_string();
    assert!(error.contains("is closed") && error.contains("close"), "{error}");
    assert_eq!(days(&mut alarms, 5, &[2.0, 0.1, 0.1, 2.0]), [Closed, Closed, Closed, Open]);
    assert_eq!(alarms.get(&AlarmKey::of(&window(1, 0.0))).map(|a| a.note.as_str()), Some("ann: known sale"));
}

#[test]
fn a_mute_that_ran_out_leaves_the_alarm_open() {
    let mut alarms = Alarms::new(Rules::default());
    days(&mut alarms, 1, &[2.0]);
    alarms.command(&command(1, Action::Mute { until_ms: 3 * DAY })).unwrap();
    assert_eq!(days(&mut alarms, 2, &[2.0, 2.0]), [AlarmState::Muted, AlarmState::Open]);
    assert!(alarms.command(&command(9, Action::Mute { until_ms: 3 * DAY })).is_err());
}

#[test]
fn state_and_commands_survive_bytes() {
    let mut alarms = Alarms::new(Rules::default());
    days(&mut alarms, 1, &[2.0, 0.1 + 0.2]);
    alarms.command(&command(2, Action::Mute { until_ms: 3 * DAY })).unwrap();
    let bytes = alarms.to_bytes();
    let again = Alarms::from_bytes(Rules::default(), &bytes).unwrap();
    assert_eq!(again, alarms);
    assert_eq!(again.to_bytes(), bytes);
    assert!(Alarms::from_bytes(Rules::default(), b"[1]").is_err());
    for action in [Action::Acknowledge, Action::Mute { until_ms: 5 }, Action::Unmute, Action::Close] {
        let given = command(3, action);
        assert_eq!(Command::from_json(given.to_json().as_bytes()).as_ref(), Ok(&given));
    }
    assert!(Command::from_json(b"{}").is_err());
}

use millrace_schemas::envelope::Draw;

use super::*;
use crate::assignment;

fn version(text: &str) -> ModelRef {
    ModelRef::parse(&format!("m/{text}")).unwrap()
}

fn asked(time_ms: i64) -> Asked {
    Asked { by: "ada".into(), reason: "trial".into(), cause: String::new(), time_ms }
}

fn request(plan: Plan) -> Request {
    Request {
        topic: "predictions".into(),
        interleaves: false,
        champion: None,
        shadows: Vec::new(),
        plan,
        experiment: None,
        salt: None,
        namespace: None,
    }
}

fn shares(arms: &[(&str, &str, f64)]) -> Request {
    let arms = arms.iter().map(|(name, v, share)| ((*name).to_owned(), version(v), *share)).collect();
    request(Plan::Shares { mode: Deployment::AB, arms, draw: Draw::Unit })
}

fn canary(share: f64) -> Request {
    request(Plan::Canary { version: version("2"), share })
}

fn first() -> Vec<(i64, Deployment)> {
    vec![(0, Deployment::champion("predictions", "m", "1", 0))]
}

fn then(history: &mut Vec<(i64, Deployment)>, request: &Request) -> Deployment {
    let offset = history.len() as i64;
    let made = next(request, &asked(offset), history).unwrap();
    history.push((offset, made.clone()));
    made
}

fn refused(history: &[(i64, Deployment)], request: &Request) -> String {
    next(request, &asked(9), history).unwrap_err().to_string()
}

fn sizes(deployment: &Deployment) -> Vec<(String, u32)> {
    let serving = deployment.arms.iter().filter(|arm| arm.role == ArmRole::Serving);
    serving.map(|arm| (arm.arm.clone(), arm.buckets.iter().map(|(a, b)| u32::from(b - a)).sum())).collect()
}

fn has(deployment: &Deployment, name: &str) -> assignment::Buckets {
    let arm = deployment.arms.iter().find(|arm| arm.role == ArmRole::Serving && arm.arm == name);
    assignment::Buckets::of(&arm.unwrap().buckets).unwrap()
}

fn named(sizes: &[(&str, u32)]) -> Vec<(String, u32)> {
    sizes.iter().map(|(name, size)| ((*name).to_owned(), *size)).collect()
}

#[test]
fn a_champion_serves_all_and_shadows_watch() {
    let mut history = Vec::new();
    assert!(refused(&history, &request(Plan::Champion)).contains("name the champion"));
    let wanted = Request {
        champion: Some(version("2")),
        shadows: vec![("s".into(), version("3"))],
        ..request(Plan::Champion)
    };
    let made = then(&mut history, &wanted);
    assert_eq!((made.mode.as_str(), made.version.as_str(), made.set_by.as_str()), ("champion", "2", "ada"));
    assert_eq!(versions(&made), [version("2"), version("3")]);
    assert_eq!(made.salt, "");
}

#[test]
fn the_control_has_what_the_other_arms_leave_unless_it_is_named() {
    let mut history = first();
    let made = then(&mut history, &shares(&[("b", "2", 0.3), ("c", "3", 0.3)]));
    assert_eq!(sizes(&made), named(&[("control", 4_000), ("b", 3_000), ("c", 3_000)]));
    let made = next(&shares(&[("b", "2", 0.3), ("own", "1", 0.3)]), &asked(5), &first()).unwrap();
    assert_eq!(sizes(&made), named(&[("own", 3_000), ("b", 3_000)]));
}

#[test]
fn a_canary_grows_into_nobodys_and_its_baselines_buckets_within_one_phase() {
    let mut history = first();
    let steps = [0.01, 0.05, 0.25, 0.5].map(|share| then(&mut history, &canary(share)));
    for pair in steps.windows(2) {
        assert_eq!(pair[0].salt, pair[1].salt);
        assert_eq!(pair[1].phase, 0);
        for arm in [CANARY, BASELINE] {
            assert_eq!(has(&pair[0], arm).minus(&has(&pair[1], arm)).count(), 0, "{arm} lost a unit");
        }
    }
    assert_eq!(sizes(&steps[3]), named(&[("baseline", 5_000), ("canary", 5_000)]));
    let over = then(&mut history, &canary(0.75));
    assert_eq!(sizes(&over), named(&[("baseline", 2_500), ("canary", 7_500)]));
    assert_eq!(over.phase, 1, "the baseline gave units up");
    assert_eq!(has(&steps[3], CANARY).minus(&has(&over, CANARY)).count(), 0);
    let shadows: Vec<_> = over.arms.iter().filter(|arm| arm.role == ArmRole::Shadow).collect();
    assert_eq!(shadows.len(), 2, "both score what they do not serve");
}

#[test]
fn other_weights_are_a_new_phase_in_which_nobody_moves_between_other_arms() {
    let mut history = first();
    let before = then(&mut history, &shares(&[("b", "2", 0.2), ("c", "3", 0.4)]));
    let same = then(&mut history, &shares(&[("b", "2", 0.2), ("c", "3", 0.4)]));
    assert_eq!((same.phase, &same.arms), (0, &before.arms));
    let after = then(&mut history, &shares(&[("b", "2", 0.4), ("c", "3", 0.2)]));
    assert_eq!(after.phase, 1);
    assert_eq!(sizes(&after), named(&[("control", 4_000), ("b", 4_000), ("c", 2_000)]));
    assert_eq!(has(&before, "c").first_shared(&has(&after, "b")), None);
    assert_eq!(has(&before, "b").minus(&has(&after, "b")).count(), 0);
    let dropped = then(&mut history, &shares(&[("b", "2", 0.4)]));
    assert_eq!((dropped.phase, sizes(&dropped)), (2, named(&[("control", 6_000), ("b", 4_000)])));
}

#[test]
fn another_experiment_has_another_salt() {
    let mut history = first();
    let one = then(&mut history, &canary(0.1));
    then(&mut history, &Request { champion: Some(version("1")), ..request(Plan::Champion) });
    let two = then(&mut history, &canary(0.1));
    assert_ne!(one.salt, two.salt);
    let named = Request { experiment: Some("amounts".into()), ..canary(0.1) };
    let made = then(&mut history, &named);
    assert_eq!((made.salt.as_str(), made.experiment.as_str()), ("amounts", "amounts"));
    let stolen = Request { experiment: Some("other".into()), salt: Some("amounts".into()), ..canary(0.2) };
    let error = refused(&history, &stolen);
    assert!(error.contains("experiment `amounts`") && error.contains("deployment 4"), "{error}");
}

#[test]
fn what_cannot_be_is_refused() {
    let history = first();
    let refused = |request: &Request, part: &str| {
        let error = refused(&history, request);
        assert!(error.contains(part), "{error}");
    };
    refused(&shares(&[("b", "2", 0.7), ("c", "3", 0.4)]), "above 1");
    refused(&shares(&[("b", "2", 1.5)]), "not within 0 and 1");
    refused(&shares(&[("b", "2", 0.3), ("b", "3", 0.3)]), "declared twice");
    refused(&shares(&[("champion", "2", 0.3)]), "no experiment");
    refused(&shares(&[("", "2", 0.3)]), "empty");
    refused(&shares(&[("b", "2", 0.000_01)]), "less than one");
    refused(&request(Plan::Canary { version: version("1"), share: 0.1 }), "serves already");
    let lists = |versions: &[&str], method: &str| Plan::Interleave {
        versions: versions.iter().map(|v| version(v)).collect(),
        method: method.into(),
    };
    refused(&request(lists(&["1", "2"], "team_draft")), "no rankings");
    let ranked =
        |versions: &[&str], method| Request { interleaves: true, ..request(lists(versions, method)) };
    refused(&ranked(&["1", "2"], "team-draft"), "team_draft, balanced");
    refused(&ranked(&["1", "1"], "team_draft"), "two or more");
    refused(&ranked(&["1", "2", "3"], "optimized"), "takes two");
    let made = next(&ranked(&["1", "2", "3"], "team_draft"), &asked(1), &history).unwrap();
    assert_eq!((made.method.as_str(), made.arms.len()), ("team_draft", 3));
    let shadowed = Request {
        shadows: vec![("s".into(), version("2")), ("s".into(), version("3"))],
        ..request(Plan::Champion)
    };
    refused(&shadowed, "two of it");
}

#[test]
fn experiments_of_one_namespace_have_parts_of_their_own() {
    let mut history = first();
    let part = |topic: &str, from, to| Request {
        topic: topic.into(),
        champion: Some(version("1")),
        namespace: Some(("checkout".into(), from, to)),
        ..canary(0.1)
    };
    then(&mut history, &part("predictions", 0, 4_000));
    let error = refused(&history, &part("others", 3_999, 5_000));
    assert!(error.contains("3999 to 5000") && error.contains("canary on `predictions`"), "{error}");
    let made = then(&mut history, &part("others", 4_000, 10_000));
    assert_eq!((made.namespace_from, made.namespace_to), (4_000, 10_000));
    assert!(refused(&history, &part("third", 5, 5)).contains("no part of"));
}

#[test]
fn a_rollback_puts_an_earlier_deployment_into_force_again() {
    let mut history = first();
    let judged = std::collections::BTreeSet::from(["second".to_owned()]);
    let restore = |offset, history: &[(i64, Deployment)]| {
        restore("predictions", offset, &asked(9), history, &judged).map_err(|error| error.to_string())
    };
    assert!(restore(None, &history).unwrap_err().contains("none before"));
    then(&mut history, &canary(0.05));
    then(&mut history, &canary(0.25));
    then(&mut history, &Request { champion: Some(version("2")), ..request(Plan::Champion) });
    let back = restore(None, &history).unwrap().deployment;
    assert_eq!((back.restores, back.phase, &back.arms), (Some(2), 0, &history[2].1.arms));
    let earlier = restore(Some(1), &history).unwrap().deployment;
    assert_eq!((earlier.restores, earlier.phase), (Some(1), 1), "arms gave units up");
    assert!(restore(Some(7), &history).unwrap_err().contains("only 0, 1, 2, 3"));
}

#[test]
fn a_rollback_brings_no_arms_back_that_nobody_judges() {
    let mut history = first();
    let known = Request { experiment: Some("second".into()), ..canary(0.05) };
    then(&mut history, &known);
    then(&mut history, &Request { champion: Some(version("2")), ..request(Plan::Champion) });
    let restore = |judged: &[&str]| {
        let judged = judged.iter().map(|name| (*name).to_owned()).collect();
        restore("predictions", None, &asked(9), &history, &judged).unwrap()
    };
    let alone = restore(&["first", "second"]);
    assert_eq!(alone.without.as_deref(), Some("second"));
    let Deployment { mode, version, arms, salt, experiment, restores, .. } = &alone.deployment;
    assert_eq!(
        (mode.as_str(), version.as_str(), arms.len(), *restores),
        (Deployment::CHAMPION, "1", 0, Some(1))
    );
    assert!(salt.is_empty() && experiment.is_empty());
    // Arms that people deployed themselves are theirs.
    let own = restore(&["first"]);
    assert_eq!((own.without, own.deployment.arms), (None, history[1].1.arms.clone()));
}

/// Weights of 10,000, drawn anew in each step.
fn weights(random: &mut crate::random::Random, arms: usize) -> Vec<f64> {
    let all = 0.2 + 0.8 * random.uniform();
    let drawn: Vec<f64> = (0..arms).map(|_| 0.02 + random.uniform()).collect();
    let sum: f64 = drawn.iter().sum();
    drawn.iter().map(|one| all * one / sum).collect()
}

fn arm_at(deployment: &Deployment, bucket: u16) -> &str {
    let holds = |arm: &&Arm| arm.buckets.iter().any(|(from, to)| (*from..*to).contains(&bucket));
    deployment
        .arms
        .iter()
        .filter(|arm| arm.role == ArmRole::Serving)
        .find(holds)
        .map_or(CHAMPION, |arm| &arm.arm)
}

#[test]
fn over_any_weights_units_move_between_the_champion_and_one_arm_alone() {
    let names = ["b", "c", "d"];
    let mut refused = 0;
    for seed in 0..60 {
        let mut random = crate::random::Random::keyed("weights", &seed.to_string());
        let mut history = first();
        let mut last: Option<(Deployment, Vec<f64>)> = None;
        for step in 0..12 {
            let mut shares = weights(&mut random, 3);
            // Some arms keep their share, while others change.
            if let Some((_, before)) = &last
                && let Some(kept) = (step % 4 != 3).then_some(step % 3)
            {
                shares[kept] = before[kept];
                if shares.iter().sum::<f64>() > 1.0 {
                    continue;
                }
            }
            let arms: Vec<_> =
                names.iter().zip(["2", "3", "4"]).zip(&shares).map(|((n, v), s)| (*n, v, *s)).collect();
            let request =
                Request { salt: Some("s".into()), experiment: Some("e".into()), ..self::shares(&arms) };
            let now = match next(&request, &asked(step as i64), &history) {
                Ok(now) => now,
                // What the champion lacks cannot be taken from other arms.
                Err(Error::Assignment(assignment::Error::NoRoom { .. })) => {
                    refused += 1;
                    continue;
                }
                Err(error) => panic!("{error}"),
            };
            if let Some((before, old)) = &last {
                let own = |arm: &str| arm == CONTROL || arm == CHAMPION;
                for bucket in 0..10_000 {
                    let (from, to) = (arm_at(before, bucket), arm_at(&now, bucket));
                    assert!(from == to || own(from) || own(to), "seed {seed}: {bucket} from {from} to {to}");
                }
                for (at, name) in names.iter().enumerate().filter(|(at, _)| shares[*at] >= old[*at]) {
                    let lost = has(before, name).minus(&has(&now, name)).count();
                    assert_eq!(
                        lost, 0,
                        "seed {seed}, step {step}: {name} lost units, {} to {}",
                        old[at], shares[at]
                    );
                }
            }
            for (name, share) in names.iter().zip(&shares) {
                let off = has(&now, name).count() as f64 - share * 10_000.0;
                assert!(off.abs() <= 1.0, "{name}: {off}");
            }
            history.push((history.len() as i64, now.clone()));
            last = Some((now, shares));
        }
    }
    assert!(refused < 200, "{refused} of 720 refused");
}

#[test]
fn the_champions_arm_makes_room_also_where_it_goes() {
    let mut history = first();
    let of = |share| Request {
        salt: Some("s".into()),
        experiment: Some("e".into()),
        ..shares(&[("b", "2", share)])
    };
    let half = then(&mut history, &of(0.5));
    let all = then(&mut history, &of(1.0));
    assert_eq!((sizes(&half).len(), sizes(&all)), (2, named(&[("b", 10_000)])));
}

#[test]
fn a_deployment_of_a_decision_is_checked_as_one_of_a_person() {
    let mut history = first();
    let made = then(&mut history, &Request { experiment: Some("e".into()), ..canary(0.1) });
    assert_eq!(check(&made, &history), Ok(()));
    let refused = |of: Deployment, part: &str| {
        let error = check(&of, &history).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    refused(Deployment { experiment: "other".into(), ..made.clone() }, "is that of experiment `e`");
    let mut twice = made.clone();
    twice.arms[0].buckets = vec![(0, 1_500)];
    refused(twice, "belongs to both");
    let mut named = made.clone();
    named.arms[0].arm = CHAMPION.into();
    refused(named, "no experiment");
    let other = Deployment {
        topic: "others".into(),
        experiment: "o".into(),
        salt: "o".into(),
        namespace: "n".into(),
        namespace_from: 0,
        namespace_to: 50,
        ..made.clone()
    };
    let history = [(5, Deployment { namespace: "n".into(), namespace_from: 40, namespace_to: 60, ..made })];
    assert!(check(&other, &history).unwrap_err().to_string().contains("0 to 50 overlaps"));
}

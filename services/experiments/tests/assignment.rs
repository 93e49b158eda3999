//! Assignment against the package `growthbook` (`golden/assignment.py`), and the rules of growth.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use millrace_experiments::assignment::hash::{BUCKETS, bucket};
use millrace_experiments::assignment::{Allocation, Assignment, Buckets, Error, Namespace, check_salts};
use millrace_experiments::random::Random;
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/assignment.json")).unwrap()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect()
}

#[test]
fn ten_thousand_units_fall_where_growthbook_puts_them() {
    let golden = golden();
    let (seeds, shapes) = (texts(&golden["seeds"]), texts(&golden["shapes"]));
    let found: Vec<u16> = (0..10_000)
        .map(|at| {
            bucket(
                seeds[at % seeds.len()],
                &shapes[at % shapes.len()].replace("{}", &(at * 7919).to_string()),
            )
        })
        .collect();
    for (at, expected) in golden["first"].as_array().unwrap().iter().enumerate() {
        assert_eq!(u64::from(found[at]), expected.as_u64().unwrap(), "unit {at}");
    }
    for (part, expected) in golden["checksums"].as_array().unwrap().iter().enumerate() {
        let start = part * 500;
        let sum: u64 = (start..start + 500).map(|at| (at - start + 1) as u64 * u64::from(found[at])).sum();
        assert_eq!(sum, expected.as_u64().unwrap(), "units from {start} on");
    }
}

#[test]
fn arms_lie_where_growthbook_lays_them() {
    for case in golden()["arms"].as_array().unwrap() {
        let names = ["0", "1", "2", "3"];
        let weights = case["weights"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap());
        let shares: Vec<_> = names.into_iter().zip(weights).collect();
        let allocation = Allocation::lay(&shares, case["coverage"].as_f64().unwrap()).unwrap();
        for (at, expected) in case["ends"].as_array().unwrap().iter().enumerate() {
            let arm = allocation.arm_of(at as u16 * 7).map_or("-1", |arm| arm.name.as_str());
            assert_eq!(arm, expected.to_string(), "bucket {}", at * 7);
        }
        let counts: Vec<u64> = allocation.arms().iter().map(|arm| arm.buckets.count() as u64).collect();
        assert_eq!(serde_json::json!(counts), case["counts"]);
    }
}

#[test]
fn growth_moves_nobody_between_other_arms() {
    let mut random = Random::of(5);
    for _ in 0..200 {
        let coverage = random.uniform();
        let before = Allocation::lay(&[("champion", 0.5), ("a", 0.2), ("b", 0.3)], coverage).unwrap();
        let sizes = [("a", random.below(3000)), ("b", random.below(3000)), ("c", random.below(2000))];
        let after = match before.resize(&sizes) {
            Ok(after) => after,
            Err(Error::NoRoom { .. }) => continue,
            Err(error) => panic!("{error}"),
        };
        for (name, size) in sizes {
            assert_eq!(after.arms().iter().find(|arm| arm.name == name).unwrap().buckets.count(), size);
        }
        for bucket in 0..BUCKETS {
            let (from, to) = (before.arm_of(bucket), after.arm_of(bucket));
            let (from, to) = (from.map(|arm| arm.name.as_str()), to.map(|arm| arm.name.as_str()));
            assert!(
                from == to || matches!(from, None | Some("champion")) || to == Some("champion"),
                "{from:?} {to:?}"
            );
            assert!(from.is_none() || to.is_some(), "{bucket} left the experiment");
        }
    }
}

#[test]
fn growth_beyond_the_champion_is_refused() {
    let before = Allocation::lay(&[("champion", 0.5), ("a", 0.5)], 1.0).unwrap();
    let refused = before.resize(&[("b", 5001)]).unwrap_err();
    assert_eq!(refused, Error::NoRoom { arm: "b".into(), wanted: 5001, available: 5000 });
    // What `a` gives up in this step is the champion's, not b's.
    assert!(before.resize(&[("a", 0), ("b", 5001)]).is_err());
    assert!(matches!(before.resize(&[("champion", 1)]), Err(Error::ChampionResized(_))));
    assert!(matches!(before.resize(&[("a", 1), ("a", 2)]), Err(Error::SameArm(_))));
}

#[test]
fn shares_over_one_and_shared_buckets_are_refused() {
    assert!(matches!(Allocation::lay(&[("a", 0.6), ("b", 0.5)], 1.0), Err(Error::Shares(_))));
    assert!(matches!(Allocation::lay(&[("a", -0.1)], 1.0), Err(Error::Share { .. })));
    assert!(matches!(Allocation::lay(&[("a", 0.5)], f64::NAN), Err(Error::Coverage(_))));
    assert!(Allocation::lay(&[("a", 0.1), ("b", 0.2), ("c", 0.7)], 1.0).is_ok());
    assert!(matches!(Buckets::of(&[(0, 5), (4, 9)]), Err(Error::Overlap { .. })));
    assert!(matches!(Buckets::of(&[(9, 9)]), Err(Error::Interval { .. })));
    let json = r#"[{"name":"a","buckets":[[0,10]]},{"name":"b","buckets":[[9,12]]}]"#;
    let error = serde_json::from_str::<Allocation>(json).unwrap_err().to_string();
    assert!(error.contains("bucket 9 belongs to both `a` and `b`"), "{error}");
}

#[test]
fn experiments_of_one_namespace_exclude_one_another() {
    let mut namespace = Namespace::new("checkout");
    namespace.claim("first", &Buckets::of(&[(0, 4000)]).unwrap()).unwrap();
    assert!(namespace.claim("second", &Buckets::of(&[(3999, 6000)]).unwrap()).is_err());
    namespace.claim("second", &Buckets::of(&[(4000, 9000)]).unwrap()).unwrap();
    assert_eq!(namespace.free(), Buckets::of(&[(9000, 10_000)]).unwrap());
    let assignment = |salt: &str, part: usize| Assignment {
        salt: salt.to_owned(),
        within: Some((namespace.name.clone(), namespace.parts[part].1.clone())),
        allocation: Allocation::lay(&[("a", 0.5), ("b", 0.5)], 1.0).unwrap(),
    };
    let (first, second) = (assignment("s1", 0), assignment("s2", 1));
    let mut entered = [0_u32; 3];
    for unit in 0..10_000 {
        let unit = format!("user-{unit}");
        let (one, two) = (first.arm_of(&unit).is_some(), second.arm_of(&unit).is_some());
        assert!(!(one && two), "{unit} is in both");
        entered[if one { 0 } else { 1 + usize::from(!two) }] += 1;
    }
    assert!(entered[0].abs_diff(4000) < 200 && entered[1].abs_diff(5000) < 200, "{entered:?}");
    check_salts([("first", &first), ("second", &second)]).unwrap();
    assert!(check_salts([("first", &first), ("second", &first)]).is_err());
}

#[test]
fn salts_split_units_independently() {
    let arms = Allocation::lay(&[("a", 0.5), ("b", 0.5)], 1.0).unwrap();
    let of = |salt: &str, unit: &str| arms.arm_of(bucket(salt, unit)).unwrap().name.clone();
    let same =
        (0..10_000).map(|unit| format!("{unit}")).filter(|unit| of("one", unit) == of("two", unit)).count();
    assert!(same.abs_diff(5000) < 250, "{same}");
}

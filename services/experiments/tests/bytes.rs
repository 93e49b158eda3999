//! States come back from their bytes as they were, and torn bytes are refused.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use millrace_experiments::analysis::Sums;
use millrace_experiments::analysis::units::{Beside, Rules, Summary, Units};
use millrace_experiments::random::Random;

/// Every shorter and every longer text of bytes must be refused, none may panic.
fn refused<T>(bytes: &[u8], read: impl Fn(&[u8]) -> Option<T>) {
    for end in 0..bytes.len() {
        assert!(read(&bytes[..end]).is_none(), "{end} of {} bytes", bytes.len());
    }
    assert!(read(&[bytes, &[0]].concat()).is_none());
    for at in 0..bytes.len() {
        let mut other = bytes.to_vec();
        other[at] ^= 0x55;
        let _ = read(&other);
    }
}

fn sums(random: &mut Random, units: usize) -> Sums {
    let mut sums = Sums::default();
    (0..units).for_each(|_| sums.add(random.normal() * 1e9, random.normal().exp() * 1e-7));
    sums
}

#[test]
fn sums_come_back_and_go_on() {
    let mut random = Random::of(5);
    for units in [0, 1, 300] {
        let mut whole = sums(&mut random, units);
        let mut back = Sums::from_bytes(&whole.to_bytes()).unwrap();
        assert_eq!((back.to_bytes(), &back), (whole.to_bytes(), &whole));
        let more = sums(&mut random, 10);
        whole.merge(&more);
        back.merge(&more);
        assert_eq!(back.to_bytes(), whole.to_bytes());
        refused(&whole.to_bytes(), |bytes| Sums::from_bytes(bytes).ok());
    }
    assert_eq!(
        Sums::from_bytes(&[9]).unwrap_err().to_string(),
        "sums, byte 1: format 9, this version reads 1"
    );
}

/// Feeds a share of the events of 60 units.
fn feed(units: &mut Units, random: &mut Random, events: u64) {
    for _ in 0..events {
        let (unit, time) = (format!("Zoë {}", random.below(60)), random.below(20_000) as i64);
        if random.chance(0.3) {
            units.expose(&unit, ["control", "b"][usize::from(random.chance(0.3))], time);
        } else {
            units.value(&unit, time, random.normal(), 1.0);
        }
    }
}

#[test]
fn summaries_of_units_come_back_and_parts_of_them_merge() {
    let rules = Rules { window_ms: 3000, label_horizon_ms: 2000, covariate_ms: 1000 };
    let (mut units, mut random) = (Units::new(rules), Random::of(6));
    feed(&mut units, &mut random, 400);
    units.compact(9000);
    feed(&mut units, &mut random, 300);
    let summary = units.summary(15_000, Beside::Denominator);
    assert!(summary.arms.len() == 2 && summary.mixed > 0);
    assert_eq!(Summary::from_bytes(&summary.to_bytes()).unwrap(), summary);
    refused(&summary.to_bytes(), |bytes| Summary::from_bytes(bytes).ok());
    // Two workers hold disjoint units: their summaries together are that of one.
    let part = |keep: usize| {
        let (mut part, mut random) = (Units::new(rules), Random::of(7));
        for at in 0..500 {
            let (unit, time) = (random.below(40), random.below(20_000) as i64);
            let value = random.normal() * 1e8;
            if keep == 2 || unit % 2 == keep {
                part.expose(&unit.to_string(), "control", time);
                part.value(&unit.to_string(), time + at, value, 1.0);
            }
        }
        part.summary(15_000, Beside::Nothing)
    };
    let (mut one, mut two) = (part(0), part(1));
    let two_first = two.clone();
    two.merge(&one);
    one.merge(&two_first);
    assert_eq!((one.to_bytes(), two.to_bytes()), (part(2).to_bytes(), part(2).to_bytes()));
}

#[test]
fn a_summary_is_as_long_for_many_units_as_for_few() {
    let rules = Rules { window_ms: 3000, label_horizon_ms: 0, covariate_ms: 1000 };
    let length = |number: u64| {
        let (mut units, mut random) = (Units::new(rules), Random::of(8));
        for unit in 0..number {
            let (name, arm) = (unit.to_string(), ["a", "b", "c"][random.below(3)]);
            units.expose(&name, arm, 1000);
            units.value(&name, 900, random.normal().exp() * 1e6, 1.0);
            units.value(&name, 1100, random.normal() * 1e-6, 1.0);
        }
        units.summary(9000, Beside::Covariate).to_bytes().len()
    };
    let (few, many) = (length(2_000), length(200_000));
    assert!(many < 3_000 && many < 2 * few, "{few} bytes of 2,000 units, {many} of 200,000");
}

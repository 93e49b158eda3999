//! Clicks on a list, and whom users prefer.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::cmp::Ordering;

use millrace_experiments::interleave::credit::{Ledger, Outcome, Rules, Verdict};
use millrace_experiments::interleave::preference::{Preference, SignSequence, sign_test};
use millrace_experiments::interleave::{List, Method, Rankings, Row, interleave};
use millrace_experiments::random::Random;

const RULES: Rules = Rules { horizon_ms: 1000, skip_common_prefix: false };

/// Items 0 and 1 lead both rankings.
fn list() -> List {
    let lists: Vec<Vec<u32>> = vec![vec![0, 1, 2, 3, 4], vec![0, 1, 4, 3, 2]];
    interleave(Method::TeamDraft, &Rankings::of(&lists).unwrap(), 5, Random::of(1)).unwrap()
}

fn team(list: &List, position: usize) -> usize {
    list.slots()[position].team.unwrap() as usize
}

#[test]
fn duplicates_late_and_foreign_clicks_are_told_apart_and_earn_nothing() {
    let mut ledger = Ledger::new(list(), 5000, RULES);
    let first = ledger.click("a", Some(2), 5010);
    assert_eq!((first.verdict, first.delay_ms), (Verdict::Credited, 10));
    assert_eq!(first.credit[team(ledger.list(), 2)], 1.0);
    let expected = [
        ("a", Some(3), 5020, Verdict::Duplicate),
        ("b", Some(2), 5020, Verdict::Duplicate),
        ("c", Some(3), 6001, Verdict::Late),
        ("d", Some(3), 4999, Verdict::Early),
        ("e", None, 5020, Verdict::NotInList),
        ("f", Some(5), 5020, Verdict::NotInList),
        ("g", Some(3), 6000, Verdict::Credited),
    ];
    for (id, position, time, verdict) in expected {
        let feedback = ledger.click(id, position, time);
        assert_eq!(feedback.verdict, verdict, "{id}");
        assert_eq!(feedback.credit.iter().sum::<f64>() > 0.0, verdict == Verdict::Credited);
    }
    let (two, three) = (team(ledger.list(), 2), team(ledger.list(), 3));
    let outcome = ledger.close();
    let mut credit = vec![0.0, 0.0];
    (credit[two], credit[three]) = (credit[two] + 1.0, if two == three { 2.0 } else { 1.0 });
    let rest = Outcome { credited: 2, duplicate: 2, late: 1, early: 1, not_in_list: 2, ..Outcome::default() };
    assert_eq!(outcome, Outcome { credit, ..rest });
}

#[test]
fn only_positions_shown_earn_where_impressions_exist_whenever_they_come() {
    for before in [true, false] {
        let mut ledger = Ledger::new(list(), 0, RULES);
        if before {
            ledger.impression([0, 1, 2, 77]);
        }
        ledger.click("a", Some(2), 1);
        let provisional = ledger.click("b", Some(3), 2).verdict;
        assert_eq!(provisional, if before { Verdict::NotShown } else { Verdict::Credited });
        ledger.impression([0, 1, 2]);
        let outcome = ledger.close();
        assert_eq!((outcome.credited, outcome.not_shown), (1, 1));
        assert_eq!(outcome.credit.iter().sum::<f64>(), 1.0);
    }
}

#[test]
fn the_common_prefix_credits_nobody_if_so_declared() {
    assert_eq!(list().common_prefix(), 2);
    for (skip, credited) in [(false, 2), (true, 1)] {
        let mut ledger = Ledger::new(list(), 0, Rules { skip_common_prefix: skip, ..RULES });
        ledger.click("a", Some(1), 1);
        ledger.click("b", Some(2), 1);
        let outcome = ledger.close();
        assert_eq!((outcome.credited, outcome.common_prefix), (credited, 2 - credited));
    }
}

#[test]
fn the_final_outcome_does_not_depend_on_the_order_of_clicks() {
    let lists: Vec<Vec<u32>> = vec![(0..8).collect(), (0..8).rev().collect()];
    let rankings = Rankings::of(&lists).unwrap();
    let mut random = Random::of(4);
    for method in Method::ALL {
        let list = interleave(method, &rankings, 8, Random::of(9)).unwrap();
        let mut clicks = [("a", 1, 5), ("b", 6, 7), ("c", 3, 2), ("d", 3, 9), ("a", 1, 5), ("e", 0, 2000)];
        let mut outcomes = Vec::new();
        for _ in 0..20 {
            (1..clicks.len()).for_each(|at| clicks.swap(at, random.below(at + 1)));
            let mut ledger = Ledger::new(list.clone(), 0, RULES);
            clicks.iter().for_each(|(id, position, time)| _ = ledger.click(id, Some(*position), *time));
            outcomes.push(ledger.close());
        }
        assert!(outcomes.iter().all(|outcome| outcome == &outcomes[0]), "{method}");
    }
}

#[test]
fn a_user_counts_once_and_ties_are_left_out() {
    let mut preference = Preference::default();
    for _ in 0..50 {
        preference.add("often", Ordering::Greater);
    }
    for (user, outcome) in
        [("a", Ordering::Greater), ("b", Ordering::Less), ("c", Ordering::Equal), ("d", Ordering::Greater)]
    {
        preference.add(user, outcome);
    }
    preference.add("d", Ordering::Less);
    let summary = preference.summary(0.05);
    assert_eq!((summary.wins, summary.losses, summary.ties), (2, 1, 2));
    assert_eq!(summary.p_value, 1.0);
    assert!((summary.advantage - 0.1).abs() < 1e-15);
    assert_eq!((summary.always_valid.wins, summary.always_valid.losses), (3, 1));
}

#[test]
fn the_sign_test_is_the_binomial_one() {
    // scipy.stats.binomtest(k, n).pvalue
    for (wins, losses, expected) in [
        (0, 0, 1.0),
        (5, 5, 1.0),
        (9, 1, 0.021484375),
        (60, 40, 0.056887933640980784),
        (0, 20, 1.9073486328125e-06),
    ] {
        assert!(
            (sign_test(wins, losses) - expected).abs() < 1e-12,
            "{wins} {losses}: {}",
            sign_test(wins, losses)
        );
        assert_eq!(sign_test(wins, losses), sign_test(losses, wins));
    }
}

/// Exact: the probability that the sequence ever rejects within 60 users, over all sign sequences.
#[test]
fn the_always_valid_sequence_rejects_at_most_alpha_of_all_sequences() {
    let alpha = 0.1;
    let mut alive = vec![(SignSequence::default(), 1.0)];
    let (mut rejected, mut wins) = (0.0, 0);
    for _ in 0..60 {
        let mut next: Vec<(SignSequence, f64)> = Vec::new();
        for (sequence, p) in alive {
            for won in [true, false] {
                let mut sequence = sequence;
                sequence.add(won);
                let state = sequence.summary(alpha);
                if state.p_value <= alpha {
                    rejected += p / 2.0;
                    wins += usize::from(won);
                    continue;
                }
                match next.iter_mut().find(|(known, _)| known.summary(alpha).wins == state.wins) {
                    Some((_, known)) => *known += p / 2.0,
                    None => next.push((sequence, p / 2.0)),
                }
            }
        }
        alive = next;
    }
    assert!(0.02 < rejected && rejected <= alpha, "{rejected}");
    assert!(wins > 0);
}

#[test]
fn the_always_valid_interval_narrows_around_the_win_rate() {
    let mut sequence = SignSequence::default();
    assert_eq!(sequence.summary(0.05).win_rate, (0.0, 1.0));
    (0..1000).for_each(|user| sequence.add(user % 10 < 7));
    let summary = sequence.summary(0.05);
    assert!(
        0.6 < summary.win_rate.0
            && summary.win_rate.0 < 0.7
            && 0.7 < summary.win_rate.1
            && summary.win_rate.1 < 0.8
    );
    assert!(summary.p_value < 1e-20);
}

#[test]
fn a_list_read_from_a_row_earns_what_the_list_itself_does() {
    for method in Method::ALL {
        for seed in 0..20 {
            let mut random = Random::of(seed);
            let mut lists = vec![(0..6).collect::<Vec<u32>>(); 2];
            lists.iter_mut().for_each(|list| (1..6).for_each(|at| list.swap(at, random.below(at + 1))));
            let rankings = Rankings::of(&lists).unwrap();
            let made = interleave(method, &rankings, 6, random).unwrap();
            let teams: Vec<i32> =
                made.slots().iter().map(|slot| slot.team.map_or(-1, |t| t as i32)).collect();
            let rank = |item, ranker| rankings.rank(ranker, item).map_or(-1, |rank| rank as i32);
            let ranks: Vec<i32> =
                made.slots().iter().flat_map(|slot| [rank(slot.item, 0), rank(slot.item, 1)]).collect();
            let credits: Vec<f64> = match method {
                Method::Balanced => Vec::new(),
                _ => (0..6).flat_map(|position| made.credit_at(position)).collect(),
            };
            let common_prefix = made.common_prefix() as i32;
            let row = Row {
                method: method.name(),
                rankers: 2,
                teams: &teams,
                ranks: &ranks,
                credits: &credits,
                common_prefix,
            };
            let read = List::of_row(&row).unwrap();
            assert_eq!(read.common_prefix(), made.common_prefix());
            for clicked in 0_usize..64 {
                let clicked = || (0..6).filter(move |position| clicked >> position & 1 == 1);
                assert_eq!(read.credit(clicked()), made.credit(clicked()), "{method}");
            }
        }
    }
}

#[test]
fn a_row_that_does_not_say_what_clicks_earn_is_no_list() {
    let row = Row {
        method: "balanced",
        rankers: 2,
        teams: &[0, 1],
        ranks: &[0, 1, 1, 0],
        credits: &[],
        common_prefix: 9,
    };
    assert_eq!(List::of_row(&row).unwrap().common_prefix(), 2);
    let one = Row { rankers: 1, teams: &[0, 0], method: "single", ..row };
    assert_eq!(List::of_row(&one).unwrap().credit([0, 1]), [2.0]);
    let wrong = [
        (Row { rankers: 0, ..row }, "`rankers` is empty"),
        (Row { teams: &[0, 2], ..row }, "`teams` names ranker 2, and there are 2, from 0"),
        (Row { ranks: &[0], ..row }, "`ranks` has 1 entries, and 4 are needed"),
        (Row { credits: &[1.0], ..row }, "`credits` has 1 entries, and 4 are needed"),
        (Row { credits: &[1.0, 0.0, f64::NAN, 0.0], ..row }, "`credits` has NaN"),
        (
            Row { method: "team_draft", ..row },
            "`credits` is empty, which only balanced lists of two rankers may have: method `team_draft`, 2 rankers",
        ),
    ];
    for (row, message) in wrong {
        assert_eq!(List::of_row(&row).unwrap_err().to_string(), message);
    }
}

#[test]
fn the_winner_is_who_earned_more_than_everybody_else() {
    let winner = |credit: &[f64], credited| {
        Outcome { credit: credit.to_vec(), credited, ..Outcome::default() }.winner()
    };
    assert_eq!(winner(&[1.0, 2.0, 0.5], 2), Some(1));
    assert_eq!(winner(&[2.0, 2.0 + 1e-12, 0.5], 2), None, "rounding is no win");
    assert_eq!(winner(&[1.0], 1), Some(0));
    assert_eq!(winner(&[0.0, 0.0], 0), None);
}

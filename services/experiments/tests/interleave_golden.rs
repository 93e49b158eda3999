//! Interleaved lists against full enumeration of the published definitions (`golden/interleave.py`).
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use millrace_experiments::interleave::choices::Choices;
use millrace_experiments::interleave::{List, Method, Rankings, interleave, interleave_by};
use millrace_experiments::random::Random;
use serde_json::Value;

/// Walks every sequence of choices, depth first.
#[derive(Default)]
struct Walk {
    path: Vec<(usize, usize)>,
    at: usize,
    probability: f64,
}

impl Walk {
    fn choose(&mut self, options: usize, probability: impl Fn(usize) -> f64) -> usize {
        if self.at == self.path.len() {
            self.path.push((0, options));
        }
        let chosen = self.path[self.at].0;
        self.at += 1;
        self.probability *= probability(chosen);
        chosen
    }

    /// The next sequence; false after the last.
    fn advance(&mut self) -> bool {
        while let Some((chosen, options)) = self.path.pop() {
            if chosen + 1 < options {
                self.path.push((chosen + 1, options));
                return true;
            }
        }
        false
    }
}

impl Choices for Walk {
    fn below(&mut self, n: usize) -> usize {
        self.choose(n, |_| 1.0 / n as f64)
    }

    fn weighted(&mut self, weights: &[f64]) -> usize {
        let total: f64 = weights.iter().sum();
        self.choose(weights.len(), |at| weights[at] / total)
    }
}

/// All lists with their probabilities.
fn enumerate(method: Method, rankings: &Rankings<'_, u64>, length: usize) -> Vec<(List, f64)> {
    let mut walk = Walk::default();
    let mut lists = Vec::new();
    loop {
        (walk.at, walk.probability) = (0, 1.0);
        let list = interleave_by(method, rankings, length, &mut walk).unwrap();
        if walk.probability > 0.0 {
            lists.push((list, walk.probability));
        }
        if !walk.advance() {
            return lists;
        }
    }
}

/// Items, teams where they matter, probability.
type Row = (Vec<u64>, Option<Vec<Option<u32>>>, f64);
type Key = (Vec<u64>, Vec<Option<u32>>);

fn key(rankings: &Rankings<'_, u64>, list: &List, teams: bool) -> Key {
    let slots = list.slots().iter();
    let items = slots.clone().map(|slot| *rankings.items()[slot.item as usize]).collect();
    (items, slots.filter(|_| teams).map(|slot| slot.team).collect())
}

fn lists_of(value: &Value) -> Vec<Vec<u64>> {
    serde_json::from_value(value.clone()).unwrap()
}

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/interleave.json")).unwrap()
}

fn expected(case: &Value, method: Method) -> BTreeMap<Key, f64> {
    let rows: Vec<Row> = serde_json::from_value(case[method.name()].clone()).unwrap();
    rows.into_iter().map(|(items, teams, p)| ((items, teams.unwrap_or_default()), p)).collect()
}

#[test]
fn lists_have_the_probabilities_of_the_definitions() {
    for case in golden()["lists"].as_array().unwrap() {
        let lists = lists_of(&case["rankings"]);
        let rankings = Rankings::of(&lists).unwrap();
        for method in [Method::TeamDraft, Method::Balanced, Method::Probabilistic] {
            if case.get(method.name()).is_none() {
                continue;
            }
            let mut found = BTreeMap::new();
            let length = case["length"].as_u64().unwrap() as usize;
            for (list, probability) in enumerate(method, &rankings, length) {
                *found.entry(key(&rankings, &list, method == Method::TeamDraft)).or_insert(0.0) +=
                    probability;
            }
            let expected = expected(case, method);
            assert_eq!(
                found.keys().collect::<Vec<_>>(),
                expected.keys().collect::<Vec<_>>(),
                "{method} {lists:?}"
            );
            for (key, p) in &expected {
                assert!((found[key] - p).abs() < 1e-12, "{method} {lists:?} {key:?}: {} {p}", found[key]);
            }
        }
    }
}

#[test]
fn team_draft_gives_four_lists_at_a_quarter_each() {
    let lists = vec![vec![1, 2, 3, 4], vec![2, 1, 4, 3]];
    let rankings = Rankings::of(&lists).unwrap();
    let found = enumerate(Method::TeamDraft, &rankings, 4);
    let items: Vec<_> = found.iter().map(|(list, p)| (key(&rankings, list, false).0, *p)).collect();
    assert_eq!(items.len(), 4);
    for expected in [[1, 2, 3, 4], [1, 2, 4, 3], [2, 1, 3, 4], [2, 1, 4, 3]] {
        assert!(items.contains(&(expected.to_vec(), 0.25)), "{expected:?} {items:?}");
    }
}

#[test]
fn probabilistic_credit_is_that_of_the_definition() {
    for case in golden()["lists"].as_array().unwrap() {
        let lists = lists_of(&case["rankings"]);
        let rankings = Rankings::of(&lists).unwrap();
        let expected: Vec<(Vec<u64>, Vec<Vec<f64>>)> =
            serde_json::from_value(case["credit"].clone()).unwrap();
        let expected: BTreeMap<_, _> = expected.into_iter().collect();
        for (list, _) in
            enumerate(Method::Probabilistic, &rankings, case["length"].as_u64().unwrap() as usize)
        {
            for (position, credit) in expected[&key(&rankings, &list, false).0].iter().enumerate() {
                for (found, expected) in list.credit_at(position).iter().zip(credit) {
                    assert!((found - expected).abs() < 1e-12);
                }
            }
        }
    }
}

#[test]
fn debiased_credit_is_that_of_the_policy_aware_definition() {
    let golden = golden();
    let cases = golden["lists"].as_array().unwrap().iter().chain(golden["debiased"].as_array().unwrap());
    let mut clicks = 0;
    for case in cases.filter(|case| case.get("debiased_balanced").is_some()) {
        let lists = lists_of(&case["rankings"]);
        let rankings = Rankings::of(&lists).unwrap();
        let expected: Vec<(Vec<u64>, Vec<[f64; 2]>)> =
            serde_json::from_value(case["debiased_balanced"].clone()).unwrap();
        let expected: BTreeMap<_, _> = expected.into_iter().collect();
        let shown = enumerate(Method::DebiasedBalanced, &rankings, case["length"].as_u64().unwrap() as usize);
        let found: std::collections::BTreeSet<_> =
            shown.iter().map(|(list, _)| key(&rankings, list, false).0).collect();
        assert!(found.iter().eq(expected.keys()), "{lists:?}: {found:?}");
        for (list, _) in &shown {
            for (position, credit) in expected[&key(&rankings, list, false).0].iter().enumerate() {
                let found = list.credit_at(position);
                let near = |ranker: usize| (found[ranker] - credit[ranker]).abs() < 1e-12;
                assert!(near(0) && near(1), "{lists:?} at {position}: {found:?} {credit:?}");
                clicks += usize::from(credit.iter().any(|credit| *credit > 0.0));
            }
        }
    }
    assert!(clicks > 100, "{clicks} positions whose clicks earn something");
}

#[test]
fn optimized_lists_are_unbiased_and_as_sensitive_as_can_be() {
    for case in golden()["optimized"].as_array().unwrap() {
        let lists = lists_of(&case["rankings"]);
        let rankings = Rankings::of(&lists).unwrap();
        let length = lists[0].len();
        // The first choice is the one of the top 8.
        let mut shown: BTreeMap<Vec<u64>, (f64, List)> = BTreeMap::new();
        for (list, probability) in enumerate(Method::Optimized, &rankings, length.min(8)) {
            let entry = shown.entry(key(&rankings, &list, false).0).or_insert((0.0, list));
            entry.0 += probability;
        }
        let total: f64 = shown.values().map(|(p, _)| p).sum();
        assert!((total - 1.0).abs() < 1e-9, "{total}");
        for position in 0..length.min(8) {
            let bias: f64 = shown
                .values()
                .map(|(p, list)| {
                    let credit = list.credit_at(position);
                    p * (credit[0] - credit[1])
                })
                .sum();
            assert!(bias.abs() < 1e-8, "{lists:?}: {bias} at {position}");
        }
        let sensitivity: f64 = shown.values().map(|(p, list)| p * sensitivity(list)).sum();
        let expected = case["sensitivity"].as_f64().unwrap();
        assert!((sensitivity - expected).abs() < 1e-7, "{lists:?}: {sensitivity} {expected}");
    }
}

fn sensitivity(list: &List) -> f64 {
    let (mut wins, mut all) = ([0.0, 0.0], 0.0);
    for position in 0..list.slots().len() {
        let (credit, chance) = (list.credit_at(position), 1.0 / (position as f64 + 1.0));
        all += chance;
        if credit[0] > credit[1] {
            wins[0] += chance
        } else if credit[1] > credit[0] {
            wins[1] += chance
        }
    }
    let part = |win: f64| if win > 0.0 { -win / all * (win / (wins[0] + wins[1])).log2() } else { 0.0 };
    part(wins[0]) + part(wins[1])
}

/// Clicks that fall on every position alike, and on every item alike, must not prefer a ranker.
#[test]
fn random_clicks_prefer_nobody() {
    let mut random = Random::of(3);
    for _ in 0..8 {
        let mut lists = vec![vec![1, 2, 3, 4, 5], vec![1, 2, 3, 4, 5]];
        for list in &mut lists {
            (1..5).for_each(|at| list.swap(at, random.below(at + 1)));
        }
        let rankings = Rankings::of(&lists).unwrap();
        for method in [Method::TeamDraft, Method::Probabilistic, Method::Optimized] {
            let shown = enumerate(method, &rankings, 5);
            for position in 0..5 {
                let bias: f64 = shown
                    .iter()
                    .map(|(list, p)| {
                        let credit = list.credit_at(position);
                        p * (credit[0] - credit[1])
                    })
                    .sum();
                assert!(bias.abs() < 1e-8, "{method} {lists:?}: {bias}");
            }
        }
        // The debiased credit takes clicks that fall off with the position as it assumes.
        let bias: f64 = enumerate(Method::DebiasedBalanced, &rankings, 5)
            .iter()
            .map(|(list, p)| {
                let of = |position: usize| {
                    let credit = list.credit_at(position);
                    (credit[0] - credit[1]) / (position as f64 + 2.0).log2()
                };
                p * (0..5).map(of).sum::<f64>()
            })
            .sum();
        assert!(bias.abs() < 1e-12, "{lists:?}: {bias}");
    }
}

/// Joachims' example of why clicks are counted down to a depth; and the bias that the debiased credit mends.
#[test]
fn balanced_credit_counts_down_to_the_depth_of_the_lowest_click() {
    let lists = vec![vec![1, 2, 3], vec![2, 3, 1]];
    let rankings = Rankings::of(&lists).unwrap();
    let shown = enumerate(Method::Balanced, &rankings, 3);
    assert_eq!(shown.len(), 2);
    for (list, _) in &shown {
        let at = |item: u64| key(&rankings, list, false).0.iter().position(|shown| *shown == item).unwrap();
        assert_eq!(list.credit([at(1)]), [1.0, 0.0], "1 is first for one, last for the other");
        assert_eq!(list.credit([at(2)]), [0.0, 1.0]);
        assert_eq!(list.credit([at(3)]), [0.0, 1.0], "the second of the other has it");
        assert_eq!(list.credit([at(1), at(2)]), list.credit([at(2), at(1)]));
        assert_eq!(list.credit([]), [0.0, 0.0]);
    }
    let bias = |method: Method| -> f64 {
        let shown = enumerate(method, &rankings, 3);
        let one_click = |list: &List| {
            (0..3)
                .map(|at| {
                    let c = list.credit_at(at);
                    (c[0] - c[1]) / (at as f64 + 2.0).log2()
                })
                .sum::<f64>()
        };
        shown.iter().map(|(list, p)| p * one_click(list)).sum()
    };
    assert!(bias(Method::Balanced) < -0.1);
    assert!(bias(Method::DebiasedBalanced).abs() < 1e-12);
}

#[test]
fn a_seed_gives_one_list_and_keys_give_many() {
    let lists: Vec<Vec<u32>> = vec![(0..20).collect(), (0..20).rev().collect()];
    let rankings = Rankings::of(&lists).unwrap();
    for method in Method::ALL {
        let of = |key: &str| interleave(method, &rankings, 10, Random::keyed("salt", key)).unwrap();
        assert_eq!(of("request"), of("request"));
        assert!((0..20).any(|key| of(&key.to_string()) != of("request")), "{method}");
        assert_eq!(of("request").slots().len(), 10);
        // A longer page starts like the shorter one.
        if method != Method::Optimized {
            let long = interleave(method, &rankings, 20, Random::keyed("salt", "request")).unwrap();
            assert_eq!(long.slots()[..10], of("request").slots()[..]);
        }
    }
}

#[test]
fn rankings_that_cannot_be_compared_are_refused() {
    let refused = |lists: &[Vec<u32>]| Rankings::of(lists).unwrap_err().to_string();
    assert_eq!(refused(&[vec![1]]), "1 ranking given: interleaving needs two");
    assert_eq!(refused(&[vec![1], vec![]]), "ranking 2 is empty");
    assert_eq!(refused(&[vec![1], vec![2, 3, 2]]), "ranking 2: rank 3 repeats the item of rank 1");
    let three = vec![vec![1], vec![1], vec![1]];
    let rankings = Rankings::of(&three).unwrap();
    let error = interleave(Method::Balanced, &rankings, 1, Random::of(1)).unwrap_err();
    assert!(error.to_string().starts_with("balanced compares two rankings, 3 given"), "{error}");
}

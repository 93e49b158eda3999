//! How well scores told frauds from genuine payments, as the handbook measures it (chapter 4).

use millrace_statistics::performance::{ScoreCounts, binary};

/// One scored payment with its true outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// The score: higher is more suspicious; finite.
    pub score: f64,
    /// Whether it was a fraud.
    pub fraud: bool,
}

/// One scored payment with what the card precision needs to know of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoredCard {
    /// The day it was made, counted from anywhere.
    pub day: i64,
    /// The customer who paid.
    pub customer: u32,
    /// The score and the outcome.
    pub scored: Scored,
}

fn counts(rows: &[Scored]) -> ScoreCounts {
    ScoreCounts::of(rows.iter().map(|row| (row.score, row.fraud)))
}

/// The area under the ROC curve. `None` where frauds or genuine payments are missing.
pub fn roc_auc(rows: &[Scored]) -> Option<f64> {
    binary::auc(&counts(rows)).ok().map(|area| area.value)
}

/// Average precision. `None` where there is no fraud.
pub fn average_precision(rows: &[Scored]) -> Option<f64> {
    binary::average_precision(&counts(rows)).ok().map(|average| average.value)
}

/// Card precision at `k`: per day the `k` customers of the highest score (a customer's score is its highest that day;
/// ties by ascending customer), of them the share of `k` that have a fraud that day, those detected being removed on
/// later days; the mean over the days that have payments. `None` where there is no fraud to be found, or `k` is 0.
///
/// A day on which all customers were removed counts as 0, as an empty day of investigators does.
pub fn card_precision(rows: &[ScoredCard], k: usize) -> Option<f64> {
    if k == 0 || !rows.iter().any(|row| row.scored.fraud) {
        return None;
    }
    let mut cards = daily_cards(rows);
    // Within a day the most suspicious first.
    cards.sort_unstable_by(|a, b| {
        let by_score = b.scored.score.total_cmp(&a.scored.score);
        a.day.cmp(&b.day).then(by_score).then(a.customer.cmp(&b.customer))
    });
    let mut detected = std::collections::HashSet::new();
    let (mut days, mut found) = (0_u32, 0_usize);
    for day in cards.chunk_by(|a, b| a.day == b.day) {
        let top = day.iter().filter(|card| !detected.contains(&card.customer)).take(k);
        let hits: Vec<u32> = top.filter(|card| card.scored.fraud).map(|card| card.customer).collect();
        found += hits.len();
        days += 1;
        detected.extend(hits);
    }
    Some(found as f64 / k as f64 / f64::from(days))
}

/// One row per day and customer: its highest score, and whether any payment was a fraud.
fn daily_cards(rows: &[ScoredCard]) -> Vec<ScoredCard> {
    let mut sorted = rows.to_vec();
    sorted.sort_unstable_by_key(|row| (row.day, row.customer));
    let same_card = |a: &ScoredCard, b: &ScoredCard| (a.day, a.customer) == (b.day, b.customer);
    let merge = |card: ScoredCard, row: &ScoredCard| ScoredCard {
        scored: Scored {
            score: card.scored.score.max(row.scored.score),
            fraud: card.scored.fraud || row.scored.fraud,
        },
        ..card
    };
    sorted.chunk_by(same_card).map(|card| card.iter().fold(card[0], merge)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Case {
        name: String,
        day: Vec<i64>,
        customer: Vec<u32>,
        score: Vec<f64>,
        fraud: Vec<bool>,
        roc_auc: f64,
        average_precision: f64,
        card_precision_5: f64,
    }

    impl Case {
        fn rows(&self) -> Vec<ScoredCard> {
            let row = |i| ScoredCard {
                day: self.day[i],
                customer: self.customer[i],
                scored: Scored { score: self.score[i], fraud: self.fraud[i] },
            };
            (0..self.day.len()).map(row).collect()
        }
    }

    #[test]
    fn the_measures_equal_scikit_learns_and_the_handbooks() {
        let cases: Vec<Case> = serde_json::from_str(include_str!("../golden/evaluation.json")).unwrap();
        assert!(cases.len() >= 5);
        for case in cases {
            let close = |ours: Option<f64>, theirs: f64, what: &str| {
                let ours = ours.unwrap();
                assert!((ours - theirs).abs() <= 1e-12, "{} of {}: {ours}, not {theirs}", what, case.name);
            };
            let cards = case.rows();
            let rows: Vec<Scored> = cards.iter().map(|row| row.scored).collect();
            close(roc_auc(&rows), case.roc_auc, "AUC ROC");
            close(average_precision(&rows), case.average_precision, "average precision");
            close(card_precision(&cards, 5), case.card_precision_5, "card precision");
        }
    }

    proptest! {
        #[test]
        fn roc_auc_is_the_share_of_pairs_in_the_right_order(
            rows in prop::collection::vec((0_u8..6, any::<bool>()), 2..60),
        ) {
            let rows: Vec<Scored> =
                rows.iter().map(|(score, fraud)| Scored { score: f64::from(*score), fraud: *fraud }).collect();
            let (frauds, genuine): (Vec<Scored>, Vec<Scored>) = rows.iter().partition(|row| row.fraud);
            let won: f64 = frauds.iter().flat_map(|fraud| genuine.iter().map(move |other| {
                if fraud.score > other.score { 1.0 } else if fraud.score == other.score { 0.5 } else { 0.0 }
            })).sum();
            let pairs = frauds.len() * genuine.len();
            match roc_auc(&rows) {
                None => prop_assert_eq!(pairs, 0),
                Some(auc) => prop_assert!((auc - won / pairs as f64).abs() < 1e-12),
            }
        }
    }

    #[test]
    fn what_cannot_be_measured_is_none() {
        let row = |fraud| Scored { score: 0.5, fraud };
        assert_eq!(roc_auc(&[]), None);
        assert_eq!(roc_auc(&[row(true)]), None);
        assert_eq!(roc_auc(&[row(false)]), None);
        assert_eq!(average_precision(&[row(false)]), None);
        assert_eq!(average_precision(&[row(true)]), Some(1.0));
        let card = |fraud| ScoredCard { day: 0, customer: 1, scored: row(fraud) };
        assert_eq!(card_precision(&[], 100), None);
        assert_eq!(card_precision(&[card(false)], 100), None);
        assert_eq!(card_precision(&[card(true)], 0), None);
        assert_eq!(card_precision(&[card(true)], 100), Some(0.01));
    }

    #[test]
    fn a_detected_customer_is_removed_on_later_days() {
        let row = |day, customer, score, fraud| ScoredCard { day, customer, scored: Scored { score, fraud } };
        let rows = [
            row(0, 1, 0.9, true),
            row(0, 1, 0.1, true), // the customer's highest score counts
            row(0, 2, 0.5, false),
            row(1, 1, 0.9, true),
            row(1, 2, 0.5, false),
            row(1, 3, 0.4, true),
        ];
        assert_eq!(card_precision(&rows, 1), Some(0.5));
        assert_eq!(card_precision(&rows, 2), Some(0.5));
    }
}

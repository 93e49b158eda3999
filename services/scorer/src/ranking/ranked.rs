//! Scores of candidates to orders.

use super::candidates::Fault;
use crate::answers::Answers;
use crate::version::Version;

/// What one version makes of a request's candidates.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// The candidates' scores.
    pub scores: Vec<f64>,
    /// The candidates, the best one first.
    pub order: Vec<u32>,
    /// The candidates' places in that order, from 0.
    pub ranks: Vec<i32>,
}

impl Ranked {
    /// The candidates by score, the highest first; equal scores by the item's name.
    pub fn of(scores: Vec<f64>, items: &[&str]) -> Self {
        let mut order: Vec<u32> = (0..scores.len() as u32).collect();
        order.sort_unstable_by(|a, b| {
            let (a, b) = (*a as usize, *b as usize);
            // -0 and 0 are one score.
            let by_score = (scores[b] + 0.0).total_cmp(&(scores[a] + 0.0));
            by_score.then_with(|| items[a].cmp(items[b]))
        });
        let mut ranks = vec![0; order.len()];
        order.iter().zip(0..).for_each(|(candidate, rank)| ranks[*candidate as usize] = rank);
        Self { scores, order, ranks }
    }
}

/// Every request's candidates as one version ranks them, by what it said of all of them in one run. A request of which a
/// candidate has no score has the reason instead.
pub fn rank(version: &Version, answers: &Answers, items: &[Vec<&str>]) -> Vec<Result<Ranked, Fault>> {
    let mut at = 0;
    let of = |items: &Vec<&str>| {
        let own = &answers.answers[at..at + items.len()];
        at += items.len();
        let mut scores = Vec::with_capacity(own.len());
        for (answer, item) in own.iter().zip(items) {
            match answer.score(version) {
                Ok(score) => scores.push(score),
                Err((reason, detail)) => return Err((reason, format!("candidate `{item}`: {detail}"))),
            }
        }
        Ok(Ranked::of(scores, items))
    };
    items.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_go_by_score_and_equal_ones_by_name() {
        let ranked = Ranked::of(vec![0.5, -0.0, 0.9, 0.0, 0.5], &["b", "z", "c", "y", "a"]);
        assert_eq!(ranked.order, [2, 4, 0, 3, 1]);
        assert_eq!(ranked.ranks, [2, 4, 0, 3, 1]);
    }
}

//! How many impressions interleaving and A/B need for the same difference.

use millrace_statistics::distribution::normal;
use serde::Serialize;

use crate::analysis::Sums;
use crate::interleave::credit::compare;
use crate::interleave::{Error, Method, Rankings, interleave};
use crate::random::Random;

/// How users click: from the top, clicking an item of relevance 0, 1 or 2, leaving after a click with a probability (the
/// dependent click model of Guo, Liu and Wang, 2009, with the users of Hofmann, Whiteson and de Rijke, 2011).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClickModel {
    /// Clicks what is relevant, reads on.
    Perfect,
    /// Looks for one item and leaves.
    Navigational,
    /// Clicks much, leaves seldom.
    Informational,
}

impl ClickModel {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Perfect, Self::Navigational, Self::Informational];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Perfect => "perfect",
            Self::Navigational => "navigational",
            Self::Informational => "informational",
        }
    }

    /// Probabilities of a click and of leaving after it, by relevance.
    fn chances(self) -> ([f64; 3], [f64; 3]) {
        match self {
            Self::Perfect => ([0.0, 0.5, 1.0], [0.0, 0.0, 0.0]),
            Self::Navigational => ([0.05, 0.5, 0.95], [0.2, 0.5, 0.9]),
            Self::Informational => ([0.4, 0.7, 0.9], [0.1, 0.3, 0.5]),
        }
    }

    /// Positions clicked, from 0.
    pub fn clicks(self, relevances: impl Iterator<Item = usize>, random: &mut Random) -> Vec<usize> {
        let (click, leave) = self.chances();
        let mut clicked = Vec::new();
        for (position, relevance) in relevances.enumerate() {
            if random.chance(click[relevance]) {
                clicked.push(position);
                if random.chance(leave[relevance]) {
                    break;
                }
            }
        }
        clicked
    }
}

/// Impressions that see the difference of two rankers with power 0.8 at alpha 0.05.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sensitivity {
    /// How users click.
    pub model: ClickModel,
    /// How interleaved.
    pub method: Method,
    /// The noise of the worse ranker's scores; the better one has 0.5.
    pub noise: f64,
    /// The mean preference of an impression: wins of the better ranker less losses.
    pub preference: f64,
    /// Impressions of interleaved lists.
    pub interleaving: f64,
    /// Impressions of both arms of an A/B test on the inverse position of the first click (0 without a click).
    pub ab: f64,
    /// ab over interleaving.
    pub fewer: f64,
}

const ITEMS: usize = 10;

/// Simulates `impressions` requests of ten candidates; one in ten is highly relevant, two in ten are relevant. The rankers
/// sort by relevance with noise.
///
/// # Errors
/// None that can occur with two rankings of the same items.
pub fn sensitivity(
    model: ClickModel,
    method: Method,
    noise: f64,
    impressions: u64,
    seed: u64,
) -> Result<Sensitivity, Error> {
    let mut random = Random::of(seed);
    let (mut preferences, mut arms) = (Sums::default(), [Sums::default(), Sums::default()]);
    for request in 0..impressions {
        let relevances: Vec<usize> = (0..ITEMS).map(|_| relevance(&mut random)).collect();
        let lists = [0.5, noise].map(|noise| rank(&relevances, noise, &mut random));
        let rankings = Rankings::of(&lists)?;
        let list = interleave(method, &rankings, ITEMS, Random::keyed("sensitivity", &request.to_string()))?;
        let shown = list.slots().iter().map(|slot| relevances[*rankings.items()[slot.item as usize]]);
        let credit = list.credit(model.clicks(shown, &mut random));
        preferences.add(f64::from(compare(credit[0], credit[1]) as i8), 0.0);
        for (arm, list) in arms.iter_mut().zip(&lists) {
            let clicked = model.clicks(list.iter().map(|item| relevances[*item]), &mut random);
            arm.add(clicked.first().map_or(0.0, |position| 1.0 / (*position as f64 + 1.0)), 0.0);
        }
    }
    let reach = (normal::isf(0.025) + normal::isf(0.2)).powi(2);
    let mean = |sums: &Sums| sums.sum_y() / sums.units() as f64;
    let preference = mean(&preferences);
    let interleaving = reach * preferences.variance_y() / (preference * preference);
    let difference = mean(&arms[0]) - mean(&arms[1]);
    let ab = 2.0 * reach * (arms[0].variance_y() + arms[1].variance_y()) / (difference * difference);
    Ok(Sensitivity { model, method, noise, preference, interleaving, ab, fewer: ab / interleaving })
}

fn relevance(random: &mut Random) -> usize {
    match random.below(10) {
        0 => 2,
        1 | 2 => 1,
        _ => 0,
    }
}

fn rank(relevances: &[usize], noise: f64, random: &mut Random) -> Vec<usize> {
    let scores: Vec<f64> =
        relevances.iter().map(|relevance| *relevance as f64 + noise * random.normal()).collect();
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
    order
}

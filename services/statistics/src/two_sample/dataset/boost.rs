//! Boosted trees with the logistic loss, for one use: scores of rows held out, and what each column did for them.

use super::random::Random;
use crate::boosting::{Codes, Growth, Histogram, Limits, Slopes};

/// Three columns may act together.
pub(super) const LIMITS: Limits = Limits { bins: 32, depth: 3, fewest_rows: 10, penalty: 1.0, rate: 0.2 };

/// Rows to learn from and rows to score.
pub(super) struct Parts {
    pub train: Vec<u32>,
    pub held: Vec<u32>,
}

/// What was learnt.
pub(super) struct Boosted {
    /// Log-odds of every row of the two parts, of which those held out are of use.
    pub scores: Vec<f64>,
    /// Per column: how much its splits lowered the loss of the rows held out.
    pub gains: Vec<f64>,
}

/// Learns `trees` trees, each on at most `columns_per_tree` columns.
pub(super) fn boost(
    codes: &Codes,
    labels: &[bool],
    parts: &Parts,
    limits: (usize, usize),
    random: &mut Random,
) -> Boosted {
    let (trees, columns_per_tree) = limits;
    let positives = parts.train.iter().filter(|row| labels[**row as usize]).count() as f64;
    let start = libm::log(positives / (parts.train.len() as f64 - positives));
    let mut boosted = Boosted { scores: vec![start; labels.len()], gains: vec![0.0; codes.columns()] };
    let mut slopes = Slopes { gradient: vec![0.0; labels.len()], curvature: vec![0.0; labels.len()] };
    update(&mut slopes, &boosted.scores, labels, parts);
    let mut columns = by_gain(codes, &slopes, &parts.train);
    for _ in 0..trees {
        let columns = pick(&mut columns, columns_per_tree, random);
        let growth = Growth { codes, slopes: &slopes, columns, limits: LIMITS };
        let tree = growth.tree(&parts.train);
        growth.gains(&tree, &parts.held, &mut boosted.gains);
        for row in parts.train.iter().chain(&parts.held) {
            let row = *row as usize;
            boosted.scores[row] += tree.value(|column| codes.column(column)[row]);
        }
        update(&mut slopes, &boosted.scores, labels, parts);
    }
    boosted
}

/// The columns, those that tell most by themselves first.
fn by_gain(codes: &Codes, slopes: &Slopes, rows: &[u32]) -> Vec<usize> {
    let slopes = slopes.of(rows);
    let mut histogram = Histogram::new(LIMITS);
    let gain =
        |column: usize| histogram.of(codes.column(column), rows, &slopes).best().map_or(0.0, |s| s.gain);
    let gains: Vec<f64> = (0..codes.columns()).map(gain).collect();
    let mut order: Vec<usize> = (0..codes.columns()).collect();
    order.sort_by(|a, b| gains[*b].total_cmp(&gains[*a]));
    order
}

/// Half of the columns that tell most by themselves, half at random of the others, which may tell something together.
fn pick<'a>(columns: &'a mut [usize], count: usize, random: &mut Random) -> &'a [usize] {
    let count = count.clamp(1, columns.len());
    if count < columns.len() {
        let best = count.div_ceil(2);
        random.choose(&mut columns[best..], count - best);
    }
    &columns[..count]
}

fn update(slopes: &mut Slopes, scores: &[f64], labels: &[bool], parts: &Parts) {
    for row in parts.train.iter().chain(&parts.held) {
        let row = *row as usize;
        let probability = 1.0 / (1.0 + libm::exp(-scores[row]));
        slopes.gradient[row] = probability - f64::from(u8::from(labels[row]));
        slopes.curvature[row] = probability * (1.0 - probability);
    }
}

//! How good an order of candidates is.

use super::{Request, World};

/// Normalised discounted cumulative gain of the first `k` of an order (Järvelin and Kekäläinen, 2002), with the gain
/// 2^grade - 1; 1 where nothing is relevant.
pub fn ndcg(world: &World, request: &Request, order: &[u32], k: usize) -> f64 {
    let mut grades: Vec<usize> = request.items.iter().map(|item| request.grade(world, *item)).collect();
    let gained = dcg(order.iter().take(k).map(|item| request.grade(world, *item)));
    grades.sort_unstable_by(|a, b| b.cmp(a));
    let best = dcg(grades.into_iter().take(k));
    if best > 0.0 { gained / best } else { 1.0 }
}

fn dcg(grades: impl Iterator<Item = usize>) -> f64 {
    let gain = |(position, grade): (usize, usize)| {
        (libm::exp2(grade as f64) - 1.0) / libm::log2(position as f64 + 2.0)
    };
    grades.enumerate().map(gain).sum()
}

/// The candidates by a score, the highest first; equal scores by the item's number.
pub fn order_by(request: &Request, score: impl Fn(u32) -> f64) -> Vec<u32> {
    let mut scored: Vec<(f64, u32)> = request.items.iter().map(|item| (score(*item), *item)).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    scored.into_iter().map(|(_, item)| item).collect()
}

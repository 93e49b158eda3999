//! The name that was probably meant.

/// The candidate nearest to `name`, if it is near enough to be meant: at most a third of its letters differ.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let bound = (name.chars().count() / 3).max(1);
    let all = candidates.into_iter().map(|candidate| (distance(name, candidate), candidate));
    all.filter(|(distance, _)| *distance <= bound).min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// Levenshtein's distance, letters compared without case.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.chars().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(x != y)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.chars().count()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        let columns = ["amount", "customer_tx_1d", "customer_tx_7d", "customer_avg_7d"];
        assert_eq!(nearest("ammount", columns), Some("amount"));
        assert_eq!(nearest("CUSTOMER_TX_7D", columns), Some("customer_tx_7d"));
        assert_eq!(nearest("customer_av_7d", columns), Some("customer_avg_7d"));
        assert_eq!(nearest("terminal_risk_30d", columns), None);
    }
}

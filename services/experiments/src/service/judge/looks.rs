//! Looks at criteria: each is paid for with its part of alpha, so there are as many as declared and no more.

use crate::canary::Evidence;

/// Per criterion, how often it was looked at, and what the last look said.
#[derive(Debug, Clone, Default)]
pub struct Looks(Vec<(u32, Option<Evidence>)>);

impl Looks {
    /// No look yet at so many criteria.
    pub fn of(criteria: usize) -> Self {
        Self(vec![(0, None); criteria])
    }

    /// Offers what is known of criterion `at`. It is looked at if another `required` rows came since the last look, and one
    /// of `most` is left.
    pub fn offer(&mut self, at: usize, evidence: Option<Evidence>, required: u64, most: u32) {
        let (looks, last) = &mut self.0[at];
        let due = required.saturating_mul(u64::from(*looks) + 1);
        if let Some(evidence) = evidence.filter(|evidence| evidence.support >= due && *looks < most) {
            // A look is paid for, whether rows for several have come or for one.
            (*looks, *last) = (*looks + 1, Some(evidence));
        }
    }

    /// What the last look at criterion `at` said does not count any more.
    pub fn distrust(&mut self, at: usize) {
        self.0[at].1 = None;
    }

    /// What the last looks said. `decide` takes no evidence at all for a stream without data; here rows came, and criteria
    /// wait for theirs.
    pub fn evidence(&self) -> Vec<Option<Evidence>> {
        let nothing = Evidence { low: f64::NEG_INFINITY, high: f64::INFINITY, support: 0 };
        self.0.iter().map(|(_, last)| last.or(Some(nothing))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_looks_as_declared_each_with_new_rows() {
        let mut looks = Looks::of(1);
        let mut seen = Vec::new();
        for support in (0..1_000).step_by(10) {
            looks.offer(0, Some(Evidence { low: 0.0, high: 1.0, support }), 100, 3);
            seen.extend(looks.evidence().into_iter().flatten().map(|evidence| evidence.support));
        }
        seen.dedup();
        assert_eq!(seen, [0, 100, 200, 300]);
        looks.distrust(0);
        assert_eq!(looks.evidence()[0].map(|evidence| evidence.support), Some(0));
    }
}

//! How long labels take: counts per delay, on a fixed logarithmic grid (four buckets a doubling).

/// A histogram of label delays, in ms; merges by addition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delays {
    counts: Vec<u64>,
}

/// Buckets a doubling; a bucket's edges are within 19 % of each other.
const STEPS: usize = 4;

/// The bucket of a delay: 0 holds up to 1 ms, bucket `b` those in `(upper(b-1), upper(b)]`.
fn bucket(delay_ms: i64) -> usize {
    let delay = delay_ms.max(1);
    let mut at = delay.ilog2() as usize * STEPS;
    while upper_ms(at) < delay {
        at += 1;
    }
    while at > 0 && upper_ms(at - 1) >= delay {
        at -= 1;
    }
    at
}

/// The largest delay of a bucket: `2^(b / 4)`, by quarters in integers so that every machine has the same.
fn upper_ms(bucket: usize) -> i64 {
    const QUARTERS: [i128; STEPS] = [1 << 20, 1_246_974, 1_482_910, 1_763_488];
    let doublings = (bucket / STEPS).min(63);
    i64::try_from((QUARTERS[bucket % STEPS] << doublings) >> 20).unwrap_or(i64::MAX)
}

impl Delays {
    /// Counts one delay, in ms; a negative one counts as 0.
    pub fn add(&mut self, delay_ms: i64) {
        let at = bucket(delay_ms);
        if self.counts.len() <= at {
            self.counts.resize(at + 1, 0);
        }
        self.counts[at] += 1;
    }

    /// Adds another's counts.
    pub fn merge(&mut self, other: &Self) {
        self.counts.resize(self.counts.len().max(other.counts.len()), 0);
        self.counts.iter_mut().zip(&other.counts).for_each(|(mine, theirs)| *mine += theirs);
    }

    /// How many labels were counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The share of labels that have certainly come after so long: those of buckets that end by then. `None` without any.
    pub fn share_within(&self, delay_ms: i64) -> Option<f64> {
        let come = self.counts.iter().enumerate().filter(|(at, _)| upper_ms(*at) <= delay_ms.max(0));
        let come: u64 = come.map(|(_, count)| count).sum();
        (self.total() > 0).then(|| come as f64 / self.total() as f64)
    }

    /// The least delay (a bucket's upper edge, ms) within which at least that share has come. `None` without any.
    pub fn quantile(&self, share: f64) -> Option<i64> {
        let wanted = (share.clamp(0.0, 1.0) * self.total() as f64).ceil() as u64;
        let mut come = 0;
        let reached = |count: &u64| {
            come += count;
            come >= wanted && come > 0
        };
        self.counts.iter().position(reached).map(upper_ms)
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.counts.iter().flat_map(|count| count.to_le_bytes()).collect()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (words, rest) = bytes.as_chunks::<8>();
        let counts = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        rest.is_empty().then_some(Self { counts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_lies_below_its_buckets_edge_and_above_the_one_before() {
        for delay in (0..2_000).chain([86_400_000, 518_400_000, i64::MAX / 4]) {
            let at = bucket(delay);
            assert!(upper_ms(at) >= delay && (at == 0 || upper_ms(at - 1) < delay), "{delay}");
            assert!(delay < 10 || upper_ms(at) as f64 <= delay as f64 * 1.2, "{delay}");
        }
        assert_eq!(bucket(-5), 0);
    }

    #[test]
    fn shares_and_quantiles_come_from_the_counts() {
        let mut delays = Delays::default();
        assert_eq!((delays.share_within(5), delays.quantile(0.5)), (None, None));
        (0..90).for_each(|_| delays.add(1_000));
        let mut late = Delays::default();
        (0..10).for_each(|_| late.add(1_000_000));
        delays.merge(&late);
        assert_eq!(delays.total(), 100);
        assert_eq!(delays.share_within(500), Some(0.0));
        assert_eq!(delays.share_within(1_200), Some(0.9));
        assert!(delays.quantile(0.9).is_some_and(|ms| (1_000..1_200).contains(&ms)));
        assert!(delays.quantile(0.95).is_some_and(|ms| ms >= 1_000_000));
        assert_eq!(Delays::from_bytes(&delays.to_bytes()), Some(delays));
    }
}

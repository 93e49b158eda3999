//! Draws without replacement as CPython's `random.sample` makes them (3.11 to 3.14).

use std::collections::HashSet;

use super::mersenne::Mersenne;

/// `count` different indices below `population`, in the order drawn; `count` is at most `population`.
pub(super) fn indices(random: &mut Mersenne, population: usize, count: usize) -> Vec<usize> {
    if population <= set_size(count) {
        from_pool(random, population, count)
    } else {
        by_refusal(random, population, count)
    }
}

/// How much a set of `count` small numbers takes in CPython, in places of a list: what decides between both ways to draw.
fn set_size(count: usize) -> usize {
    let larger = (0..).map(|power| 4_usize.saturating_pow(power)).find(|size| *size >= 3 * count);
    21 + if count > 5 { larger.unwrap_or(usize::MAX / 2) } else { 0 }
}

/// Each index drawn leaves the pool, the last one takes its place.
fn from_pool(random: &mut Mersenne, population: usize, count: usize) -> Vec<usize> {
    let mut pool: Vec<usize> = (0..population).collect();
    let draw = |_| {
        let i = below(random, pool.len());
        pool.swap_remove(i)
    };
    (0..count).map(draw).collect()
}

/// Indices that were drawn before are drawn again.
fn by_refusal(random: &mut Mersenne, population: usize, count: usize) -> Vec<usize> {
    let mut drawn = HashSet::with_capacity(count);
    let mut draw = |_| {
        loop {
            let i = below(random, population);
            if drawn.insert(i) {
                return i;
            }
        }
    };
    (0..count).map(&mut draw).collect()
}

/// A number below n, as many bits drawn as n has until they are below it; n is at least 1 and below 2^32.
fn below(random: &mut Mersenne, n: usize) -> usize {
    let spare = u32::BITS - (usize::BITS - n.leading_zeros());
    loop {
        let drawn = (random.bits() >> spare) as usize;
        if drawn < n {
            return drawn;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_draws_equal_those_of_cpython() {
        // r = random.Random(7); r.sample(range(n), k) one after another
        let mut random = Mersenne::seeded(7);
        for (population, count, expected) in CPYTHON {
            assert_eq!(indices(&mut random, population, count), expected, "{count} of {population}");
        }
    }

    const CPYTHON: [(usize, usize, &[usize]); 4] = [
        (70, 8, &[41, 19, 50, 6, 9, 12, 46, 37]),
        (5, 5, &[0, 1, 4, 2, 3]),
        (1000, 4, &[428, 71, 246, 92]),
        (300, 6, &[282, 217, 30, 289, 63, 114]),
    ];
}

//! Sums of doubles by schoolbook addition of their decimal expansions: slow, plain, and nothing like what it checks.

/// Digits in a group, and groups before and behind the decimal point: every finite double fits.
const DIGITS: usize = 9;
const BEHIND: usize = 120;
const GROUPS: usize = BEHIND + 37;

/// The exact sum of finite doubles, rounded once to the nearest double, ties to even.
pub(in crate::window) fn sum(values: &[f64]) -> f64 {
    // Least significant group first; carries are left for the end.
    let mut total = vec![0i64; GROUPS];
    for value in values {
        let sign = if *value < 0.0 { -1 } else { 1 };
        for (sum, group) in total.iter_mut().zip(groups(value.abs())) {
            *sum += sign * group;
        }
    }
    let negative = carry(&mut total);
    let mut text: String = total.iter().rev().map(|group| format!("{group:09}")).collect();
    text.insert(text.len() - BEHIND * DIGITS, '.');
    let rounded: f64 = text.parse().expect("digits are a number");
    if negative { -rounded } else { rounded }
}

/// The decimal expansion, which is finite, in groups of digits.
fn groups(value: f64) -> Vec<i64> {
    let text = format!("{value:.*}", BEHIND * DIGITS);
    let digits: Vec<u8> = text.bytes().rev().filter(|byte| *byte != b'.').map(|byte| byte - b'0').collect();
    digits
        .chunks(DIGITS)
        .map(|group| group.iter().rev().fold(0, |sum, digit| sum * 10 + i64::from(*digit)))
        .collect()
}

/// Normalises the groups to `0..10^9` and returns whether the number was negative; its magnitude is left.
fn carry(total: &mut [i64]) -> bool {
    let base = 10i64.pow(DIGITS as u32);
    let propagate = |total: &mut [i64]| {
        let mut carry = 0;
        for group in total.iter_mut() {
            let sum = *group + carry;
            (*group, carry) = (sum.rem_euclid(base), sum.div_euclid(base));
        }
        carry
    };
    if propagate(total) >= 0 {
        return false;
    }
    total.iter_mut().for_each(|group| *group = -*group);
    // What was propagated out at the top stood for -10^n: adding it back makes the magnitude.
    let top = propagate(total);
    debug_assert!(top == -1 || top == 0);
    true
}

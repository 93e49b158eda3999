//! The three fraud scenarios, applied one after the other: a later one overwrites an earlier one's label.

use super::purpose::Purpose;
use super::{ChangeKind, Params, Payment};
use crate::draw::Draw;

const LARGE_AMOUNT: f64 = 220.0;
const TERMINALS_A_DAY: usize = 2;
const TERMINAL_DAYS: i64 = 28;
const CUSTOMERS_A_DAY: usize = 3;
const CUSTOMER_DAYS: i64 = 14;
/// How many times as many customers are compromised a day once fraud has moved to them.
const MOVED_FACTOR: usize = 4;

/// Marks the frauds among payments that are sorted by time.
pub fn apply(params: &Params, payments: &mut [Payment]) {
    large_amounts(payments);
    compromised_terminals(params, payments);
    compromised_customers(params, payments);
}

fn mark(payment: &mut Payment, scenario: u8) {
    payment.fraud = true;
    payment.scenario = scenario;
}

/// 1: what is large enough for anyone to notice.
fn large_amounts(payments: &mut [Payment]) {
    payments.iter_mut().filter(|p| p.amount > LARGE_AMOUNT).for_each(|p| mark(p, 1));
}

/// The days on which somebody is compromised: all but the last.
fn days(params: &Params) -> std::ops::Range<i64> {
    0..i64::from(params.days) - 1
}

/// The day from which fraud strikes customers and no terminal any more.
fn moved_from(params: &Params) -> i64 {
    let moved = params.change.filter(|change| change.kind == ChangeKind::Pattern);
    moved.map_or(i64::MAX, |change| i64::from(change.from_day))
}

/// 2: each day two terminals are compromised, and all that they take for 28 days is a fraud (phishing).
fn compromised_terminals(params: &Params, payments: &mut [Payment]) {
    let mut draw = Draw::new(params.seed, Purpose::CompromisedTerminals);
    let mut terminals: Vec<u32> = (0..params.terminals).collect();
    let mut compromised = vec![Vec::new(); terminals.len()];
    let moved_from = moved_from(params);
    for day in days(params) {
        for &terminal in draw.sample(&mut terminals, TERMINALS_A_DAY) {
            compromised[terminal as usize].push(day..(day + TERMINAL_DAYS).min(moved_from));
        }
    }
    for payment in payments {
        let day = payment.day(params);
        // A terminal that came later is not among those drawn.
        let struck = compromised.get(payment.terminal as usize);
        if struck.is_some_and(|all| all.iter().any(|days| days.contains(&day))) {
            mark(payment, 2);
        }
    }
}

/// 3: each day three customers' cards leak, and a third of all that the three pay in 14 days is a fraud of five times
/// the amount (card not present). A payment hit twice grows twice.
fn compromised_customers(params: &Params, payments: &mut [Payment]) {
    let mut draw = Draw::new(params.seed, Purpose::CompromisedCustomers);
    let mut customers: Vec<u32> = (0..params.customers).collect();
    let mut of_customer = vec![Vec::new(); customers.len()];
    for (position, payment) in payments.iter().enumerate() {
        of_customer[payment.customer as usize].push(position);
    }
    let moved_from = moved_from(params);
    for day in days(params) {
        let mut hit: Vec<usize> = Vec::new();
        let a_day = if day < moved_from { CUSTOMERS_A_DAY } else { CUSTOMERS_A_DAY * MOVED_FACTOR };
        for &customer in draw.sample(&mut customers, a_day) {
            let all = &of_customer[customer as usize];
            let from = all.partition_point(|&i| payments[i].day(params) < day);
            let to = all.partition_point(|&i| payments[i].day(params) < day + CUSTOMER_DAYS);
            hit.extend(&all[from..to]);
        }
        let third = hit.len() / 3;
        for &i in draw.sample(&mut hit, third) {
            let payment = &mut payments[i];
            payment.amount = (payment.amount * 100.0).round() * 5.0 / 100.0;
            mark(payment, 3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DAY_MS, generate};
    use super::*;

    /// Six payments a day for `days` days, each of its own customer and terminal: all pairs are alike.
    fn uniform_payments(params: &Params) -> Vec<Payment> {
        let row = |day: i64, who: u32| Payment {
            tx_id: 0,
            tx_time_ms: params.start_ms + day * DAY_MS + 1000,
            customer: who,
            terminal: who,
            amount: 10.01,
            country: None,
            fraud: false,
            scenario: 0,
        };
        (0..i64::from(params.days))
            .flat_map(|day| (0..params.customers).map(move |who| row(day, who)))
            .collect()
    }

    #[test]
    fn a_large_amount_is_above_220_and_not_220() {
        let params = Params { customers: 1, days: 2, ..Params::default() };
        let mut payments = uniform_payments(&params);
        payments[0].amount = 220.0;
        payments[1].amount = 220.01;
        large_amounts(&mut payments);
        assert_eq!((payments[0].scenario, payments[1].scenario), (0, 1));
        assert!(payments[1].fraud && !payments[0].fraud);
    }

    #[test]
    fn two_terminals_a_day_are_compromised_for_28_days() {
        let params = Params { customers: 5_000, terminals: 5_000, days: 60, ..Params::default() };
        let mut payments = uniform_payments(&params);
        compromised_terminals(&params, &mut payments);
        let frauds_on = |day: i64| payments.iter().filter(|p| p.fraud && p.day(&params) == day).count();
        // Two more each day until the first are free again; a terminal may be drawn twice.
        assert_eq!(frauds_on(0), 2);
        assert!((4..=6).contains(&frauds_on(2)) && (54..=56).contains(&frauds_on(27)));
        assert!((54..=56).contains(&frauds_on(40)));
        // Nobody is compromised on the last day.
        assert!((52..=54).contains(&frauds_on(59)));
    }

    #[test]
    fn a_third_of_what_three_customers_pay_in_14_days_grows_fivefold() {
        let params = Params { customers: 5_000, terminals: 1, days: 2, ..Params::default() };
        let mut payments = uniform_payments(&params);
        compromised_customers(&params, &mut payments);
        // One day of draws: three customers with two payments each.
        let frauds: Vec<&Payment> = payments.iter().filter(|p| p.fraud).collect();
        assert_eq!(frauds.len(), 2);
        assert!(frauds.iter().all(|p| p.amount == 50.05 && p.scenario == 3));
    }

    #[test]
    fn no_customer_is_hit_outside_its_14_days_and_a_payment_can_be_hit_twice() {
        let params = Params { customers: 3, terminals: 1, days: 3, ..Params::default() };
        let mut payments = uniform_payments(&params);
        compromised_customers(&params, &mut payments);
        // Both draws take all three customers: 9 payments, a third is 3; then 6, a third is 2.
        let grown = |times: i32| {
            let amount = (1001.0 * 5_f64.powi(times)).round() / 100.0;
            payments.iter().filter(|p| p.amount == amount).count()
        };
        assert_eq!(grown(1) + 2 * grown(2), 5);
        assert_eq!(grown(0) + grown(1) + grown(2), 9);
    }

    #[test]
    fn a_later_scenario_overwrites_an_earlier_label() {
        let params = Params { customers: 50, terminals: 2, days: 60, radius: 200.0, ..Params::default() };
        let payments = generate(&params);
        // Both terminals are compromised every day, so that all are frauds of scenario 2 but for scenario 3's.
        assert!(payments.iter().filter(|p| p.day(&params) < 59).all(|p| p.scenario >= 2));
        assert!(payments.iter().any(|p| p.scenario == 3));
    }
}

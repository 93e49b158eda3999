//! Payments: drawn customer by customer and day by day, sorted by time, then struck by fraud.

use super::profiles::{Customer, Grid, Profiles};
use super::purpose::Purpose;
use super::{Country, DAY_MS, Params, change, scenarios};
use crate::draw::Draw;

const SECONDS_PER_DAY: f64 = 86_400.0;

/// One card payment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Payment {
    /// Its position in the stream, from 0.
    pub tx_id: u64,
    /// When it was made, in ms since 1970 (whole seconds).
    pub tx_time_ms: i64,
    /// Index of the customer who paid.
    pub customer: u32,
    /// Index of the terminal that took it.
    pub terminal: u32,
    /// The amount, in whole cents.
    pub amount: f64,
    /// The customer's country, where known.
    pub country: Option<Country>,
    /// Whether it is a fraud.
    pub fraud: bool,
    /// The scenario (1, 2, 3) that made it one; 0 where it is none.
    pub scenario: u8,
}

impl Payment {
    /// The day it was made, counted from the stream's first.
    pub fn day(&self, params: &Params) -> i64 {
        (self.tx_time_ms - params.start_ms).div_euclid(DAY_MS)
    }
}

/// All payments of a stream, in the order of their time; ties by customer.
pub fn generate(params: &Params) -> Vec<Payment> {
    let profiles = Profiles::draw(params);
    let grid = Grid::new(&profiles.terminals, params.radius);
    let mut payments = Vec::new();
    for (index, customer) in (0_u32..).zip(&profiles.customers) {
        let terminals = grid.near(customer.home);
        if let Some(count) = u32::try_from(terminals.len()).ok().filter(|count| *count > 0) {
            let mut draw = Draw::new(params.seed, Purpose::Payments(index));
            for day in 0..params.days {
                for _ in 0..draw.poisson(customer.daily_rate) {
                    let Some(second) = second_of_day(&mut draw) else { continue };
                    let amount = amount(&mut draw, customer);
                    payments.push(Payment {
                        tx_id: 0,
                        tx_time_ms: params.start_ms + i64::from(day) * DAY_MS + second * 1000,
                        customer: index,
                        terminal: terminals[draw.below(count) as usize],
                        amount,
                        country: customer.country,
                        fraud: false,
                        scenario: 0,
                    });
                }
            }
        }
    }
    payments.sort_by_key(|payment| payment.tx_time_ms);
    for (position, payment) in (0_u64..).zip(&mut payments) {
        payment.tx_id = position;
    }
    change::before_scenarios(params, &mut payments);
    scenarios::apply(params, &mut payments);
    change::after_scenarios(params, &mut payments);
    payments
}

/// `None`: the draw lies outside the day, and the payment is dropped.
fn second_of_day(draw: &mut Draw) -> Option<i64> {
    let second = draw.normal(SECONDS_PER_DAY / 2.0, 20_000.0).trunc();
    (second > 0.0 && second < SECONDS_PER_DAY).then_some(second as i64)
}

fn amount(draw: &mut Draw, customer: &Customer) -> f64 {
    let mean = customer.mean_amount;
    let mut amount = draw.normal(mean, mean / 2.0);
    if amount < 0.0 {
        amount = draw.uniform(0.0, 2.0 * mean);
    }
    (amount * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Params {
        Params { customers: 300, terminals: 600, days: 40, radius: 10.0, seed: 3, ..Params::default() }
    }

    #[test]
    fn the_published_size_has_about_the_published_totals() {
        let params = Params::default();
        let payments = generate(&params);
        let within = |n: usize, published: f64, share: f64| {
            assert!((n as f64 / published - 1.0).abs() < share, "{n} is far from {published}");
        };
        // The rates of 5,000 customers alone move the total by 0.8 % (one sigma), compromised terminals and customers
        // theirs by more.
        within(payments.len(), 1_754_155.0, 0.03);
        within(payments.iter().filter(|p| p.fraud).count(), 14_681.0, 0.12);
        for (scenario, published, share) in [(1, 973.0, 0.35), (2, 9_077.0, 0.15), (3, 4_631.0, 0.15)] {
            within(payments.iter().filter(|p| p.scenario == scenario).count(), published, share);
        }
        assert!(payments.iter().all(|p| p.fraud == (p.scenario > 0)));
        assert!((0..payments.len()).all(|i| payments[i].tx_id == i as u64));
    }

    #[test]
    fn one_seed_gives_the_same_payments_on_every_machine() {
        let payments = generate(&small());
        let mut hash = 0xcbf2_9ce4_8422_2325_u64; // FNV-1a
        for p in &payments {
            let ids = [p.tx_time_ms.cast_unsigned(), p.customer.into(), p.terminal.into()];
            for word in ids.into_iter().chain([p.amount.to_bits(), p.scenario.into()]) {
                hash = (hash ^ word).wrapping_mul(0x0100_0000_01b3);
            }
        }
        assert_eq!((payments.len(), hash), (22_288, 5_748_843_134_030_147_608));
        assert_ne!(generate(&Params { seed: 4, ..small() })[..100], payments[..100]);
    }

    #[test]
    fn payments_are_sorted_within_their_days_and_made_near_home() {
        let params = small();
        let payments = generate(&params);
        let profiles = Profiles::draw(&params);
        assert!(payments.is_sorted_by_key(|p| p.tx_time_ms));
        for p in &payments {
            assert!((0..i64::from(params.days)).contains(&p.day(&params)));
            let second = (p.tx_time_ms - params.start_ms) % DAY_MS / 1000;
            assert!(second > 0 && p.tx_time_ms % 1000 == 0);
            let customer = &profiles.customers[p.customer as usize];
            assert!(customer.home.distance(profiles.terminals[p.terminal as usize]) < params.radius);
            assert_eq!(p.country, customer.country);
            assert_eq!((p.amount * 100.0).round() / 100.0, p.amount);
            assert!(p.amount >= 0.0);
        }
    }

    #[test]
    fn without_terminals_near_there_are_no_payments() {
        assert!(generate(&Params { radius: 0.0, ..small() }).is_empty());
        assert!(generate(&Params { terminals: 0, ..small() }).is_empty());
        assert!(generate(&Params { customers: 0, ..small() }).is_empty());
    }
}

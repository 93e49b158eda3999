//! An alert, and what in it stands out against the customer's or the terminal's own past.

/// A payment whose decision was not to approve it.
#[derive(Debug, Clone)]
pub struct Alert {
    /// Event time, ms.
    pub time_ms: i64,
    /// Who pays.
    pub customer: String,
    /// How much.
    pub amount: f64,
    /// The model's probability of fraud.
    pub score: f64,
    /// What the generator knows.
    pub fraud: bool,
    /// Sentences on features that are unusual, the strongest first.
    pub stands_out: Vec<String>,
}

/// The features of a payment that a sentence can be made of.
#[derive(Debug, Clone, Copy, Default)]
pub struct Features {
    /// The payment's amount.
    pub amount: f64,
    /// Payments of the customer within 1 and 30 days, and their average amounts.
    pub customer_tx_1d: f64,
    /// See `customer_tx_1d`.
    pub customer_tx_30d: f64,
    /// See `customer_tx_1d`.
    pub customer_avg_30d: f64,
    /// Share of frauds at the terminal, 7 days and more ago.
    pub terminal_risk_1d: f64,
    /// See `terminal_risk_1d`.
    pub terminal_risk_7d: f64,
    /// See `terminal_risk_1d`.
    pub terminal_risk_30d: f64,
}

/// What is unusual about `f`, at most three sentences, the strongest first.
pub fn stands_out(f: &Features) -> Vec<String> {
    let mut found: Vec<(f64, String)> = Vec::new();
    // The payment itself is part of the average: compare with the others of the window.
    let others = f.customer_tx_30d - 1.0;
    if others >= 1.0 {
        let usual = (f.customer_avg_30d * f.customer_tx_30d - f.amount) / others;
        let ratio = f.amount / usual.max(0.01);
        if ratio >= 2.0 {
            found.push((ratio, format!("amount {ratio:.1} x the customer's 30-day average")));
        }
        let per_day = f.customer_tx_30d / 30.0;
        let pace = f.customer_tx_1d / per_day;
        if pace >= 3.0 && f.customer_tx_1d >= 4.0 {
            found.push((
                pace,
                format!("{:.0} payments in a day, {pace:.1} x the customer's pace", f.customer_tx_1d),
            ));
        }
    }
    let risks = [("day", f.terminal_risk_1d), ("week", f.terminal_risk_7d), ("month", f.terminal_risk_30d)];
    if let Some((window, risk)) = risks.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).filter(|r| r.1 >= 0.05)
    {
        found.push((20.0 * risk, format!("{:.0} % frauds at the terminal in a {window}", risk * 100.0)));
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.into_iter().take(3).map(|(_, text)| text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_compared_with_the_other_payments_of_the_window() {
        let f = Features {
            amount: 500.0,
            customer_tx_30d: 11.0,
            customer_avg_30d: 1000.0 / 11.0,
            ..Features::default()
        };
        assert_eq!(stands_out(&f), ["amount 10.0 x the customer's 30-day average"]);
    }

    #[test]
    fn a_usual_payment_has_nothing_to_say() {
        let f = Features {
            amount: 50.0,
            customer_tx_1d: 1.0,
            customer_tx_30d: 60.0,
            customer_avg_30d: 50.0,
            ..Features::default()
        };
        assert!(stands_out(&f).is_empty());
    }

    #[test]
    fn a_risky_terminal_is_named_with_its_worst_window() {
        let f = Features { terminal_risk_7d: 0.9, terminal_risk_30d: 0.3, ..Features::default() };
        assert_eq!(stands_out(&f), ["90 % frauds at the terminal in a week"]);
    }
}

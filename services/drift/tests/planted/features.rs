//! The fraud view's columns, by hand: what the SQL gives is tested elsewhere, and here seconds count.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use millrace_load::fraud::Payment;

const DAY_S: i64 = 86_400;
const WINDOWS: [i64; 3] = [1, 7, 30];
/// A terminal's windows end so long ago.
const DELAY_S: i64 = 7 * DAY_S;

/// Payments of one customer or terminal: times, ascending, and sums of what comes before each.
#[derive(Default)]
struct Past {
    times: Vec<i64>,
    sums: Vec<f64>,
}

impl Past {
    fn add(&mut self, time: i64, value: f64) {
        self.sums.push(self.sums.last().copied().unwrap_or(0.0) + value);
        self.times.push(time);
    }

    /// Count and sum of `(from, to]`.
    fn within(&self, from: i64, to: i64) -> (f64, f64) {
        let (first, end) =
            (self.times.partition_point(|t| *t <= from), self.times.partition_point(|t| *t <= to));
        let sum = |n: usize| if n == 0 { 0.0 } else { self.sums[n - 1] };
        ((end - first) as f64, sum(end) - sum(first))
    }
}

/// The past of all customers and terminals.
pub struct Features {
    customers: HashMap<u32, Past>,
    terminals: HashMap<u32, Past>,
}

impl Features {
    /// Of all payments of a stream, by ascending time. Windows look back alone, so that one past serves every row.
    pub fn of(payments: &[Payment]) -> Self {
        let mut features = Self { customers: HashMap::new(), terminals: HashMap::new() };
        for payment in payments {
            let time = payment.tx_time_ms / 1_000;
            features.customers.entry(payment.customer).or_default().add(time, payment.amount);
            features
                .terminals
                .entry(payment.terminal)
                .or_default()
                .add(time, f64::from(u8::from(payment.fraud)));
        }
        features
    }

    /// Rows of the feature topic.
    pub fn rows(&self, payments: &[Payment]) -> RecordBatch {
        let text = |of: &dyn Fn(&Payment) -> String| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(payments.iter().map(of)))
        };
        let country: StringArray = payments.iter().map(|p| p.country.map(|country| country.code())).collect();
        let flag = |of: &dyn Fn(i64) -> bool| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(
                payments.iter().map(|p| i64::from(of(p.tx_time_ms / 1_000))),
            ))
        };
        let numbers = |of: &dyn Fn(&Payment) -> f64| -> ArrayRef {
            Arc::new(Float64Array::from_iter_values(payments.iter().map(of)))
        };
        let mut columns: Vec<(String, ArrayRef)> = vec![
            ("terminal_id".into(), text(&|p| p.terminal.to_string())),
            ("country".into(), Arc::new(country)),
            ("amount".into(), numbers(&|p| p.amount)),
            // 1970-01-01 was a Thursday.
            ("weekend".into(), flag(&|t| matches!((t / DAY_S + 4) % 7, 0 | 6))),
            ("night".into(), flag(&|t| t % DAY_S / 3_600 <= 6)),
        ];
        for days in WINDOWS {
            let customer = |p: &Payment| {
                let time = p.tx_time_ms / 1_000;
                self.customers[&p.customer].within(time - days * DAY_S, time)
            };
            let terminal = |p: &Payment| {
                let end = p.tx_time_ms / 1_000 - DELAY_S;
                self.terminals[&p.terminal].within(end - days * DAY_S, end)
            };
            columns.push((format!("customer_tx_{days}d"), numbers(&|p| customer(p).0)));
            columns.push((format!("customer_avg_{days}d"), numbers(&|p| customer(p).1 / customer(p).0)));
            columns.push((format!("terminal_tx_{days}d"), numbers(&|p| terminal(p).0)));
            columns.push((
                format!("terminal_risk_{days}d"),
                numbers(&|p| terminal(p).1 / terminal(p).0.max(1.0)),
            ));
        }
        RecordBatch::try_from_iter(columns).unwrap()
    }
}

//! Payments and their labels as one stream in the order of record time.

use super::{Params, Payment, generate};

/// The confirmed outcome of a payment, known some days later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// The payment's id.
    pub tx_id: u64,
    /// When the outcome is known, in ms since 1970: the label's record time.
    pub label_time_ms: i64,
    /// When the payment was made, in ms since 1970.
    pub tx_time_ms: i64,
    /// Index of the customer who paid.
    pub customer: u32,
    /// Index of the terminal that took it.
    pub terminal: u32,
    /// Whether it was a fraud.
    pub fraud: bool,
}

impl Label {
    /// The label of a payment, known `delay_ms` after it.
    pub fn of(payment: &Payment, delay_ms: i64) -> Self {
        Self {
            tx_id: payment.tx_id,
            label_time_ms: payment.tx_time_ms + delay_ms,
            tx_time_ms: payment.tx_time_ms,
            customer: payment.customer,
            terminal: payment.terminal,
            fraud: payment.fraud,
        }
    }
}

/// One record of the stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    /// A row of `transactions`.
    Payment(Payment),
    /// A row of `labels`.
    Label(Label),
}

impl Event {
    /// Its record time: `tx_time` or `label_time`, in ms since 1970.
    pub fn record_time_ms(&self) -> i64 {
        match self {
            Event::Payment(payment) => payment.tx_time_ms,
            Event::Label(label) => label.label_time_ms,
        }
    }

    /// The customer, whose id is the record's key on both topics.
    pub fn customer(&self) -> u32 {
        match self {
            Event::Payment(payment) => payment.customer,
            Event::Label(label) => label.customer,
        }
    }
}

/// Payments and labels, merged by record time; at equal times payments come first.
#[derive(Debug, Clone)]
pub struct Stream {
    payments: Vec<Payment>,
    label_delay_ms: i64,
    labels_until_ms: i64,
    next_payment: usize,
    next_label: usize,
}

/// The stream of the parameters, from its beginning; a label for every payment, unless labels stop.
pub fn stream(params: &Params) -> Stream {
    let until = params.change.and_then(|change| change.labels_until_ms(params));
    Stream {
        labels_until_ms: until.unwrap_or(i64::MAX),
        ..Stream::new(generate(params), params.label_delay_ms)
    }
}

impl Stream {
    /// The stream of payments that are sorted by time.
    pub fn new(payments: Vec<Payment>, label_delay_ms: i64) -> Self {
        Self { payments, label_delay_ms, labels_until_ms: i64::MAX, next_payment: 0, next_label: 0 }
    }

    /// Keeps the first `payments` payments, and their labels.
    pub fn limit(mut self, payments: usize) -> Self {
        self.payments.truncate(payments);
        self
    }

    /// All payments of the stream, past and to come; the index is the `tx_id`.
    pub fn payments(&self) -> &[Payment] {
        &self.payments
    }

    /// The payments whose labels come.
    pub fn labelled(&self) -> &[Payment] {
        let comes = |p: &Payment| p.tx_time_ms.saturating_add(self.label_delay_ms) < self.labels_until_ms;
        &self.payments[..self.payments.partition_point(comes)]
    }

    /// How long after its payment a label comes, in ms.
    pub fn label_delay_ms(&self) -> i64 {
        self.label_delay_ms
    }
}

impl Iterator for Stream {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let payment = self.payments.get(self.next_payment);
        let label = self.payments.get(self.next_label).map(|p| Label::of(p, self.label_delay_ms));
        let label = label.filter(|label| label.label_time_ms < self.labels_until_ms);
        match (payment, label) {
            (Some(payment), Some(label)) if payment.tx_time_ms > label.label_time_ms => {
                self.next_label += 1;
                Some(Event::Label(label))
            }
            (Some(payment), _) => {
                self.next_payment += 1;
                Some(Event::Payment(*payment))
            }
            (None, label) => {
                let label = label?;
                self.next_label += 1;
                Some(Event::Label(label))
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let all = self.payments.len() + self.labelled().len();
        let left = all.saturating_sub(self.next_payment + self.next_label);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Stream {}

#[cfg(test)]
mod tests {
    use super::super::DAY_MS;
    use super::*;

    fn params() -> Params {
        Params { customers: 100, terminals: 200, days: 20, radius: 20.0, ..Params::default() }
    }

    #[test]
    fn every_payment_comes_once_with_its_label_six_days_later_in_record_time_order() {
        let payments = generate(&params());
        let events: Vec<Event> = stream(&params()).collect();
        assert_eq!(events.len(), 2 * payments.len());
        assert!(events.is_sorted_by_key(|e| (e.record_time_ms(), matches!(e, Event::Label(_)))));
        let came = |event: &Event| if let Event::Payment(p) = event { Some(*p) } else { None };
        assert_eq!(events.iter().filter_map(came).collect::<Vec<_>>(), payments);
        let labels: Vec<Label> =
            events.iter().filter_map(|e| if let Event::Label(l) = e { Some(*l) } else { None }).collect();
        for (label, payment) in labels.iter().zip(&payments) {
            assert_eq!(label.label_time_ms, payment.tx_time_ms + 6 * DAY_MS);
            assert_eq!((label.tx_id, label.fraud), (payment.tx_id, payment.fraud));
        }
    }

    #[test]
    fn at_equal_times_the_payment_comes_first() {
        let mut payments = generate(&params());
        payments.truncate(2);
        payments[1].tx_time_ms = payments[0].tx_time_ms + 1000;
        let order: Vec<bool> = Stream::new(payments, 1000).map(|e| matches!(e, Event::Payment(_))).collect();
        assert_eq!(order, [true, true, false, false]);
    }

    #[test]
    fn a_limit_keeps_the_first_payments_of_the_same_stream() {
        let whole = stream(&params());
        let mut limited = stream(&params()).limit(500);
        assert_eq!(limited.payments(), &whole.payments()[..500]);
        assert_eq!(limited.len(), 1000);
        assert_eq!(limited.by_ref().count(), 1000);
        assert_eq!((limited.len(), limited.next()), (0, None));
    }
}

//! Changes of the world from a given day on, so that what watches a stream has something to find.

use std::str::FromStr;

use super::purpose::Purpose;
use super::{Country, DAY_MS, Params, Payment};
use crate::draw::Draw;

/// By how much amounts rise, in percent.
const RISEN: f64 = 130.0;
/// The country whose amounts rise.
const WHERE: Country = Country::De;
/// One payment in so many moves to the new fleet.
const MOVED: u32 = 4;
/// Old terminals for each of the fleet's.
const FLEET: u32 = 20;

/// What changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// Amounts in one country (DE) rise by 30 %; who is a fraud stays as it was.
    Amounts,
    /// A quarter of all payments moves to a fleet of terminals that nobody has seen before.
    Terminals,
    /// Fraud moves from terminals to customers: no terminal is compromised any more, four times as many customers are.
    Pattern,
    /// Labels stop to come.
    Labels,
    /// A feature is computed wrongly in serving: the stream stays as it is.
    Serving,
}

impl ChangeKind {
    /// All, in the order in which they are told.
    pub const ALL: [Self; 5] = [Self::Amounts, Self::Terminals, Self::Pattern, Self::Labels, Self::Serving];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Amounts => "amounts",
            Self::Terminals => "terminals",
            Self::Pattern => "pattern",
            Self::Labels => "labels",
            Self::Serving => "serving",
        }
    }
}

impl FromStr for ChangeKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| {
            format!("there is no change `{text}`, only {}", Self::ALL.map(Self::name).join(", "))
        })
    }
}

/// A change and when it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// What changes.
    pub kind: ChangeKind,
    /// The first day of the change, counted from the stream's first.
    pub from_day: u32,
}

impl Change {
    /// Whether a payment was made after the change.
    pub(super) fn applies(&self, params: &Params, payment: &Payment) -> bool {
        payment.day(params) >= i64::from(self.from_day)
    }

    /// From when on labels do not come any more, in ms since 1970.
    pub(super) fn labels_until_ms(&self, params: &Params) -> Option<i64> {
        (self.kind == ChangeKind::Labels).then(|| params.start_ms + i64::from(self.from_day) * DAY_MS)
    }
}

/// What changes before fraud strikes. Payments are sorted by time.
pub(super) fn before_scenarios(params: &Params, payments: &mut [Payment]) {
    let Some(change) = params.change.filter(|change| change.kind == ChangeKind::Terminals) else { return };
    let mut draw = Draw::new(params.seed, Purpose::NewTerminals);
    let fleet = (params.terminals / FLEET).max(1);
    for payment in payments.iter_mut().filter(|payment| change.applies(params, payment)) {
        if draw.below(MOVED) == 0 {
            payment.terminal = params.terminals + draw.below(fleet);
        }
    }
}

/// What changes after fraud has struck: the labels stay as they are.
pub(super) fn after_scenarios(params: &Params, payments: &mut [Payment]) {
    let Some(change) = params.change.filter(|change| change.kind == ChangeKind::Amounts) else { return };
    let risen = |payment: &&mut Payment| change.applies(params, payment) && payment.country == Some(WHERE);
    for payment in payments.iter_mut().filter(risen) {
        payment.amount = (payment.amount * RISEN).round() / 100.0;
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Event, generate, stream};
    use super::*;

    const DAY: u32 = 30;

    fn params(kind: Option<ChangeKind>) -> Params {
        let change = kind.map(|kind| Change { kind, from_day: DAY });
        Params { customers: 300, terminals: 600, days: 60, radius: 10.0, change, ..Params::default() }
    }

    fn halves(kind: Option<ChangeKind>) -> (Vec<Payment>, Vec<Payment>) {
        let params = params(kind);
        let payments = generate(&params);
        let at = payments.partition_point(|p| p.day(&params) < i64::from(DAY));
        (payments[..at].to_vec(), payments[at..].to_vec())
    }

    #[test]
    fn nothing_differs_before_the_change() {
        for kind in ChangeKind::ALL {
            let (plain, changed) = (halves(None), halves(Some(kind)));
            assert_eq!(plain.0, changed.0, "{kind:?}");
            assert_eq!(
                plain.1 == changed.1,
                matches!(kind, ChangeKind::Labels | ChangeKind::Serving),
                "{kind:?}"
            );
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert!("amount".parse::<ChangeKind>().unwrap_err().contains("amounts, terminals, pattern, labels"));
    }

    #[test]
    fn amounts_rise_in_one_country_and_labels_stay() {
        let (plain, changed) = (halves(None).1, halves(Some(ChangeKind::Amounts)).1);
        for (was, is) in plain.iter().zip(&changed) {
            let expected = if was.country == Some(Country::De) { was.amount * 1.3 } else { was.amount };
            assert!((is.amount - expected).abs() <= 0.0051, "{} of {}", is.amount, was.amount);
            assert_eq!((is.fraud, is.terminal), (was.fraud, was.terminal));
        }
    }

    #[test]
    fn a_quarter_of_the_payments_moves_to_the_new_fleet() {
        let changed = halves(Some(ChangeKind::Terminals)).1;
        let moved = changed.iter().filter(|p| p.terminal >= 600).count() as f64 / changed.len() as f64;
        assert!((0.23..0.27).contains(&moved), "{moved}");
        assert!(changed.iter().all(|p| p.terminal < 630));
    }

    #[test]
    fn fraud_moves_from_terminals_to_customers() {
        let share = |payments: &[Payment], scenario: u8| {
            payments.iter().filter(|p| p.scenario == scenario).count() as f64 / payments.len() as f64
        };
        let (plain, changed) = (halves(None).1, halves(Some(ChangeKind::Pattern)).1);
        assert!(share(&plain, 2) > 0.0 && share(&changed, 2) == 0.0);
        assert!(share(&changed, 3) > 2.0 * share(&plain, 3));
    }

    #[test]
    fn labels_stop_and_payments_go_on() {
        let params = params(Some(ChangeKind::Labels));
        let stop_ms = params.start_ms + i64::from(DAY) * DAY_MS;
        let mut events = stream(&params);
        let promised = events.len();
        let all: Vec<Event> = events.by_ref().collect();
        assert_eq!(all.len(), promised);
        let labels = all.iter().filter(|e| matches!(e, Event::Label(_)));
        assert!(labels.clone().count() > 0 && labels.into_iter().all(|l| l.record_time_ms() < stop_ms));
        assert_eq!(all.iter().filter(|e| matches!(e, Event::Payment(_))).count(), events.payments().len());
    }
}

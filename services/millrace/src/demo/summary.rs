//! What the demo says at its end: rows, latency, and how well the scores told frauds from genuine payments.

use anyhow::Result;
use millrace_load::evaluation::{Scored, ScoredCard, average_precision, card_precision, roc_auc};
use millrace_load::fraud::{Params, Stream};
use serde::Serialize;

use super::latency::Percentiles;
use super::observer::Scores;
use super::watched::Watched;
use crate::text::thousands;

/// From this day on every window of the features is full: 30 days and a delay of 7.
const WARM_DAY: i64 = 38;
const CARDS: usize = 100;

/// The summary; serialised as it is by `--json`. What is not defined is null: quality without any fraud (or, for AUC,
/// without any genuine payment), such as before day 38 for the warm ones; latency where no payment was left to measure.
#[derive(Debug, Serialize)]
pub struct Summary {
    transactions: u64,
    predictions: u64,
    rejected: u64,
    features_per_s: f64,
    latency_ms: Option<Percentiles>,
    auc_roc: Option<f64>,
    average_precision: Option<f64>,
    card_precision_100: Option<f64>,
    auc_roc_warm: Option<f64>,
    average_precision_warm: Option<f64>,
    card_precision_100_warm: Option<f64>,
    #[serde(skip)]
    ahead: usize,
    #[serde(skip)]
    features: u64,
    #[serde(skip)]
    seconds: f64,
    #[serde(skip)]
    alerts: (u64, u64),
    /// The day from which on the planted change holds, from 0; none was planted otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    change_day: Option<u32>,
    /// What the drift service said.
    drift: Watched,
}

impl Summary {
    /// Judges the scores against the true labels. `ahead`: payments whose latency was not measured.
    pub fn new(params: &Params, stream: &Stream, scores: &Scores, ahead: usize) -> Self {
        let rows: Vec<ScoredCard> = stream
            .payments()
            .iter()
            .zip(&scores.score)
            .filter(|(_, score)| score.is_finite())
            .map(|(payment, score)| ScoredCard {
                day: payment.day(params),
                customer: payment.customer,
                scored: Scored { score: *score, fraud: payment.fraud },
            })
            .collect();
        let warm: Vec<ScoredCard> = rows.iter().copied().filter(|row| row.day >= WARM_DAY).collect();
        let quality = |rows: &[ScoredCard]| {
            let scored: Vec<Scored> = rows.iter().map(|row| row.scored).collect();
            (roc_auc(&scored), average_precision(&scored), card_precision(rows, CARDS))
        };
        let (all, warm) = (quality(&rows), quality(&warm));
        Self {
            transactions: stream.payments().len() as u64,
            predictions: scores.predictions,
            rejected: scores.rejected,
            features_per_s: scores.features as f64 / scores.seconds.max(1e-9),
            latency_ms: scores.latency.percentiles(),
            auc_roc: all.0,
            average_precision: all.1,
            card_precision_100: all.2,
            auc_roc_warm: warm.0,
            average_precision_warm: warm.1,
            card_precision_100_warm: warm.2,
            ahead,
            features: scores.features,
            seconds: scores.seconds,
            alerts: scores.alerts,
            change_day: params.change.map(|change| change.from_day),
            drift: scores.watched.clone(),
        }
    }

    /// Prints the summary for a person, and with `json` one object in the last line.
    pub fn print(&self, json: bool) -> Result<()> {
        println!("\n{}", self.text());
        for line in self.drift.summary() {
            println!("{line}");
        }
        if json {
            println!("{}", serde_json::to_string(self)?);
        }
        Ok(())
    }

    fn text(&self) -> String {
        let figure = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.3}"));
        let latency = self.latency_ms.map_or_else(
            || "-".to_owned(),
            |p| format!("p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms", p.p50, p.p99, p.p999),
        );
        let quality = |auc, ap, cp| format!("{:>8}  {:>17}  {:>6}", figure(auc), figure(ap), figure(cp));
        format!(
            "{} payments in, {} feature rows, {} predictions, {} rejected in {:.1} s: {} payments/s\n\
             latency from publishing a payment to reading its prediction, at full speed: {latency}\n\
             (not of the first {}, which were sent ahead and met the services as they started)\n\
             {} alerts, {} of them frauds\n\n\
             {:30}AUC ROC  average precision  CP@100\n\
             {:29}{}\n\
             {:29}{}",
            thousands(self.transactions),
            thousands(self.features),
            thousands(self.predictions),
            thousands(self.rejected),
            self.seconds,
            thousands(self.features_per_s as u64),
            thousands(self.ahead as u64),
            thousands(self.alerts.0),
            thousands(self.alerts.1),
            "",
            "all payments",
            quality(self.auc_roc, self.average_precision, self.card_precision_100),
            format!("from day {WARM_DAY} on (windows full)"),
            quality(self.auc_roc_warm, self.average_precision_warm, self.card_precision_100_warm),
        )
    }
}

#[cfg(test)]
mod tests {
    use millrace_load::fraud::stream;

    use super::*;

    #[test]
    fn what_few_payments_without_a_fraud_cannot_tell_is_null() {
        let params = Params { customers: 50, terminals: 100, radius: 30.0, days: 2, ..Params::default() };
        let stream = stream(&params).limit(5);
        assert!(stream.payments().iter().all(|payment| !payment.fraud));
        let scores = Scores { score: vec![0.5; 5], predictions: 5, ..Scores::default() };
        let summary = serde_json::to_value(Summary::new(&params, &stream, &scores, 3)).unwrap();
        let null: Vec<&str> = summary
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, v)| v.is_null())
            .map(|(k, _)| k.as_str())
            .collect();
        let undefined = [
            "latency_ms",
            "auc_roc",
            "average_precision",
            "card_precision_100",
            "auc_roc_warm",
            "average_precision_warm",
            "card_precision_100_warm",
        ];
        assert!(
            undefined.iter().all(|name| null.contains(name)) && null.len() == undefined.len(),
            "{null:?}"
        );
    }

    #[test]
    fn the_summary_says_which_payments_were_not_measured() {
        let params = Params { customers: 50, terminals: 100, radius: 30.0, days: 2, ..Params::default() };
        let stream = stream(&params).limit(5);
        let scores = Scores { score: vec![0.5; 5], ..Scores::default() };
        let text = Summary::new(&params, &stream, &scores, 3).text();
        assert!(text.contains("at full speed: -\n(not of the first 3, which"), "{text}");
    }
}

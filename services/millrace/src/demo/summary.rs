//! What the demo says at its end: rows, latency, and how well the scores told frauds from genuine payments.

use anyhow::Result;
use millrace_load::evaluation::{Scored, ScoredCard, average_precision, card_precision, roc_auc};
use millrace_load::fraud::{Params, Stream};
use serde::Serialize;

use super::latency::Percentiles;
use super::observer::Scores;
use crate::text::thousands;

/// From this day on every window of the features is full: 30 days and a delay of 7.
const WARM_DAY: i64 = 38;
const CARDS: usize = 100;

/// The summary; serialised as it is by `--json`. Quality is null where it is not defined, such as before day 38.
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
    features: u64,
    #[serde(skip)]
    seconds: f64,
    #[serde(skip)]
    alerts: (u64, u64),
}

impl Summary {
    /// Judges the scores against the true labels.
    pub fn new(params: &Params, stream: &Stream, scores: &Scores) -> Self {
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
            features: scores.features,
            seconds: scores.seconds,
            alerts: scores.alerts,
        }
    }

    /// Prints the summary for a person, and with `json` one object in the last line.
    pub fn print(&self, json: bool) -> Result<()> {
        println!("\n{}", self.text());
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

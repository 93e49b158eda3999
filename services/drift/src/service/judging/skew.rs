//! Served rows against recomputed ones.

use millrace_schemas::envelope::{DriftEvent, DriftKind, Subject};
use millrace_statistics::performance::interval::{Z, wilson};

use super::Judging;
use crate::judge::About;
use crate::service::report::Said;
use crate::service::skew::{ColumnCounts, RowCounts, SkewCounts};
use crate::window::WHOLE;

/// How the values were come by.
const METHOD: &str = "recomputed";

impl Judging {
    /// Says which columns of a window were not served as the log gives them, and whether rows were served that the log
    /// does not give, or not served: a finding for each, drifted or not, and a summary with all shares.
    pub(super) fn skew(&self, about: &About, counts: &SkewCounts, said: &mut Said) {
        let Some(table) = self.table.skew else { return };
        let about = About {
            subject: Subject::Skew,
            reference: "the rows that the log gives".to_owned(),
            ..about.clone()
        };
        let mut summary = about.event(DriftKind::Summary, Subject::Skew, WHOLE, METHOD);
        let (mut differing, mut both) = (0, 0);
        for (name, column) in &counts.columns {
            let mut finding = finding(&about, name, column, table.tolerated);
            finding.drifted &= !self.too_early(about.start_ms);
            differing += u32::from(finding.drifted);
            summary.values.insert(format!("mismatch[{name}]"), finding.effect.unwrap_or_default());
            finding.seal();
            said.events.push(finding);
        }
        for (key, rows) in &counts.rows {
            both += rows.both;
            let sides = [
                ("rows", rows.both),
                ("only_served", rows.only_served),
                ("only_recomputed", rows.only_recomputed),
            ];
            for (what, count) in sides {
                summary.values.insert(format!("{what}[{key}]"), count as f64);
            }
            for (what, count) in &sides[1..] {
                let mut finding = of_rows(&about, (what, key), (*count, rows), table.tolerated);
                finding.drifted &= !self.too_early(about.start_ms);
                finding.seal();
                said.events.push(finding);
            }
        }
        summary.rows = i64::try_from(both).unwrap_or(i64::MAX);
        summary.values.insert("columns".into(), counts.columns.len() as f64);
        summary.values.insert("columns_differing".into(), f64::from(differing));
        summary.detail = match counts.columns.is_empty() {
            true => "No sampled row could be compared with what the log gives.".to_owned(),
            false => format!(
                "{differing} of {} columns were served otherwise than the log gives them, in {both} sampled rows.",
                counts.columns.len()
            ),
        };
        summary.seal();
        said.events.push(summary);
    }
}

/// A column has drifted where the share of rows that differ lies above what is tolerated with 95 % confidence.
fn finding(about: &About, name: &str, column: &ColumnCounts, tolerated: f64) -> DriftEvent {
    let mut event = about.event(DriftKind::Finding, Subject::Skew, WHOLE, METHOD);
    let share = column.mismatches as f64 / column.rows.max(1) as f64;
    let interval = wilson(column.mismatches as f64, column.rows.max(1) as f64, Z);
    // Where nothing is tolerated, any difference is too many.
    let threshold = tolerated.max(f64::MIN_POSITIVE);
    event.column = Some(name.to_owned());
    event.statistic = Some(column.mismatches as f64);
    (event.effect, event.threshold) = (Some(share), Some(threshold));
    (event.low, event.high) = (Some(interval.low), Some(interval.high));
    event.rows = i64::try_from(column.rows).unwrap_or(i64::MAX);
    event.reference_rows = event.rows;
    event.drifted = column.mismatches > 0 && interval.low > tolerated;
    event.severity = if event.drifted { share / threshold } else { 0.0 };
    for (what, count) in [
        ("mismatches", column.mismatches),
        ("null_served", column.null_served),
        ("null_recomputed", column.null_recomputed),
    ] {
        event.values.insert(what.to_owned(), count as f64);
    }
    let largest = column.largest().filter(|largest| largest.is_finite());
    event.values.extend(largest.map(|largest| ("largest_difference".to_owned(), largest)));
    event.detail = detail(name, column, share, largest);
    event
}

/// Rows on one side alone, as columns are judged. The key that rows are sampled by is part of the method: each has its
/// own.
fn of_rows(
    about: &About,
    (what, key): (&str, &str),
    (count, rows): (u64, &RowCounts),
    tolerated: f64,
) -> DriftEvent {
    let mut event = about.event(DriftKind::Finding, Subject::Skew, WHOLE, &format!("{what}[{key}]"));
    let all = rows.both + rows.only_served + rows.only_recomputed;
    let share = count as f64 / all.max(1) as f64;
    let interval = wilson(count as f64, all.max(1) as f64, Z);
    let threshold = tolerated.max(f64::MIN_POSITIVE);
    event.statistic = Some(count as f64);
    (event.effect, event.threshold) = (Some(share), Some(threshold));
    (event.low, event.high) = (Some(interval.low), Some(interval.high));
    event.rows = i64::try_from(all).unwrap_or(i64::MAX);
    event.reference_rows = event.rows;
    event.drifted = count > 0 && interval.low > tolerated;
    event.severity = if event.drifted { share / threshold } else { 0.0 };
    let told = if what == "only_served" {
        "were served and the log does not give them"
    } else {
        "are in the log and were not served"
    };
    event.detail = format!("{count} of {all} rows sampled by {key} ({:.1} %) {told}.", 100.0 * share);
    event
}

fn detail(name: &str, column: &ColumnCounts, share: f64, largest: Option<f64>) -> String {
    let mut text = format!(
        "{name} was served otherwise than the log gives it in {} of {} sampled rows ({:.1} %)",
        column.mismatches,
        column.rows,
        100.0 * share
    );
    if let Some(largest) = largest {
        text.push_str(&format!(", by up to {largest}"));
    }
    for (side, count) in [("served", column.null_served), ("recomputed", column.null_recomputed)] {
        if count > 0 {
            text.push_str(&format!("; {count} lack the {side} value"));
        }
    }
    text.push('.');
    text
}

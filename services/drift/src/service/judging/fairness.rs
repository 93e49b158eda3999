//! Differences between groups that must be treated alike.

use std::collections::BTreeMap;

use millrace_schemas::envelope::{DriftEvent, DriftKind, Subject};
use millrace_statistics::performance::{Estimate, binary, fairness};

use super::{Judging, ModelFacts};
use crate::judge::About;
use crate::service::join::{Content, Counts};
use crate::service::report::Said;
use crate::window::{WHOLE, segment_name};

impl Judging {
    /// Differences between declared groups: into the summary, and as findings where the topic file says from which
    /// difference on.
    pub(super) fn fairness(
        &self,
        about: &About,
        facts: &ModelFacts,
        segments: &BTreeMap<&str, &Content>,
        (judged, summary): (bool, &mut DriftEvent),
        said: &mut Said,
    ) {
        let Some(threshold) = facts.threshold else { return };
        for column in &self.table.groups {
            let groups = groups(column, threshold, segments);
            let differences = [
                ("demographic_parity", fairness::demographic_parity(&groups)),
                ("equal_opportunity", fairness::equal_opportunity(&groups)),
                ("equalised_odds", fairness::equalised_odds(&groups)),
            ];
            for (name, difference) in differences {
                let Ok(difference) = difference else { continue };
                let estimate = difference.estimate;
                summary.values.insert(format!("{name}[{column}]"), estimate.value);
                summary.values.insert(format!("{name}.low[{column}]"), estimate.interval.low);
                summary.values.insert(format!("{name}.high[{column}]"), estimate.interval.high);
                if let Some(bound) = self.table.fairness.filter(|_| judged && estimate.is_enough()) {
                    let mut finding = finding(about, (name, column), estimate, bound);
                    finding.detail = format!(
                        "{name} differs by {:.3} ({:.3} to {:.3}) between the groups of {column}; {bound} is allowed",
                        estimate.value, estimate.interval.low, estimate.interval.high
                    );
                    finding.seal();
                    said.events.push(finding);
                }
            }
        }
    }
}

fn groups(
    column: &str,
    threshold: f64,
    segments: &BTreeMap<&str, &Content>,
) -> BTreeMap<String, binary::Confusion> {
    let prefix = segment_name(column, Some(""));
    let group = |(segment, content): (&&str, &&Content)| {
        let Counts::Binary(counts) = &content.counts else { return None };
        let value = segment.strip_prefix(&prefix)?;
        Some((value.to_owned(), binary::Confusion::at(counts, threshold)))
    };
    segments.iter().filter_map(group).collect()
}

/// Groups are treated otherwise where the difference lies above the bound with its whole interval.
fn finding(about: &About, (name, column): (&str, &String), estimate: Estimate, bound: f64) -> DriftEvent {
    let mut event = about.event(DriftKind::Finding, Subject::Fairness, WHOLE, name);
    event.column = Some(column.clone());
    event.statistic = Some(estimate.value);
    (event.low, event.high) = (Some(estimate.interval.low), Some(estimate.interval.high));
    let threshold = bound.max(f64::MIN_POSITIVE);
    (event.effect, event.threshold) = (Some(estimate.value), Some(threshold));
    event.rows = i64::try_from(estimate.support).unwrap_or(i64::MAX);
    event.reference = "the other groups".to_owned();
    event.drifted = estimate.interval.low > bound;
    event.severity = if event.drifted { estimate.value / threshold } else { 0.0 };
    event
}

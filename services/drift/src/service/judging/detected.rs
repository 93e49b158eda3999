//! What detectors of single rows, and of errors, signalled in a window.

use std::collections::{BTreeMap, BTreeSet};

use millrace_schemas::envelope::{DriftEvent, DriftKind, DriftStatus, Subject};
use millrace_topics::Watches;

use super::Judging;
use crate::judge::About;
use crate::service::detect::{Declared, detects_of, of_errors};
use crate::service::judge_outcomes::KnownOutcomes;
use crate::service::judge_rows::Detected;
use crate::service::notes::Maker;
use crate::service::report::Said;
use crate::window::WHOLE;

impl Judging {
    /// A finding for each detector of a topic's rows: how often it signalled a change, in all partitions.
    pub(super) fn detected<'d>(
        &self,
        about: &About,
        maker: Option<&Maker>,
        signals: impl Iterator<Item = &'d Detected> + Clone,
        said: &mut Said,
    ) {
        for declared in detects_of(&self.detectors, maker.is_some()) {
            let of =
                |signal: &&Detected| signal.detector == declared.table.name && signal.maker.as_ref() == maker;
            let mut partitions: BTreeMap<i32, u32> = BTreeMap::new();
            signals
                .clone()
                .filter(of)
                .for_each(|signal| *partitions.entry(signal.partition).or_default() += 1);
            let first = signals
                .clone()
                .filter(of)
                .map(|signal| (signal.time_ms, signal.partition, signal.offset))
                .min();
            let column = match &declared.table.watches {
                Watches::Rows(column) => column,
                _ => "score",
            };
            let about = About { reference: "the rows before, in each partition".to_owned(), ..about.clone() };
            let mut event = self.signalled(&about, &declared, column, &partitions);
            if let Some((_, partition, offset)) = first {
                event.detail = format!(
                    "{} on single rows signals a change, in {} of the partitions; first at offset {offset} of partition {partition}.",
                    declared.table.method,
                    partitions.len()
                );
            }
            event.seal();
            said.events.push(event);
        }
    }

    /// A finding for each detector of errors and each model that answers, with the window that ends now: labels that came
    /// in since the one before, whenever the predictions were. Nothing of that changes any more.
    pub(super) fn errors(&self, known: &KnownOutcomes, said: &mut Said) {
        let topic = self.table.predictions.clone().unwrap_or_default();
        // Who signals may not have predicted in the window that ends now.
        let signalled = known.signals.keys().map(|(_, maker, _)| maker);
        let makers: BTreeSet<&Maker> =
            known.contents.keys().map(|(maker, _)| maker).chain(signalled).filter(|m| m.serving).collect();
        for declared in of_errors(&self.detectors) {
            for maker in &makers {
                let about = About {
                    model: Some(maker.model.clone()),
                    version: Some(maker.version.clone()),
                    arm: Some(maker.arm.clone()),
                    reference: "the decisions before, as their labels came in".to_owned(),
                    ..self.about(&topic, known.window, DriftStatus::Final)
                };
                let of = |((detector, of, _), _): &(&(String, Maker, i32), &u32)| {
                    *detector == declared.table.name && of == *maker
                };
                let partitions =
                    known.signals.iter().filter(of).map(|((_, _, partition), count)| (*partition, *count));
                let partitions: BTreeMap<i32, u32> = partitions.collect();
                let mut event = self.signalled(&about, &declared, "error", &partitions);
                if event.effect > Some(0.0) {
                    event.detail = format!(
                        "{} on wrong and right decisions signals a change, in {} of the partitions.",
                        declared.table.method,
                        partitions.len()
                    );
                }
                event.seal();
                said.events.push(event);
            }
        }
    }

    /// How often a detector signalled, by partition.
    fn signalled(
        &self,
        about: &About,
        declared: &Declared,
        column: &str,
        partitions: &BTreeMap<i32, u32>,
    ) -> DriftEvent {
        let count: u32 = partitions.values().sum();
        let mut event = about.event(DriftKind::Finding, Subject::Detector, WHOLE, &declared.method());
        event.column = Some(column.to_owned());
        (event.statistic, event.effect) = (Some(f64::from(count)), Some(f64::from(count)));
        event.threshold = Some(1.0);
        event.drifted = count > 0 && !self.too_early(about.start_ms);
        event.severity = if event.drifted { f64::from(count) } else { 0.0 };
        let of_partition =
            |(partition, count): (&i32, &u32)| (format!("partition_{partition}"), f64::from(*count));
        event.values = partitions.iter().map(of_partition).collect();
        event
    }
}

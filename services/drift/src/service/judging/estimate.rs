//! Performance before labels come, from scores alone.
//!
//! Binary scores, and those of a decision among several classes, are taken for probabilities once the outcomes of the
//! reference have calibrated them (CBPE). Of regressions a second model learns, on the reference, how large the error is
//! for a prediction of a size (direct loss estimation). Both assume that outcomes depend on what the model sees as they
//! did in the reference, so an estimate never alarms and never asks for a training; the metric itself is set beside it
//! once it is known.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use millrace_schemas::envelope::{DriftEvent, DriftKind, DriftStatus, Subject};
use millrace_statistics::performance::estimated::{Cbpe, Isotonic, LossModel};
use millrace_statistics::performance::{Measured, ScoreCounts};
use millrace_statistics::sample::Sample;
use millrace_topics::TaskKind;

use super::{Judging, ModelFacts};
use crate::judge::About;
use crate::reference::{Reference, Scores};
use crate::service::join::Content;
use crate::service::judge_outcomes::KnownOutcomes;
use crate::window::WHOLE;

/// What the reference of a model version teaches about its scores in a segment.
pub enum Learnt {
    /// From score to probability.
    Probability(Isotonic),
    /// From prediction to absolute and to squared error.
    Loss(Box<(LossModel, LossModel)>),
}

/// By model, version and segment; none: the reference teaches nothing.
pub type AllLearnt = BTreeMap<(String, String, String), Option<Arc<Learnt>>>;

/// What every estimate says of itself.
const ASSUMES: &str = "An estimate without labels: it assumes that outcomes still depend on what the model sees as in its reference.";

impl Judging {
    /// Estimates beside the metrics of a window, and the event that publishes them: when the window ends, and once it is
    /// settled.
    pub(super) fn estimate(
        &self,
        known: &KnownOutcomes,
        about: &About,
        segments: &BTreeMap<&str, &Content>,
        performance: &mut DriftEvent,
    ) -> Option<DriftEvent> {
        let mut estimate = None;
        for (segment, content) in segments {
            let scores = content.scores.ascending().map(|(score, count)| (score, count.rows()));
            let estimates = self.estimated(about, segment, &Sample::of_counts(scores));
            for (name, measured) in estimates {
                let Ok(measured) = measured else { continue };
                let event = estimate.get_or_insert_with(|| event(about));
                for values in [&mut performance.values, &mut event.values] {
                    values.insert(named(&format!("estimated_{name}"), segment), measured.value);
                    values.insert(named(&format!("estimated_{name}.low"), segment), measured.interval.low);
                    values.insert(named(&format!("estimated_{name}.high"), segment), measured.interval.high);
                }
                if *segment == WHOLE {
                    event.rows = i64::try_from(content.predictions).unwrap_or(i64::MAX);
                }
            }
        }
        let told = known.ends_now || !known.provisional && known.revision == 0;
        let mut event = estimate.filter(|_| told)?;
        if known.provisional {
            event.status = DriftStatus::Provisional;
        }
        event.seal();
        Some(event)
    }

    /// Estimates of a window's predictions where no labels are declared: from what is kept of their scores.
    pub(super) fn estimate_of_scores(
        &self,
        about: &About,
        segments: &[(String, Sample, u64)],
    ) -> Option<DriftEvent> {
        let mut estimate = None;
        for (segment, scores, rows) in segments {
            for (name, measured) in self.estimated(about, segment, scores) {
                let Ok(measured) = measured else { continue };
                let event = estimate.get_or_insert_with(|| event(about));
                event.values.insert(named(&format!("estimated_{name}"), segment), measured.value);
                event.values.insert(named(&format!("estimated_{name}.low"), segment), measured.interval.low);
                event
                    .values
                    .insert(named(&format!("estimated_{name}.high"), segment), measured.interval.high);
                if segment == WHOLE {
                    event.rows = i64::try_from(*rows).unwrap_or(i64::MAX);
                }
            }
        }
        if let Some(event) = &mut estimate {
            event.seal();
        }
        estimate
    }

    fn estimated(&self, about: &About, segment: &str, scores: &Sample) -> Vec<(&'static str, Measured)> {
        let (Some(model), Some(version)) = (&about.model, &about.version) else { return Vec::new() };
        let facts = self.models.facts(model, version);
        match self.learnt(model, version, segment).as_deref() {
            Some(Learnt::Probability(calibrator)) => {
                probabilities(self.table.task, scores, &facts, calibrator)
            }
            Some(Learnt::Loss(models)) => losses(scores, models),
            None => Vec::new(),
        }
    }

    /// What the reference teaches, learnt once.
    fn learnt(&self, model: &str, version: &str, segment: &str) -> Option<Arc<Learnt>> {
        let mut all = self.learnt.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (model.to_owned(), version.to_owned(), segment.to_owned());
        let learn = || {
            let loaded = self.models.reference(model, version).ok().flatten()?;
            let scores = scores_of(&loaded.reference, segment)?;
            learn(self.table.task, &scores).map(Arc::new)
        };
        all.entry(key).or_insert_with(learn).clone()
    }
}

/// The reference's scores of a segment; of all rows where it keeps none of the segment.
fn scores_of(reference: &Reference, segment: &str) -> Option<Scores> {
    reference.scores(segment).filter(|scores| scores.labelled() > 0).or_else(|| reference.scores(WHOLE))
}

fn learn(task: TaskKind, scores: &Scores) -> Option<Learnt> {
    let labelled = || scores.sample().filter(|row| !row.label.is_nan() && row.score.is_finite());
    match task {
        TaskKind::Binary | TaskKind::Multiclass => {
            // Of several classes, the reference's label says whether the decision was right.
            if labelled().any(|row| row.label != 0.0 && row.label != 1.0) {
                return None;
            }
            let counts = ScoreCounts::of(labelled().map(|row| (row.score, row.label == 1.0)));
            Isotonic::fit(&counts).map(Learnt::Probability)
        }
        TaskKind::Regression => {
            let scores: Vec<f64> = labelled().map(|row| row.score).collect();
            let errors: Vec<f64> = labelled().map(|row| (row.score - row.label).abs()).collect();
            let squares: Vec<f64> = errors.iter().map(|error| error * error).collect();
            let absolute = LossModel::fit(&scores, 1, &errors).ok()?;
            let squared = LossModel::fit(&scores, 1, &squares).ok()?;
            Some(Learnt::Loss(Box::new((absolute, squared))))
        }
        TaskKind::Ranking => None,
    }
}

fn probabilities(
    task: TaskKind,
    scores: &Sample,
    facts: &ModelFacts,
    calibrator: &Isotonic,
) -> Vec<(&'static str, Measured)> {
    // Whatever is decided for counts as right with its probability: all rows are taken for positive.
    let threshold = match task {
        TaskKind::Multiclass => Some(f64::MIN),
        _ => facts.threshold,
    };
    let Ok(cbpe) = Cbpe::of(scores, threshold.unwrap_or(0.5), Some(calibrator)) else { return Vec::new() };
    if task == TaskKind::Multiclass {
        return vec![("accuracy", cbpe.precision())];
    }
    let mut all = vec![("auc_roc", cbpe.auc()), ("average_precision", cbpe.average_precision())];
    if threshold.is_some() {
        all.extend([("precision", cbpe.precision()), ("recall", cbpe.recall()), ("f1", cbpe.f1())]);
    }
    all
}

fn losses(scores: &Sample, (absolute, squared): &(LossModel, LossModel)) -> Vec<(&'static str, Measured)> {
    let rows: Vec<[f64; 1]> = scores.expanded().map(|score| [score]).collect();
    let rows = || rows.iter().map(<[f64; 1]>::as_slice);
    vec![("mae", absolute.mean_loss(rows())), ("rmse", squared.root_mean_loss(rows()))]
}

fn event(about: &About) -> DriftEvent {
    let about = About {
        subject: Subject::Estimate,
        reference: "the reference's scores with labels".into(),
        ..about.clone()
    };
    let mut event = about.event(DriftKind::Summary, Subject::Estimate, WHOLE, "estimate");
    event.detail = ASSUMES.to_owned();
    event
}

fn named(what: &str, segment: &str) -> String {
    if segment == WHOLE { what.to_owned() } else { format!("{what}[{segment}]") }
}

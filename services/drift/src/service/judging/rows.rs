//! Windows of rows: features and predictions.

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace_schemas::envelope::{DriftEvent, DriftKind, DriftStatus, Subject};
use millrace_statistics::sample::Sample;
use millrace_topics::{ReferenceTable, Watches};

use super::models::{Loaded, conventional};
use super::{Judging, status};
use crate::judge::{About, Inputs, Measure, Options, Stream as Topic, Thresholds, judge_window};
use crate::profile::{Column, Kind, Profile};
use crate::reference::{Reference, of_scores};
use crate::service::Error;
use crate::service::judge_rows::{ClosedRows, Profiles};
use crate::service::notes::Maker;
use crate::service::report::Said;
use crate::service::stream::Stream;
use crate::window::{WHOLE, WindowSpec};

/// The profiles of one topic and maker, by segment.
type Segments = BTreeMap<String, Profile>;

impl Judging {
    /// Judges a window of rows.
    pub fn rows(&self, mut closed: ClosedRows) -> Result<Said, Error> {
        let before = closed.before.take().map(|(window, profiles)| (window, groups_of(profiles)));
        let groups = groups_of(std::mem::take(&mut closed.profiles));
        let served = self.served(&groups);
        let mut said =
            Said { served: served.clone().map(|maker| (maker.model, maker.version)), ..Said::default() };
        let of_place = |stream: &&Arc<Stream>| closed.place.as_ref().is_none_or(|p| p.topic == stream.stem);
        for stream in self.streams.iter().filter(of_place) {
            let makers: Vec<Option<Maker>> = match &stream.predictions {
                Some(_) => {
                    groups.keys().filter(|(topic, _)| *topic == stream.stem).map(|(_, m)| m.clone()).collect()
                }
                None => vec![None],
            };
            for maker in makers {
                let key = (stream.stem.clone(), maker.clone());
                let empty = Segments::new();
                let current = groups.get(&key).unwrap_or(&empty);
                let about = self.about_rows(stream, &closed, maker.as_ref().or(served.as_ref()));
                let loaded = match &before {
                    _ if self.table.reference != ReferenceTable::Previous => {
                        self.loaded(stream, maker.as_ref().or(served.as_ref()))?
                    }
                    Some((window, groups)) => groups.get(&key).map(|segments| {
                        Arc::new(previous(Reference::before(
                            &stream.plan,
                            (*window).into(),
                            segments.clone(),
                        )))
                    }),
                    None => None,
                };
                if !closed.provisional {
                    let signals = closed.detected.iter().filter(|signal| signal.topic == stream.stem);
                    self.detected(&about, maker.as_ref(), signals, &mut said);
                    self.means(stream, current, &mut said);
                }
                self.judge(stream, about.clone(), current, loaded.as_deref(), &mut said);
                if let Some(skew) = closed.skew.as_ref().filter(|_| stream.predictions.is_none()) {
                    self.skew(&about, skew, &mut said);
                }
                if stream.predictions.is_some() && self.table.labels.is_none() && !closed.provisional {
                    said.events.extend(self.estimate_of_rows(&about, current));
                }
            }
        }
        Ok(said)
    }

    /// Means that detectors of windows watch.
    fn means(&self, stream: &Stream, current: &Segments, said: &mut Said) {
        let Some(whole) = current.get(WHOLE).filter(|_| stream.predictions.is_none()) else { return };
        for declared in self.detectors.iter() {
            let Watches::Mean(name) = &declared.table.watches else { continue };
            let column = whole.columns().find(|column| column.plan().name == *name);
            said.means.extend(column.and_then(mean).map(|mean| (name.clone(), mean)));
        }
    }

    /// Without labels, what performance is estimated to be is all that is known of it.
    fn estimate_of_rows(&self, about: &About, current: &Segments) -> Option<DriftEvent> {
        let scores = |(segment, profile): (&'_ String, &'_ Profile)| {
            let column = profile.columns().find(|column| column.plan().name == "score")?;
            Some((segment.clone(), column.numbers()?.0, profile.rows()))
        };
        let scores: Vec<(String, Sample, u64)> = current.iter().filter_map(scores).collect();
        self.estimate_of_scores(about, &scores)
    }

    /// Whoever answered most in the window: whose reference its features are compared with.
    fn served(&self, groups: &BTreeMap<(String, Option<Maker>), Segments>) -> Option<Maker> {
        let rows = |segments: &Segments| segments.get(WHOLE).map_or(0, Profile::rows);
        let makers =
            groups.iter().filter_map(|((_, maker), segments)| Some((maker.as_ref()?, rows(segments))));
        let serving = makers.filter(|(maker, _)| maker.serving);
        serving.max_by_key(|(maker, rows)| (*rows, std::cmp::Reverse(*maker))).map(|(maker, _)| maker.clone())
    }

    fn about_rows(&self, stream: &Stream, closed: &ClosedRows, maker: Option<&Maker>) -> About {
        let predictions = stream.predictions.is_some();
        let about = self.about(&stream.stem, closed.window, status(closed.provisional, 0));
        // Windows of rows of two partitions may have the same bounds, and are two windows all the same.
        let of = closed.place.as_ref().map(|place| format!(" of partition {}", place.partition));
        About {
            window: format!("{}{}", about.window, of.unwrap_or_default()),
            subject: if predictions { Subject::Prediction } else { Subject::Data },
            model: maker.map(|maker| maker.model.clone()),
            version: maker.map(|maker| maker.version.clone()),
            arm: maker.filter(|_| predictions).map(|maker| maker.arm.clone()),
            ..about
        }
    }

    fn loaded(&self, stream: &Stream, maker: Option<&Maker>) -> Result<Option<Arc<Loaded>>, Error> {
        let found = match (self.table.reference, maker) {
            (ReferenceTable::Range { .. }, _) => self.models.own_reference()?,
            (_, Some(maker)) => self.models.reference(&maker.model, &maker.version)?,
            // Windows of rows are of features alone: nobody is known to have served them.
            (_, None) => match &self.first {
                Some((model, version)) if matches!(self.windows, WindowSpec::Rows { .. }) => {
                    self.models.reference(model, version)?
                }
                _ => self.models.own_reference()?,
            },
        };
        match (&stream.predictions, found) {
            (Some(_), Some(found)) => {
                found.scores(&stream.stem, |reference, thresholds| scores(stream, reference, thresholds))
            }
            (None, found) => Ok(found),
            (Some(_), None) => Ok(None),
        }
    }

    fn judge(
        &self,
        stream: &Stream,
        mut about: About,
        current: &Segments,
        loaded: Option<&Loaded>,
        said: &mut Said,
    ) {
        let early = self.too_early(about.start_ms);
        let Some(loaded) = loaded.filter(|_| !early) else {
            let mut summary = about.event(DriftKind::Summary, Subject::Dataset, WHOLE, "window");
            summary.rows =
                current.get(WHOLE).map_or(0, |whole| i64::try_from(whole.rows()).unwrap_or(i64::MAX));
            summary.detail = match early {
                true => format!("{}: not judged, it lies before judge_from", stream.stem),
                false => format!("{}: there is no reference, so nothing is judged", stream.stem),
            };
            said.events.push(summary);
            return;
        };
        about.reference = loaded.reference.source.clone();
        let window = crate::window::Window { start_ms: about.start_ms, end_ms: about.end_ms, number: 0 };
        // All columns together cost more than all the rest: what is provisional can wait for them.
        let joint = self.options.joint && about.status != DriftStatus::Provisional;
        let options = Options { joint, ..self.options.clone() };
        let inputs = Inputs {
            about: &about,
            against: &loaded.against(self.season, window),
            current,
            thresholds: &loaded.thresholds,
            quality: stream.predictions.is_none().then_some(&loaded.quality),
            stream: Topic::default(),
            support: loaded.support.as_ref(),
            options: &options,
        };
        let judgement = judge_window(&inputs);
        said.events.extend(judgement.findings);
        said.events.push(judgement.summary);
    }
}

/// The mean of a numeric column, the share of rows that are true of a boolean one.
fn mean(column: Column<'_>) -> Option<f64> {
    if let Some((numbers, _)) = column.numbers() {
        return numbers.mean();
    }
    let counts = column.categories()?.counts;
    let of = |name: &str| counts.get(name).copied().unwrap_or_default() as f64;
    let (yes, no) = (of("true"), of("false"));
    (column.kind() == Kind::Boolean && yes + no > 0.0).then(|| yes / (yes + no))
}

fn groups_of(profiles: Profiles) -> BTreeMap<(String, Option<Maker>), Segments> {
    let mut groups: BTreeMap<(String, Option<Maker>), Segments> = BTreeMap::new();
    for ((topic, maker, segment), profile) in profiles {
        groups.entry((topic, maker)).or_default().insert(segment, profile);
    }
    groups
}

/// Thresholds without those of measures that need to know every value of the reference, which a window's plan does not.
pub fn of_window_before(mut thresholds: Thresholds) -> Thresholds {
    thresholds.bounds.retain(|key, _| !matches!(key.measure, Measure::NewValues | Measure::Outside));
    thresholds
}

/// The window before as a reference, judged by convention: nothing can be calibrated on it.
fn previous(reference: Reference) -> Loaded {
    let thresholds = of_window_before(conventional(&reference));
    Loaded::new(reference, thresholds, crate::reference::Quality::default(), None)
}

/// The scores that a reference keeps, as profiles of the prediction topic's plan; none: it keeps none.
fn scores(stream: &Stream, reference: &Reference, thresholds: &Thresholds) -> Result<Option<Loaded>, Error> {
    let scores = of_scores(reference, &stream.plan).map_err(|error| Error::Internal(error.to_string()))?;
    let of = |scores: Reference| {
        let rows =
            scores.blocks.iter().filter_map(|block| block.segments.get(WHOLE)).map(Profile::rows).max();
        let (plan, segments) = (&scores.plan, scores.segments());
        let thresholds = thresholds.of_predictions(plan, &segments, rows.unwrap_or(0));
        Loaded::new(scores, thresholds, crate::reference::Quality::default(), None)
    };
    Ok(scores.map(of))
}

//! Predictions and labels by id, as far back as the horizon reaches.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use millrace_topics::TaskKind;

use super::{Content, Waiting};
use crate::service::notes::{JoinNote, Maker, Outcome, OutcomeNote, Place, Span};
use crate::window::{WHOLE, segment_name};

/// From which score on a model version decides for positive.
pub type Threshold = Arc<dyn Fn(&Maker) -> Option<f64> + Send + Sync>;

/// What the join does.
#[derive(Clone)]
pub struct JoinPlan {
    /// The partitions whose records meet here.
    pub sources: Vec<Place>,
    /// What the model predicts.
    pub task: TaskKind,
    /// How long windows are, in ms: a multiple of the step.
    pub length_ms: i64,
    /// How far apart windows end, in ms; also how long an epoch is.
    pub step_ms: i64,
    /// How long after its prediction a label may come, in ms.
    pub horizon_ms: i64,
    /// How long after a window's end it is settled, in ms.
    pub settled_ms: i64,
    /// After how long, in ms, a prediction without a label counts as negative.
    pub negative_after_ms: Option<i64>,
    /// The columns of `context` that make segments, as places in it and names.
    pub segments: Vec<(usize, String)>,
    /// From which score on a model version decides for positive, none where that is not known; none at all where nobody
    /// watches errors.
    pub threshold: Option<Threshold>,
    /// Of rankings: the place in `context` that says which list an item is of.
    pub list: Option<usize>,
}

impl JoinPlan {
    /// The epoch that a time lies in.
    pub fn epoch(&self, time_ms: i64) -> i64 {
        time_ms.div_euclid(self.step_ms)
    }

    /// The first instant after an epoch, in ms.
    pub fn epoch_end(&self, epoch: i64) -> i64 {
        epoch.saturating_add(1).saturating_mul(self.step_ms)
    }

    /// The windows that hold a cell of one step.
    fn windows_of(&self, cell: i64) -> impl Iterator<Item = Span> + '_ {
        let steps = self.length_ms / self.step_ms;
        (0..steps).map(move |later| {
            let end_ms = self.epoch_end(cell.saturating_add(later));
            Span { end_ms, start_ms: end_ms.saturating_sub(self.length_ms), number: 0 }
        })
    }
}

/// What is known of one id.
#[derive(Debug, Clone, Default)]
struct Known {
    /// One prediction of each maker: a repeated one replaces the one before.
    predictions: BTreeMap<Maker, Predicted>,
    label: Option<Label>,
}

#[derive(Debug, Clone, PartialEq)]
struct Predicted {
    time_ms: i64,
    score: Option<f64>,
    decision: String,
    context: Vec<Option<String>>,
}

#[derive(Debug, Clone, PartialEq)]
struct Label {
    time_ms: i64,
    outcome: Option<Outcome>,
}

/// How many records met what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Predictions that were forgotten without a label.
    pub unmatched: u64,
    /// Labels that were forgotten without a prediction.
    pub orphans: u64,
    /// Labels that said the same again.
    pub duplicates: u64,
    /// Labels that said something else than before.
    pub corrected: u64,
    /// Records that came after the clock had gone on without their partition.
    pub late: u64,
}

/// Predictions and labels by id.
#[derive(Clone)]
pub struct State {
    plan: Arc<JoinPlan>,
    known: HashMap<Box<str>, Known>,
    /// Ids by the cell in which they are forgotten: that of the prediction, or of a label without one.
    cells: BTreeMap<i64, BTreeSet<Box<str>>>,
    /// Windows about which something new is known.
    dirty: BTreeSet<Span>,
    tally: Tally,
    /// Whether decisions were wrong, in the order in which that became known in the epoch at hand.
    errors: Vec<(Maker, f64)>,
}

impl State {
    /// Of nothing.
    pub fn new(plan: Arc<JoinPlan>) -> Self {
        let (known, cells, dirty) = (HashMap::new(), BTreeMap::new(), BTreeSet::new());
        Self { plan, known, cells, dirty, tally: Tally::default(), errors: Vec::new() }
    }

    /// How many ids are known.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// About how many bytes it holds: an id lies in two places.
    pub fn size_bytes(&self) -> usize {
        let one = |id: &str, known: &Known| {
            2 * id.len()
                + size_of::<Known>()
                + known.predictions.len() * (size_of::<Predicted>() + size_of::<Maker>() + 48)
        };
        // Of many, the first thousand tell.
        let sampled: usize = self.known.iter().take(1_000).map(|(id, known)| one(id, known)).sum();
        sampled.saturating_mul(self.known.len()) / self.known.len().clamp(1, 1_000)
    }

    /// How many records met what, since the task began.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// A record came after the clock had gone on without it.
    pub fn late(&mut self) {
        self.tally.late += 1;
    }

    /// Applies the records of an epoch that ends at `end_ms`, and says what is known as of then of every window about
    /// which something is new.
    pub fn apply(
        &mut self,
        records: Vec<Waiting>,
        end_ms: i64,
        partition: i32,
    ) -> Vec<(OutcomeNote, Content)> {
        for record in records {
            match record.note {
                JoinNote::Prediction { maker, score, decision, context, .. } => {
                    let predicted = Predicted { time_ms: record.time_ms, score, decision, context };
                    self.predict(record.id.into(), maker, predicted);
                }
                JoinNote::Label { outcome, .. } => {
                    self.label(record.id.into(), Label { time_ms: record.time_ms, outcome });
                }
                JoinNote::Progress { .. } => {}
            }
        }
        self.settle(end_ms);
        let told = self.tell(end_ms, partition);
        self.forget(end_ms.saturating_sub(self.plan.horizon_ms));
        told
    }

    fn predict(&mut self, id: Box<str>, maker: Maker, predicted: Predicted) {
        let cell = self.plan.epoch(predicted.time_ms);
        let known = self.known.entry(id.clone()).or_default();
        let before = known.predictions.get(&maker);
        if before == Some(&predicted) {
            return;
        }
        if let Some(outcome) =
            known.label.as_ref().filter(|_| before.is_none()).and_then(|l| l.outcome.as_ref())
        {
            self.errors
                .extend(wrong(&self.plan, &maker, &predicted, outcome).map(|wrong| (maker.clone(), wrong)));
        }
        if let Some(before) = known.predictions.insert(maker, predicted) {
            let before = self.plan.epoch(before.time_ms);
            self.touch(before);
        }
        self.cells.entry(cell).or_default().insert(id);
        self.touch(cell);
    }

    /// The last label wins: records are applied by time, then by where they lie.
    fn label(&mut self, id: Box<str>, label: Label) {
        let plan = self.plan.clone();
        let known = self.known.entry(id.clone()).or_default();
        match &known.label {
            Some(before) if before.outcome == label.outcome => {
                self.tally.duplicates += 1;
                return;
            }
            Some(before) if label.time_ms < before.time_ms => return,
            Some(_) => self.tally.corrected += 1,
            // What was corrected was known before: an error counts once.
            None => {
                for (maker, predicted) in &known.predictions {
                    let wrong =
                        label.outcome.as_ref().and_then(|truth| wrong(&plan, maker, predicted, truth));
                    self.errors.extend(wrong.map(|wrong| (maker.clone(), wrong)));
                }
            }
        }
        let cells: BTreeSet<i64> = known.predictions.values().map(|p| plan.epoch(p.time_ms)).collect();
        let orphan = plan.epoch(label.time_ms);
        known.label = Some(label);
        if cells.is_empty() {
            self.cells.entry(orphan).or_default().insert(id);
        }
        cells.into_iter().for_each(|cell| self.touch(cell));
    }

    /// Whether decisions were wrong, 1, or right, 0, as that became known in the last epoch.
    pub fn take_errors(&mut self) -> Vec<(Maker, f64)> {
        std::mem::take(&mut self.errors)
    }

    fn touch(&mut self, cell: i64) {
        let windows: Vec<Span> = self.plan.windows_of(cell).collect();
        self.dirty.extend(windows);
    }

    /// A window is told when it ends, and when it is settled, whether something is new or not.
    fn settle(&mut self, end_ms: i64) {
        for at in [end_ms, end_ms.saturating_sub(self.plan.settled_ms)] {
            self.dirty.insert(Span {
                end_ms: at,
                start_ms: at.saturating_sub(self.plan.length_ms),
                number: 0,
            });
        }
    }

    fn tell(&mut self, end_ms: i64, partition: i32) -> Vec<(OutcomeNote, Content)> {
        let later =
            self.dirty.split_off(&Span { end_ms: end_ms.saturating_add(1), start_ms: i64::MIN, number: 0 });
        let windows = std::mem::replace(&mut self.dirty, later);
        let mut told = Vec::new();
        for window in windows {
            for ((maker, segment), content) in self.contents(window, end_ms) {
                let note = OutcomeNote::Outcomes { partition, window, as_of_ms: end_ms, maker, segment };
                told.push((note, content));
            }
        }
        told
    }

    /// What is known of a window's predictions, by maker and segment.
    fn contents(&self, window: Span, as_of_ms: i64) -> BTreeMap<(Maker, String), Content> {
        let mut contents: BTreeMap<(Maker, String), Content> = BTreeMap::new();
        let cells = self.plan.epoch(window.start_ms)..self.plan.epoch(window.end_ms);
        for id in self.cells.range(cells).flat_map(|(_, ids)| ids) {
            let Some(known) = self.known.get(id) else { continue };
            for (maker, predicted) in &known.predictions {
                if !(window.start_ms..window.end_ms).contains(&predicted.time_ms) {
                    continue;
                }
                let assumed = self.assumed(known, predicted, as_of_ms);
                let label = known.label.as_ref();
                for segment in self.segments(predicted) {
                    let content = contents
                        .entry((maker.clone(), segment))
                        .or_insert_with(|| Content::new(self.plan.task));
                    content.add(
                        predicted.score,
                        self.word(predicted),
                        label.and_then(|l| l.outcome.as_ref()).or(assumed.as_ref()),
                    );
                    match label {
                        Some(label) => content.delays.add(label.time_ms.saturating_sub(predicted.time_ms)),
                        None => content.delays.add_unlabelled(),
                    }
                }
            }
        }
        contents
    }

    /// What a prediction is counted by besides its score.
    fn word<'a>(&self, predicted: &'a Predicted) -> &'a str {
        match self.plan.list {
            Some(list) => predicted.context.get(list).and_then(Option::as_deref).unwrap_or_default(),
            None => &predicted.decision,
        }
    }

    /// The outcome of a prediction that waited long enough for a label.
    fn assumed(&self, known: &Known, predicted: &Predicted, as_of_ms: i64) -> Option<Outcome> {
        let waited_ms = as_of_ms.saturating_sub(predicted.time_ms);
        let negative =
            known.label.is_none() && self.plan.negative_after_ms.is_some_and(|after| waited_ms >= after);
        negative.then_some(Outcome::Number(0.0))
    }

    fn segments(&self, predicted: &Predicted) -> Vec<String> {
        let of = |(place, name): &(usize, String)| {
            segment_name(name, predicted.context.get(*place).and_then(Option::as_deref))
        };
        std::iter::once(WHOLE.to_owned()).chain(self.plan.segments.iter().map(of)).collect()
    }

    /// Forgets what is older than the horizon.
    fn forget(&mut self, before_ms: i64) {
        let plan = self.plan.clone();
        while let Some(cell) =
            self.cells.first_entry().filter(|cell| plan.epoch_end(*cell.key()) <= before_ms)
        {
            for id in cell.remove() {
                self.forget_id(&id, before_ms);
            }
        }
    }

    fn forget_id(&mut self, id: &str, before_ms: i64) {
        let Some(known) = self.known.get_mut(id) else { return };
        let labelled = known.label.is_some();
        let old = |time_ms: i64| self.plan.epoch_end(self.plan.epoch(time_ms)) <= before_ms;
        let count = known.predictions.len();
        known.predictions.retain(|_, predicted| !old(predicted.time_ms));
        if !labelled {
            self.tally.unmatched += (count - known.predictions.len()) as u64;
        }
        // A prediction of another maker may be younger: it lies in a cell of its own.
        if known.predictions.is_empty() {
            self.tally.orphans += u64::from(count == 0);
            self.known.remove(id);
        }
    }
}

/// Whether a decision was wrong; none where nothing was decided.
fn wrong(plan: &JoinPlan, maker: &Maker, predicted: &Predicted, truth: &Outcome) -> Option<f64> {
    let threshold = plan.threshold.as_ref()?;
    let right = match truth {
        Outcome::Class(class) => predicted.decision == *class,
        Outcome::Number(truth) if plan.task == TaskKind::Binary => {
            (predicted.score? >= threshold(maker)?) == (*truth != 0.0)
        }
        Outcome::Number(_) => return None,
    };
    Some(f64::from(u8::from(!right)))
}

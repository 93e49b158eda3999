//! Which place explains which.

use millrace_schemas::envelope::DriftEvent;

use super::depends::Depends;
use super::place::{Name, Place, key_of};

/// The places of a window, and what is known of them.
pub(super) struct Graph<'a> {
    places: &'a [Place],
    events: &'a [DriftEvent],
    depends: &'a Depends,
    tolerance_ms: i64,
    /// Whether a column moved that no label went into: inputs changed, so that metrics need no change of the concept.
    inputs_moved: bool,
    /// Whether a column moved that labels went into.
    outcomes_moved: bool,
}

impl<'a> Graph<'a> {
    pub(super) fn new(
        places: &'a [Place],
        events: &'a [DriftEvent],
        depends: &'a Depends,
        tolerance_ms: i64,
    ) -> Self {
        let moved = |of_labels: bool| {
            places.iter().any(|p| matches!(&p.name, Name::Column(c) if depends.is_of_labels(c) == of_labels))
        };
        Self {
            places,
            events,
            depends,
            tolerance_ms,
            inputs_moved: moved(false),
            outcomes_moved: moved(true),
        }
    }

    /// For every place the one at the root of what explains it; its own index where nothing does.
    pub(super) fn roots(&self) -> Vec<usize> {
        let parents: Vec<Option<usize>> = (0..self.places.len()).map(|at| self.parent(at)).collect();
        (0..parents.len())
            .map(|start| {
                let (mut at, mut steps) = (start, 0);
                while let Some(parent) = parents[at] {
                    // No rule leads back, but a circle must not hang the judge.
                    steps += 1;
                    if steps > parents.len() {
                        return start;
                    }
                    at = parent;
                }
                at
            })
            .collect()
    }

    /// The most severe place that explains this one.
    fn parent(&self, at: usize) -> Option<usize> {
        let able = (0..self.places.len()).filter(|other| *other != at && self.explains(*other, at));
        able.max_by(|a, b| self.places[*a].severity.total_cmp(&self.places[*b].severity).then(b.cmp(a)))
    }

    fn explains(&self, a: usize, b: usize) -> bool {
        let (cause, effect) = (&self.places[a], &self.places[b]);
        if cause.onset_ms > effect.onset_ms.saturating_add(self.tolerance_ms) {
            return false;
        }
        match (&cause.name, &effect.name) {
            (Name::Dataset, _) => false,
            (_, Name::Dataset) => true,
            // A segment in which a computed column passes its threshold first moved with all the others of its source.
            (Name::Column(x), Name::Column(y)) => {
                let everywhere = cause.segment.is_none() && self.depends.on(y, x);
                (fits(cause, effect) || everywhere) && self.moves(x, y, (a, b))
            }
            (Name::Column(x), Name::Metrics) => !self.depends.is_of_labels(x),
            (Name::Column(_), Name::Scores) => true,
            (Name::Labels, Name::Column(y)) => self.depends.is_of_labels(y),
            (Name::Labels, Name::Metrics) => true,
            (Name::Metrics, Name::Column(y)) => !self.inputs_moved && self.depends.is_of_labels(y),
            (Name::Scores, Name::Metrics) => !self.outcomes_moved,
            _ => false,
        }
    }

    /// Whether column `y` moves because `x` does. Where neither is known to be computed from the other, the one that
    /// moved first, or else more severely, is taken for the cause.
    fn moves(&self, x: &str, y: &str, (a, b): (usize, usize)) -> bool {
        if self.depends.on(y, x) {
            return true;
        }
        let (cause, effect) = (&self.places[a], &self.places[b]);
        let first = cause.onset_ms.cmp(&effect.onset_ms).then(effect.severity.total_cmp(&cause.severity));
        let first = first.then(self.events[cause.head].column.cmp(&self.events[effect.head].column));
        self.depends.goes_with(x, y) && first.is_lt()
    }
}

/// Whether a change confined as the cause is can be behind one confined as the effect is.
fn fits(cause: &Place, effect: &Place) -> bool {
    match (&cause.segment, &effect.segment) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(a), Some(b)) => a == b || key_of(a) != key_of(b),
    }
}

//! How far each input has come in record time, and from which offsets a task's state can be rebuilt.
//!
//! A rebuilt task must know exactly the times that it had. They follow from the rows it takes again: the row, or the tick,
//! that set the time of an input is always among these.

use millrace_runtime::needed::Needed;

use super::Source;

/// The spans that decide, in ms of record time.
#[derive(Debug, Clone, Copy)]
pub struct Spans {
    /// How long after its list a click counts.
    pub horizon_ms: i64,
    /// How far a row may lie behind the greatest time of its input.
    pub lateness_ms: i64,
    /// How long a list is remembered.
    pub remembered_ms: i64,
}

#[derive(Debug, Default)]
struct Input {
    time_ms: Option<i64>,
    needed: Needed,
    /// The offset of the tick that set the time, unless a row has passed it since.
    tick: Option<i64>,
}

/// The times of a task's inputs.
#[derive(Debug)]
pub struct Times {
    spans: Spans,
    inputs: [Input; 3],
    impressions: bool,
}

impl Times {
    /// Of a task; `impressions`: whether it reads them.
    pub fn new(spans: Spans, impressions: bool) -> Self {
        Self { spans, inputs: Default::default(), impressions }
    }

    /// A row of this input was taken.
    pub fn row(&mut self, source: Source, offset: i64, time_ms: i64) {
        let input = &mut self.inputs[source.index()];
        input.needed.add(offset, time_ms);
        if input.time_ms < Some(time_ms) {
            input.time_ms = Some(time_ms);
            input.tick = None;
        }
    }

    /// The input was found silent up to this time: a tick at `offset` says so.
    pub fn tick(&mut self, source: Source, offset: i64, time_ms: i64) {
        let input = &mut self.inputs[source.index()];
        if input.time_ms < Some(time_ms) {
            input.time_ms = Some(time_ms);
            input.tick = Some(offset);
        }
    }

    /// The greatest time of an input, in ms.
    pub fn of(&self, source: Source) -> Option<i64> {
        self.inputs[source.index()].time_ms
    }

    /// The greatest time of all, in ms.
    pub fn greatest_ms(&self) -> Option<i64> {
        self.inputs.iter().filter_map(|input| input.time_ms).max()
    }

    /// Up to which time clicks, and impressions where there are any, have come.
    pub fn clicked_ms(&self) -> Option<i64> {
        let clicks = self.of(Source::Clicks)?;
        if self.impressions { Some(clicks.min(self.of(Source::Impressions)?)) } else { Some(clicks) }
    }

    /// Lists shown before this are closed.
    pub fn closed_ms(&self) -> i64 {
        let Spans { horizon_ms, lateness_ms, .. } = self.spans;
        before(self.clicked_ms(), horizon_ms.saturating_add(lateness_ms))
    }

    /// Closed lists shown before this are forgotten.
    pub fn forgotten_ms(&self) -> i64 {
        before(self.of(Source::Rankings), self.spans.remembered_ms)
    }

    /// Clicks before this do not wait any longer.
    pub fn expired_ms(&self) -> i64 {
        let Spans { horizon_ms, lateness_ms, .. } = self.spans;
        before(self.of(Source::Rankings), horizon_ms.saturating_add(lateness_ms))
    }

    /// The lowest offset of an input (none: of the ticks) that a rebuild needs.
    pub fn rebuild_from(&self, source: Option<Source>) -> Option<i64> {
        match source {
            Some(source) => self.inputs[source.index()].needed.first(Some(self.floor_ms(source))),
            None => self.inputs.iter().filter_map(|input| input.tick).min(),
        }
    }

    /// Lets go of what no rebuild will need.
    pub fn forget(&mut self) {
        for source in Source::ALL {
            let floor_ms = self.floor_ms(source);
            self.inputs[source.index()].needed.forget(floor_ms);
        }
    }

    /// Rows before this are not needed: lists that are forgotten, and clicks that neither wait nor lie on an open list.
    fn floor_ms(&self, source: Source) -> i64 {
        match source {
            Source::Rankings => self.forgotten_ms().min(self.closed_ms()),
            // A click may be a horizon earlier than its list.
            Source::Impressions | Source::Clicks => {
                self.expired_ms().min(self.closed_ms().saturating_sub(self.spans.horizon_ms))
            }
        }
    }
}

/// So long before a time; before all times where it is not known.
fn before(time_ms: Option<i64>, span_ms: i64) -> i64 {
    time_ms.map_or(i64::MIN, |time_ms| time_ms.saturating_sub(span_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPANS: Spans = Spans { horizon_ms: 100, lateness_ms: 10, remembered_ms: 310 };

    #[test]
    fn what_set_a_time_is_always_among_what_a_rebuild_takes_again() {
        let mut times = Times::new(SPANS, false);
        assert_eq!((times.closed_ms(), times.rebuild_from(Some(Source::Clicks))), (i64::MIN, None));
        times.row(Source::Rankings, 5, 1_000);
        times.row(Source::Clicks, 7, 1_005);
        times.tick(Source::Clicks, 3, 5_000);
        assert_eq!(times.closed_ms(), 4_890);
        assert_eq!(times.rebuild_from(None), Some(3));
        assert_eq!(times.rebuild_from(Some(Source::Clicks)), Some(7), "lists have not passed it yet");
        times.tick(Source::Rankings, 4, 9_000);
        times.forget();
        assert_eq!(times.rebuild_from(Some(Source::Clicks)), None);
        assert_eq!(times.rebuild_from(Some(Source::Rankings)), None);
        assert_eq!(times.rebuild_from(None), Some(3));
        times.row(Source::Clicks, 8, 9_500);
        assert_eq!((times.rebuild_from(None), times.rebuild_from(Some(Source::Clicks))), (Some(4), Some(8)));
    }

    #[test]
    fn lists_close_when_impressions_have_come_as_far_as_clicks() {
        let mut times = Times::new(SPANS, true);
        times.row(Source::Clicks, 0, 2_000);
        assert_eq!(times.clicked_ms(), None);
        times.row(Source::Impressions, 0, 1_500);
        assert_eq!(times.closed_ms(), 1_390);
    }
}

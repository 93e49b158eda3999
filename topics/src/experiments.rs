//! What topic files say of rankings, clicks and experiments.

/// `[rankings]` of a topic file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RankingsTable {
    /// The stem of the source topic of requests.
    pub requests: String,
    /// The column that names the unit of assignment (its text is the ranking's key, too).
    pub unit: String,
    /// The column of the candidates, an array of texts; model inputs that are arrays run beside it.
    pub items: String,
    /// The columns that make the list key; empty: the request's id.
    pub list_key: Vec<String>,
    /// How long lists are.
    pub length: usize,
    /// Columns that each ranking passes on in `context`.
    pub context: Vec<String>,
}

/// `[click_feedback]` of a topic file. Rankings, clicks and impressions agree in key, partitioner and partitions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClickFeedbackTable {
    /// The stem of the topic of rankings.
    pub rankings: String,
    /// The stem of the source topic of clicks; its `id` is the click's id.
    pub clicks: String,
    /// The column of clicks and impressions that is the ranking's id.
    pub request: String,
    /// The column of clicks that is the item.
    pub item: String,
    /// The stem of the source topic of impressions, where there are any.
    pub impressions: Option<String>,
    /// The column of impressions that is an array of positions, from 1.
    pub positions: String,
    /// How long after its list a click counts, in ms.
    pub horizon_ms: i64,
    /// Whether what all rankings begin with credits nobody.
    pub skip_common_prefix: bool,
    /// How far a row may lie behind the greatest record time of its topic and still count, in ms.
    pub lateness_ms: i64,
    /// How long a topic's partition may be silent, in ms of wall time, before lists no longer wait for it.
    pub max_wait_ms: i64,
    /// How many lists a partition remembers at most, and how many clicks wait for theirs.
    pub max_lists: usize,
}

impl ClickFeedbackTable {
    /// How long a list is remembered, in ms of record time: clicks that come before their list wait for a horizon, and
    /// for one more it is told of later ones that they are late. What the log must keep.
    pub fn remembered_ms(&self) -> i64 {
        self.horizon_ms.saturating_mul(3).saturating_add(self.lateness_ms)
    }
}

/// `[experiments]` of a topic file: how results are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExperimentsTable {
    /// How long windows are, in ms of record time: results are written at their ends.
    pub window_ms: i64,
    /// How late rows still count, in ms.
    pub lateness_ms: i64,
    /// How long a partition may be silent, in ms of wall time, before windows no longer wait for it.
    pub max_wait_ms: i64,
    /// The stems of the topics whose rows metrics may count: those that are read beside the predictions, keyed by the
    /// unit as they are.
    pub topics: Vec<String>,
}

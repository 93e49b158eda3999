//! What `[drift]` of a topic file says: what is watched, in which windows, against what.

/// `[drift]` of a topic file.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftTable {
    /// The stem of the topic whose columns are watched; a feature view or a source.
    pub features: Option<String>,
    /// The columns that are watched; empty: every one but the topic's id and time.
    pub columns: Vec<String>,
    /// Columns that are not watched.
    pub ignore: Vec<String>,
    /// The stem of the prediction topic whose scores are watched.
    pub predictions: Option<String>,
    /// Where outcomes come from.
    pub labels: Option<LabelsTable>,
    /// What the model predicts.
    pub task: TaskKind,
    /// The windows.
    pub window: WindowTable,
    /// How late a row may be and still count in its window, in ms.
    pub lateness_ms: i64,
    /// For how long in ms of wall time a partition without rows holds windows open.
    pub max_wait_ms: i64,
    /// Columns of which every value makes a segment that is judged on its own.
    pub segments: Vec<String>,
    /// Columns of which the values are groups that must be treated alike.
    pub groups: Vec<String>,
    /// What windows are compared with.
    pub reference: ReferenceTable,
    /// The period in which the data repeats itself, in ms.
    pub season_ms: Option<i64>,
    /// How long after its prediction a label may come, in ms.
    pub horizon_ms: i64,
    /// After how long in ms a prediction without a label counts as negative; `None`: never.
    pub negative_after_ms: Option<i64>,
    /// The least share of a window's predictions with a label at which performance is judged.
    pub coverage: f64,
    /// How long after a window's end its performance is judged, in ms.
    pub maturity_ms: i64,
    /// The time between two alarms, in ms, that thresholds are calibrated to on data that does not change.
    pub expected_time_between_alarms_ms: i64,
    /// Windows that begin before this moment, in ms, are counted and not judged; `None`: all are judged.
    pub judge_from_ms: Option<i64>,
    /// The sizes k at which precision, recall and NDCG at k are measured.
    pub ks: Vec<u32>,
    /// Of rankings: the column, passed on with predictions, that says which list an item is of.
    pub list: Option<String>,
    /// From which difference between groups on a rate is a finding; `None`: differences are shown alone.
    pub fairness: Option<f64>,
    /// How served rows are compared with recomputed ones; `None`: they are not.
    pub skew: Option<SkewTable>,
    /// Detectors of single rows and of windows, by name.
    pub detectors: Vec<DetectorTable>,
}

/// `skew` of `[drift]`: served rows are computed again from the log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SkewTable {
    /// The share of keys whose rows are computed again, above 0 and up to 1.
    pub sample: f64,
    /// The share of rows that may differ in a column.
    pub tolerated: f64,
}

/// `[drift.detectors.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetectorTable {
    /// Its name.
    pub name: String,
    /// The algorithm: `adwin`.
    pub method: String,
    /// What it watches.
    pub watches: Watches,
    /// Parameters that are not the calibrated ones, as text.
    pub parameters: Vec<(String, String)>,
    /// For how long in ms of record time a detector of rows remembers at least, and at most twice that.
    pub memory_ms: i64,
}

/// What a detector watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watches {
    /// The values of a column, row by row, in every partition of the topic of features.
    Rows(String),
    /// The scores of predictions, row by row, in every partition of their topic.
    Scores,
    /// Whether decisions were wrong, label by label, in every partition of the join of predictions with labels.
    Errors,
    /// The mean of a column over each window, once it is final.
    Mean(String),
    /// A metric on labels of each window, once it is settled.
    Metric(String),
}

/// `labels` of `[drift]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelsTable {
    /// The stem of the topic of labels.
    pub topic: String,
    /// Its column that is the prediction's id; the topic's own `id` unless given.
    pub id: Option<String>,
    /// Its column that is the outcome.
    pub outcome: String,
}

/// What a model predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskKind {
    /// The probability that the outcome is true.
    Binary,
    /// One class of several.
    Multiclass,
    /// A number.
    Regression,
    /// An order of items.
    Ranking,
}

/// The windows of `[drift]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowTable {
    /// Of time.
    Time {
        /// How long a window is, in ms.
        length_ms: i64,
        /// How far the next one begins after it, in ms: a divisor of the length.
        slide_ms: i64,
    },
    /// Of so many rows of one partition.
    Rows(u32),
}

/// What windows are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceTable {
    /// `reference.parquet` of the model version that serves.
    Model,
    /// The windows of a range of the topic: times in ms, the second one not included.
    Range {
        /// The first instant, in ms.
        from_ms: i64,
        /// The first instant after it, in ms.
        to_ms: i64,
    },
    /// The window before.
    Previous,
}

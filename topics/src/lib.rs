//! An application is a folder of topic files: read here, checked, applied to a cluster and drawn.

pub mod alerts;
mod application;
pub mod cluster;
mod columns;
mod cron;
pub mod deployments;
mod drift;
mod drift_checks;
mod drift_file;
mod duration;
pub mod events;
mod experiment;
mod experiments;
mod experiments_file;
pub mod graph;
mod instant;
pub mod log;
mod model;
mod near;
pub mod partitioner;
mod problem;
mod ranking_checks;
mod retrain;
mod retrain_file;
mod schema_file;
mod state;
mod table;
mod topic_file;

pub use application::{list, load, read};
pub use columns::{check_columns, check_predictions, type_name};
pub use cron::Cron;
pub use drift::{
    DetectorTable, DriftTable, LabelsTable, ReferenceTable, SkewTable, TaskKind, Watches, WindowTable,
};
pub use drift_checks::{check_drift, watched_columns};
pub use duration::{parse_duration, show_duration};
pub use experiment::{
    BanditDefinition, CanaryCriterion, CanaryDefinition, CanaryTraffic, CanaryUsual, Column, DraftFile,
    ExperimentArm, ExperimentDefinition, ExperimentKind, ExperimentMetric, MetricKind, MetricRole,
    NamespacePart, OutcomeColumns, columns_of,
};
pub use experiments::{ClickFeedbackTable, ExperimentsTable, RankingsTable};
pub use model::{
    Application, DeploymentsTable, ExploreTable, FeaturesTable, KafkaTopic, ModelRef, PredictionsTable,
    Problem, Role, Start, Topic, UnsoundDraft,
};
pub use near::{did_you_mean, listed};
pub use partitioner::Partitioner;
pub use retrain::{RetrainTable, TriggerOn, TriggerTable};
pub use state::{check_co_partitioned, check_retention};

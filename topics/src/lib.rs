//! An application is a folder of topic files: read here, checked, applied to a cluster and drawn.

mod application;
pub mod cluster;
mod columns;
pub mod deployments;
mod duration;
pub mod graph;
mod instant;
mod model;
mod near;
pub mod partitioner;
mod problem;
mod schema_file;
mod state;
mod table;
mod topic_file;

pub use application::{list, load, read};
pub use columns::{check_columns, check_predictions, type_name};
pub use duration::{parse_duration, show_duration};
pub use model::{
    Application, DeploymentsTable, FeaturesTable, KafkaTopic, ModelRef, PredictionsTable, Problem, Role,
    Start, Topic,
};
pub use near::{did_you_mean, listed};
pub use partitioner::Partitioner;
pub use state::{check_co_partitioned, check_retention};

//! An application is a folder of topic files: read here, checked, applied to a cluster and drawn.

mod model;
pub mod partitioner;

pub use model::{
    Application, DeploymentsTable, FeaturesTable, KafkaTopic, ModelRef, PredictionsTable, Problem, Role,
    Start, Topic,
};
pub use partitioner::Partitioner;

//! What a service runs in: its settings and the systems around it.

use std::sync::Arc;

use millrace_schemas::SchemaRegistry;

use crate::config::Configuration;
use crate::embedded::Flow;
use crate::readiness::Readiness;
use crate::store::OpenStore;

/// How partitions come to workers.
#[derive(Clone)]
pub enum Assignment {
    /// Kafka's consumer group moves them; offsets are committed, state is rebuilt.
    Group,
    /// By hand and fixed among the workers of this process, from offset 0, without commits; what is read and written is
    /// told to the [`Flow`].
    Fixed(Flow),
}

/// The settings and the systems around a service.
#[derive(Clone)]
pub struct Environment {
    /// The settings.
    pub configuration: Configuration,
    /// Where schema ids come from.
    pub registry: Arc<dyn SchemaRegistry>,
    /// Opens the online store, once per worker.
    pub open_store: OpenStore,
    /// How partitions come to workers.
    pub assignment: Assignment,
    /// What `/ready` answers from; services of one process share it.
    pub readiness: Readiness,
}

//! Records of the service's internal topics, as every service's are.

use std::sync::Arc;

pub use millrace_runtime::message::{Assembler, Message, decode, encode, schema};
use millrace_schemas::TopicSchema;

use super::Error;

/// The schema as topics have it.
pub fn topic_schema(app: &str) -> Result<Arc<TopicSchema>, Error> {
    let schema = TopicSchema::derive(app, "drift-internal", &schema());
    schema.map(Arc::new).map_err(|error| Error::Internal(format!("the schema of internal topics: {error}")))
}

//! Schema ids: a Confluent-compatible registry, or one inside the process.

mod address;
mod confluent;
mod in_process;

pub use confluent::ConfluentRegistry;
pub use in_process::InProcessRegistry;

/// Why a registry gave no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RegistryError {
    /// It cannot be reached, or failed; the same call may succeed later.
    #[error("schema registry does not answer: {0}")]
    Unavailable(String),
    /// It answered, and refused: calling again changes nothing.
    #[error("schema registry refuses: {0}")]
    Refused(String),
}

/// Where schema ids come from. Blocking: a worker is a thread of its own.
pub trait SchemaRegistry: Send + Sync {
    /// The Avro text of a schema id; `None` where the registry does not know the id.
    fn schema(&self, id: u32) -> Result<Option<String>, RegistryError>;
    /// Registers a schema under a subject (`<topic>-value`); the id it has, the same one if it was there.
    fn register(&self, subject: &str, avro: &str) -> Result<u32, RegistryError>;
    /// The newest schema of a subject with its id; `None` where there is none.
    fn latest(&self, subject: &str) -> Result<Option<(u32, String)>, RegistryError>;
}

//! A registry in memory.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::{RegistryError, SchemaRegistry};

/// A registry in memory: embedded mode's, gone with the process. As in Confluent's, one schema has one id under
/// whatever subjects it is registered, and white space makes no difference.
#[derive(Default)]
pub struct InProcessRegistry {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The schema of id `i + 1`.
    schemas: Vec<String>,
    ids: HashMap<String, u32>,
    /// By subject, its schemas' ids, oldest first.
    subjects: HashMap<String, Vec<u32>>,
}

impl InProcessRegistry {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn schema(&self, id: u32) -> Option<&String> {
        self.schemas.get(usize::try_from(id).ok()?.checked_sub(1)?)
    }
}

impl SchemaRegistry for InProcessRegistry {
    fn schema(&self, id: u32) -> Result<Option<String>, RegistryError> {
        Ok(self.state().schema(id).cloned())
    }

    fn register(&self, subject: &str, avro: &str) -> Result<u32, RegistryError> {
        let json: Value =
            serde_json::from_str(avro).map_err(|e| RegistryError::Refused(format!("not JSON: {e}")))?;
        let mut state = self.state();
        let next = u32::try_from(state.schemas.len() + 1)
            .map_err(|_| RegistryError::Refused("no more schema ids".into()))?;
        let id = *state.ids.entry(json.to_string()).or_insert(next);
        if id == next {
            state.schemas.push(avro.to_owned());
        }
        let versions = state.subjects.entry(subject.to_owned()).or_default();
        if !versions.contains(&id) {
            versions.push(id);
        }
        Ok(id)
    }

    fn latest(&self, subject: &str) -> Result<Option<(u32, String)>, RegistryError> {
        let state = self.state();
        let Some(&id) = state.subjects.get(subject).and_then(|versions| versions.last()) else {
            return Ok(None);
        };
        Ok(state.schema(id).map(|text| (id, text.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_has_one_id_and_a_subject_a_newest_schema() {
        let registry = InProcessRegistry::default();
        assert!(registry.schema(0).unwrap().is_none() && registry.schema(1).unwrap().is_none());
        assert!(registry.latest("a-value").unwrap().is_none());
        let one = registry.register("a-value", r#"{"type": "int"}"#).unwrap();
        let two = registry.register("a-value", r#"{"type": "long"}"#).unwrap();
        assert_eq!(registry.register("b-value", r#"{"type":"int"}"#).unwrap(), one);
        assert_ne!(one, two);
        assert_eq!(registry.register("a-value", r#"{"type": "int"}"#).unwrap(), one);
        assert_eq!(registry.latest("a-value").unwrap(), Some((two, r#"{"type": "long"}"#.into())));
        assert_eq!(registry.latest("b-value").unwrap(), Some((one, r#"{"type": "int"}"#.into())));
        assert_eq!(registry.schema(two).unwrap().as_deref(), Some(r#"{"type": "long"}"#));
        assert!(matches!(registry.register("c", "{"), Err(RegistryError::Refused(_))));
    }
}

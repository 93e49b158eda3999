//! A Confluent-compatible registry over HTTP.

use std::collections::HashMap;
use std::error::Error as _;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use schema_registry_converter::blocking::schema_registry::{
    SrSettings, get_schema_by_id, get_schema_by_subject, post_schema,
};
use schema_registry_converter::error::SRCError;
use schema_registry_converter::schema_registry_common::{
    RawError, RegisteredSchema, SchemaType, SubjectNameStrategy, SuppliedSchema,
};

use super::address::Address;
use super::{RegistryError, SchemaRegistry};

/// One request, connection included.
const TIMEOUT: Duration = Duration::from_secs(4);
/// Waits between the attempts of a call. A longer outage is the caller's to sit out.
const BACKOFF: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(300), Duration::from_millis(900)];
/// For how long an id that the registry did not know is not asked for again, so that forged ids cost it nothing.
const UNKNOWN_FOR: Duration = Duration::from_secs(5);
/// Ids kept of each kind.
const MAX_CACHED: usize = 4096;

/// A client of any Confluent-compatible registry (Confluent's, Apicurio's under `/apis/ccompat/v7`, Karapace, Redpanda).
/// Schemas are cached by their ids, which never change; calls that fail for the moment are tried three times.
///
/// It is made, used and dropped outside of any async runtime.
pub struct ConfluentRegistry {
    settings: SrSettings,
    urls: Vec<String>,
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    known: HashMap<u32, String>,
    unknown: HashMap<u32, Instant>,
}

impl fmt::Debug for ConfluentRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfluentRegistry").field("urls", &self.urls).finish_non_exhaustive()
    }
}

impl ConfluentRegistry {
    /// A client of the registry at `http[s]://[user:password@]host[:port][/path]`; several, separated by commas, are
    /// tried in their order. Makes no connection yet.
    pub fn new(url: &str) -> Result<Self, RegistryError> {
        let address = Address::parse(url)?;
        let mut urls = address.urls.iter();
        let mut builder = SrSettings::new_builder(urls.next().cloned().unwrap_or_default());
        for url in urls {
            builder.add_url(url.clone());
        }
        if let Some((user, password)) = &address.credentials {
            builder.set_basic_authorization(user, password.as_deref());
        }
        builder.set_timeout(TIMEOUT);
        let settings = builder.build().map_err(|e| RegistryError::Refused(described(&e)))?;
        Ok(Self { settings, urls: address.urls, cache: Mutex::default() })
    }

    fn call<T>(
        &self,
        what: &str,
        call: impl Fn(&SrSettings) -> Result<T, SRCError>,
    ) -> Result<Option<T>, RegistryError> {
        let mut waits = BACKOFF.iter();
        loop {
            let fault = match call(&self.settings) {
                Ok(value) => return Ok(Some(value)),
                Err(error) => error,
            };
            let message = || format!("{what} at {}: {}", self.urls.join(", "), described(&fault));
            match classify(&fault) {
                Fault::Absent => return Ok(None),
                Fault::Lasting => return Err(RegistryError::Refused(message())),
                kind @ (Fault::Passing | Fault::Conflict) => match waits.next() {
                    Some(wait) => {
                        tracing::debug!(fault = message(), "schema registry call is tried again");
                        thread::sleep(*wait);
                    }
                    None if matches!(kind, Fault::Conflict) => {
                        return Err(RegistryError::Refused(message()));
                    }
                    None => return Err(RegistryError::Unavailable(message())),
                },
            }
        }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    /// `None`: ask the registry.
    fn get(&self, id: u32, now: Instant) -> Option<Option<String>> {
        if let Some(text) = self.known.get(&id) {
            return Some(Some(text.clone()));
        }
        let since = self.unknown.get(&id)?;
        (now.duration_since(*since) < UNKNOWN_FOR).then_some(None)
    }

    fn put(&mut self, id: u32, text: Option<&str>, now: Instant) {
        match text {
            Some(text) => {
                if self.known.len() >= MAX_CACHED {
                    self.known.clear();
                }
                self.unknown.remove(&id);
                self.known.insert(id, text.to_owned());
            }
            None => {
                if self.unknown.len() >= MAX_CACHED {
                    self.unknown.clear();
                }
                self.unknown.insert(id, now);
            }
        }
    }
}

impl SchemaRegistry for ConfluentRegistry {
    fn schema(&self, id: u32) -> Result<Option<String>, RegistryError> {
        if let Some(cached) = self.cache().get(id, Instant::now()) {
            return Ok(cached);
        }
        let schema = self.call(&format!("schema {id}"), |settings| get_schema_by_id(id, settings))?;
        let text = schema.map(|schema| schema.schema);
        self.cache().put(id, text.as_deref(), Instant::now());
        Ok(text)
    }

    fn register(&self, subject: &str, avro: &str) -> Result<u32, RegistryError> {
        let schema = SuppliedSchema::new(None, SchemaType::Avro, avro.to_owned());
        let what = format!("registering under `{subject}`");
        let registered = self
            .call(&what, |settings| post_schema(settings, subject.to_owned(), schema.clone()))?
            .ok_or_else(|| {
                RegistryError::Refused(format!(
                    "{what}: not found; is the URL that of a Confluent-compatible API?"
                ))
            })?;
        self.cache().put(registered.id, Some(avro), Instant::now());
        Ok(registered.id)
    }

    fn latest(&self, subject: &str) -> Result<Option<(u32, String)>, RegistryError> {
        let strategy = SubjectNameStrategy::RecordNameStrategy(subject.to_owned());
        let what = format!("the latest schema of `{subject}`");
        let latest = self.call(&what, |settings| get_schema_by_subject(settings, &strategy))?;
        Ok(latest.map(|RegisteredSchema { id, schema, .. }| (id, schema)))
    }
}

enum Fault {
    /// The registry does not know the subject or the id.
    Absent,
    /// The same call may succeed later.
    Passing,
    /// An incompatible schema, or one that another client registered at the same moment: Apicurio answers the loser of
    /// that race with a 409, and with the winner's id when asked once more.
    Conflict,
    /// It will not.
    Lasting,
}

fn classify(error: &SRCError) -> Fault {
    let code =
        error.source().and_then(|cause| cause.downcast_ref::<RawError>()).map_or(0, |raw| raw.error_code);
    let status = match code {
        // Confluent's codes are the HTTP status and two digits more: 40401 to 40403 are subject, version, schema.
        40_400..40_500 => return Fault::Absent,
        1_000.. => code / 100,
        _ => http_status(&error.error),
    };
    // A bare 404 is no answer of a registry: were it one, a wrong path would make every record's schema unknown.
    match status {
        0 | 408 | 429 | 500.. => Fault::Passing,
        409 => Fault::Conflict,
        _ => Fault::Lasting,
    }
}

/// The crate has the status in its message alone: "... failed with status 404 Not Found". 0: none came.
fn http_status(message: &str) -> u32 {
    let digits = message.split_once("status ").map_or("", |(_, rest)| rest.get(..3).unwrap_or_default());
    digits.parse().unwrap_or(0)
}

/// What went wrong, to the root cause ("Connection refused"). URLs in it have no credentials.
fn described(error: &SRCError) -> String {
    let mut text = error.error.clone();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    if http_status(&error.error) == 404 {
        text.push_str(
            "; is the URL that of a Confluent-compatible API? (Apicurio's ends in /apis/ccompat/v7)",
        );
    }
    text
}

#[cfg(test)]
mod tests;

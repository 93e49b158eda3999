//! Configuration in layers: defaults < file < environment < flags.

mod args;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

pub use args::Args;
use clap::ValueEnum;
use rand::RngExt as _;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// What holds for the effects of a row after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// Outputs and offsets go into one Kafka transaction: each effect appears once.
    #[default]
    ExactlyOnce,
    /// Offsets are committed after every effect is acknowledged: effects may appear again, equal ones.
    AtLeastOnce,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// The settings of a process, all layers applied.
#[derive(Debug, Clone, Serialize)]
pub struct Configuration {
    /// Kafka's bootstrap servers.
    pub kafka_bootstrap: String,
    /// The online store's URL.
    pub redis_url: String,
    /// The schema registry's URL.
    pub schema_registry_url: String,
    /// What holds for the effects of a row after a failure.
    pub delivery: Delivery,
    /// The name of this process in its transactional ids.
    pub instance: String,
    /// Worker threads.
    pub workers: usize,
    /// Where the admin port listens; port 0: a free one.
    pub admin: SocketAddr,
    /// Rows that a task takes at once at most.
    pub batch_rows: usize,
    /// Bytes of records held per input partition before it is polled no further.
    pub buffer_bytes: usize,
    /// Keys that each worker holds back while the online store is away.
    pub store_backlog: usize,
    /// How long a shutdown may take, in ms.
    pub shutdown_ms: u64,
    /// How logs are written.
    pub log_format: LogFormat,
    /// What is logged, as in `RUST_LOG`.
    pub log: String,
    /// Options of librdkafka for every client.
    pub kafka: BTreeMap<String, String>,
}

/// The settings as a file may hold them: each may be absent, none may be unknown.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kafka_bootstrap: Option<String>,
    redis_url: Option<String>,
    schema_registry_url: Option<String>,
    delivery: Option<Delivery>,
    instance: Option<String>,
    workers: Option<usize>,
    admin: Option<SocketAddr>,
    batch_rows: Option<usize>,
    buffer_bytes: Option<usize>,
    store_backlog: Option<usize>,
    shutdown_ms: Option<u64>,
    log_format: Option<LogFormat>,
    log: Option<String>,
    #[serde(default)]
    kafka: BTreeMap<String, String>,
}

/// What environment variables begin with that hold options of librdkafka.
pub const KAFKA_PREFIX: &str = "MILLRACE_KAFKA_";

impl Configuration {
    /// Applies the layers: the file that `args` names, `MILLRACE_KAFKA_*` of the process's environment, `args` (which
    /// hold the other variables already).
    pub fn load(args: &Args) -> Result<Self, Error> {
        let file = match &args.config {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path)
                .map_err(|e| Error::Configuration(format!("cannot read {}: {e}", path.display())))?,
        };
        let name = args.config.as_ref().map_or(String::new(), |p| p.display().to_string());
        // Not `vars`, which panics at what is not UTF-8.
        let variables = std::env::vars_os();
        let variables =
            variables.map(|(n, v)| (n.to_string_lossy().into_owned(), v.to_string_lossy().into_owned()));
        Self::resolve(args, variables, &file).map_err(|e| match e {
            Error::Configuration(text) if !name.is_empty() => Error::Configuration(format!("{name}: {text}")),
            other => other,
        })
    }

    /// [`load`](Self::load) with everything it reads as arguments.
    pub fn resolve(
        args: &Args,
        environment: impl Iterator<Item = (String, String)>,
        file: &str,
    ) -> Result<Self, Error> {
        let file: File = toml::from_str(file).map_err(|e| Error::Configuration(e.to_string()))?;
        let args = args.clone();
        let mut kafka = file.kafka;
        kafka.extend(environment.filter_map(|(name, value)| {
            Some((name.strip_prefix(KAFKA_PREFIX)?.to_lowercase().replace('_', "."), value))
        }));
        kafka.extend(args.kafka);
        let configuration = Self {
            kafka_bootstrap: args
                .kafka_bootstrap
                .or(file.kafka_bootstrap)
                .unwrap_or_else(|| "localhost:9092".into()),
            redis_url: args.redis_url.or(file.redis_url).unwrap_or_else(|| "redis://localhost:6379".into()),
            schema_registry_url: args
                .schema_registry_url
                .or(file.schema_registry_url)
                .unwrap_or_else(|| "http://localhost:8081".into()),
            delivery: args.delivery.or(file.delivery).unwrap_or_default(),
            instance: args.instance.or(file.instance).unwrap_or_else(random_instance),
            workers: args.workers.or(file.workers).unwrap_or_else(cores),
            admin: args.admin.or(file.admin).unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into()),
            batch_rows: args.batch_rows.or(file.batch_rows).unwrap_or(8192),
            buffer_bytes: args.buffer_bytes.or(file.buffer_bytes).unwrap_or(8 << 20),
            store_backlog: args.store_backlog.or(file.store_backlog).unwrap_or(1_000_000),
            shutdown_ms: args.shutdown_ms.or(file.shutdown_ms).unwrap_or(20_000),
            log_format: args.log_format.or(file.log_format).unwrap_or_default(),
            log: args.log.or(file.log).unwrap_or_else(|| "info".into()),
            kafka,
        };
        configuration.check()?;
        Ok(configuration)
    }

    fn check(&self) -> Result<(), Error> {
        let positive = [
            ("workers", self.workers),
            ("batch_rows", self.batch_rows),
            ("buffer_bytes", self.buffer_bytes),
            ("store_backlog", self.store_backlog),
        ];
        if let Some((name, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return Err(Error::Configuration(format!("{name} must be at least 1")));
        }
        let strategy = self.kafka.get("partition.assignment.strategy");
        if strategy.is_some_and(|s| s != "range") {
            return Err(Error::Configuration(
                "partition.assignment.strategy must be range: it keeps equal partition numbers together"
                    .into(),
            ));
        }
        Ok(())
    }

    /// The options of a client of this cluster, those of `--kafka` included.
    pub fn kafka_client(&self) -> rdkafka::ClientConfig {
        crate::kafka::options::client(self, &[])
    }

    /// How long a shutdown may take.
    pub fn shutdown_bound(&self) -> Duration {
        Duration::from_millis(self.shutdown_ms)
    }

    /// The settings as a TOML file, passwords and keys left out.
    pub fn redacted(&self) -> Result<String, Error> {
        let mut shown = self.clone();
        for url in [&mut shown.redis_url, &mut shown.schema_registry_url] {
            *url = redact_url(url);
        }
        for (option, value) in &mut shown.kafka {
            let secret = ["password", "secret", "key.pem", "jaas", "token", "certificate.pem"];
            if secret.iter().any(|s| option.contains(s)) {
                *value = REDACTED.into();
            }
        }
        toml::to_string(&shown).map_err(|e| Error::Configuration(e.to_string()))
    }
}

const REDACTED: &str = "***";

/// A URL without the password, or a token, before its `@`.
fn redact_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority = rest.find(['/', '?']).unwrap_or(rest.len());
    match rest[..authority].rfind('@') {
        None => url.to_owned(),
        Some(at) => {
            let user = rest[..at].split_once(':').map_or("", |(user, _)| user);
            format!("{scheme}://{user}:{REDACTED}{}", &rest[at..])
        }
    }
}

fn random_instance() -> String {
    format!("{:08x}", rand::rng().random::<u32>())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(args: &Args, environment: &[(&str, &str)], file: &str) -> Result<Configuration, Error> {
        let environment = environment.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        Configuration::resolve(args, environment, file)
    }

    #[test]
    fn flags_win_over_the_environment_which_wins_over_the_file() {
        let file =
            "workers = 3\nbatch_rows = 7\n[kafka]\n\"fetch.wait.max.ms\" = \"1\"\n\"linger.ms\" = \"1\"\n";
        let environment =
            [("MILLRACE_KAFKA_FETCH_WAIT_MAX_MS", "2"), ("MILLRACE_KAFKA_LINGER_MS", "2"), ("PATH", "x")];
        let args =
            Args { workers: Some(5), kafka: vec![("linger.ms".into(), "3".into())], ..Args::default() };
        let configuration = resolve(&args, &environment, file).unwrap();
        assert_eq!((configuration.workers, configuration.batch_rows), (5, 7));
        let kafka: Vec<_> = configuration.kafka.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(kafka, [("fetch.wait.max.ms", "2"), ("linger.ms", "3")]);
        assert_eq!(configuration.delivery, Delivery::ExactlyOnce);
    }

    #[test]
    fn an_unknown_key_of_the_file_is_refused_by_name() {
        let error = resolve(&Args::default(), &[], "worker = 3").unwrap_err().to_string();
        assert!(error.contains("worker"), "{error}");
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        assert!(resolve(&Args::default(), &[], "workers = 0").is_err());
        let sticky = [("MILLRACE_KAFKA_PARTITION_ASSIGNMENT_STRATEGY", "cooperative-sticky")];
        assert!(resolve(&Args::default(), &sticky, "").is_err());
    }

    #[test]
    fn secrets_are_not_printed() {
        let file = "redis_url = \"rediss://ann:hush@host:1/0\"\nschema_registry_url = \"http://host:8081\"\n\
                    [kafka]\n\"sasl.password\" = \"hush\"\n";
        let shown = resolve(&Args::default(), &[], file).unwrap().redacted().unwrap();
        assert!(!shown.contains("hush"), "{shown}");
        assert!(shown.contains("rediss://ann:***@host:1/0") && shown.contains("http://host:8081"), "{shown}");
    }
}

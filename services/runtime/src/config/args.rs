//! The flags that every service has, with the environment variables that say the same.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::{Delivery, LogFormat};

/// Flags of every service. What is not given comes from the environment, then from `--config`, then from defaults.
#[derive(Debug, Clone, Default, ClapArgs)]
#[command(next_help_heading = "Service options")]
pub struct Args {
    /// File with these settings (TOML; keys as the flags, with underscores; Kafka options under [kafka])
    #[arg(long, env = "MILLRACE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Kafka's bootstrap servers [default: localhost:9092]
    #[arg(long, env = "KAFKA_BOOTSTRAP", value_name = "HOST:PORT,...")]
    pub kafka_bootstrap: Option<String>,

    /// The online store; user, password, TLS (rediss://) and database are part of the URL [default:
    /// redis://localhost:6379]
    #[arg(long, env = "REDIS_URL", hide_env_values = true, value_name = "URL")]
    pub redis_url: Option<String>,

    /// The schema registry, any that speaks Confluent's API; user and password are part of the URL [default:
    /// http://localhost:8081]
    #[arg(long, env = "SCHEMA_REGISTRY_URL", hide_env_values = true, value_name = "URL")]
    pub schema_registry_url: Option<String>,

    /// What holds for each row after a failure: its effects appear once, or at least once [default: exactly-once]
    #[arg(long, env = "MILLRACE_DELIVERY", value_enum)]
    pub delivery: Option<Delivery>,

    /// A librdkafka option for every client, e.g. --kafka security.protocol=SSL; repeatable (environment:
    /// MILLRACE_KAFKA_SECURITY_PROTOCOL=SSL)
    #[arg(long, value_name = "OPTION=VALUE", value_parser = option)]
    pub kafka: Vec<(String, String)>,

    /// Name of this process among those of its group, part of its transactional ids [default: random]
    #[arg(long, env = "MILLRACE_INSTANCE", value_name = "NAME")]
    pub instance: Option<String>,

    /// Worker threads, each with a consumer and a producer of its own [default: one per core]
    #[arg(long, env = "MILLRACE_WORKERS", value_name = "N")]
    pub workers: Option<usize>,

    /// Where /metrics, /live and /ready are served [default: a free port of 127.0.0.1, logged]
    #[arg(long, env = "MILLRACE_ADMIN", value_name = "ADDRESS:PORT")]
    pub admin: Option<SocketAddr>,

    /// Rows that a task takes at once at most [default: 8192]
    #[arg(long, env = "MILLRACE_BATCH_ROWS", value_name = "N")]
    pub batch_rows: Option<usize>,

    /// Bytes of records that are held per input partition before it is polled no further [default: 8388608]
    #[arg(long, env = "MILLRACE_BUFFER_BYTES", value_name = "N")]
    pub buffer_bytes: Option<usize>,

    /// Keys of the online store that each worker holds back while the store is away; then it waits [default: 1000000]
    #[arg(long, env = "MILLRACE_STORE_BACKLOG", value_name = "N")]
    pub store_backlog: Option<usize>,

    /// How long a shutdown may take, in ms [default: 20000]
    #[arg(long, env = "MILLRACE_SHUTDOWN_MS", value_name = "MS")]
    pub shutdown_ms: Option<u64>,

    /// How logs are written [default: text]
    #[arg(long, env = "MILLRACE_LOG_FORMAT", value_enum)]
    pub log_format: Option<LogFormat>,

    /// What is logged, as in RUST_LOG [default: info]
    #[arg(long, env = "MILLRACE_LOG", value_name = "FILTER")]
    pub log: Option<String>,
}

fn option(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((option, value)) if !option.is_empty() => Ok((option.to_owned(), value.to_owned())),
        _ => Err("write it as option=value".to_owned()),
    }
}

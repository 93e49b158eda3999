//! Logs and metrics of a process.

use std::io::IsTerminal as _;
use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::{Configuration, LogFormat};
use crate::error::Error;
use crate::metrics::{BATCH_ROWS, LATENCY_SECONDS};

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

const LATENCY_BUCKETS: [f64; 16] =
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0, 600.0, 3600.0];
const BATCH_BUCKETS: [f64; 10] = [1.0, 2.0, 5.0, 10.0, 50.0, 100.0, 500.0, 1000.0, 5000.0, 10_000.0];

/// Starts logging to standard error; `RUST_LOG` wins over the configuration's filter. Once per process: later calls
/// change nothing.
pub fn start_logs(configuration: &Configuration) -> Result<(), Error> {
    let text = std::env::var("RUST_LOG").unwrap_or_else(|_| configuration.log.clone());
    let filter =
        EnvFilter::try_new(&text).map_err(|e| Error::Configuration(format!("log filter \"{text}\": {e}")))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let _ = match configuration.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    Ok(())
}

/// Starts measuring, before anything is measured; the same handle for every call of a process.
pub fn start_metrics() -> Result<PrometheusHandle, Error> {
    if let Some(handle) = METRICS.get() {
        return Ok(handle.clone());
    }
    let refused = |e: metrics_exporter_prometheus::BuildError| Error::Configuration(format!("metrics: {e}"));
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(LATENCY_SECONDS.into()), &LATENCY_BUCKETS)
        .map_err(refused)?
        .set_buckets_for_metric(Matcher::Full(BATCH_ROWS.into()), &BATCH_BUCKETS)
        .map_err(refused)?;
    let recorder = builder.build_recorder();
    let handle = METRICS.get_or_init(|| recorder.handle()).clone();
    // Another thread may have been faster: its recorder stands, and its handle is the one returned.
    let _ = metrics::set_global_recorder(recorder);
    Ok(handle)
}

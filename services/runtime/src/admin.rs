//! The admin port: `/metrics`, `/live`, `/ready`.

use std::net::SocketAddr;
use std::thread::JoinHandle;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::oneshot;

use crate::error::Error;
use crate::readiness::Readiness;

/// A running admin port; it closes with the value.
pub struct Admin {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone)]
struct Shared {
    readiness: Readiness,
    metrics: PrometheusHandle,
}

impl Admin {
    /// Listens on `address` (port 0: a free one), and logs where.
    pub fn start(
        address: SocketAddr,
        readiness: Readiness,
        metrics: PrometheusHandle,
    ) -> Result<Self, Error> {
        let io =
            move |source| Error::Io { what: format!("cannot serve the admin port on {address}"), source };
        let listener = std::net::TcpListener::bind(address).map_err(io)?;
        listener.set_nonblocking(true).map_err(io)?;
        let address = listener.local_addr().map_err(io)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(io)?;
        let (stop, stopped) = oneshot::channel();
        let app = Router::new()
            .route("/metrics", get(metrics_page))
            .route("/live", get(live))
            .route("/ready", get(ready))
            .with_state(Shared { readiness, metrics });
        let serve = move || {
            // Dropping the runtime ends what is still connected.
            runtime.block_on(async move {
                let served = tokio::spawn(async move {
                    let listener = tokio::net::TcpListener::from_std(listener)?;
                    axum::serve(listener, app).await
                });
                let _ = stopped.await;
                served.abort();
            });
        };
        let thread = std::thread::Builder::new().name("admin".into()).spawn(serve).map_err(io)?;
        tracing::info!(%address, "admin port");
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn metrics_page(State(shared): State<Shared>) -> String {
    shared.metrics.run_upkeep();
    shared.metrics.render()
}

async fn live(State(shared): State<Shared>) -> (StatusCode, String) {
    answer(shared.readiness.live())
}

async fn ready(State(shared): State<Shared>) -> (StatusCode, String) {
    answer(shared.readiness.ready())
}

fn answer(state: Result<(), String>) -> (StatusCode, String) {
    match state {
        Ok(()) => (StatusCode::OK, "ok\n".into()),
        Err(missing) => (StatusCode::SERVICE_UNAVAILABLE, format!("{missing}\n")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn ready_says_what_is_missing_until_nothing_is() {
        let readiness = Readiness::new();
        readiness.wait_for("features", "no partitions yet");
        let metrics = crate::telemetry::start_metrics().unwrap();
        let admin = Admin::start(([127, 0, 0, 1], 0).into(), readiness.clone(), metrics).unwrap();
        let answer = get(admin.address(), "/ready");
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("no partitions yet"), "{answer}");
        readiness.done("features");
        assert!(get(admin.address(), "/ready").starts_with("HTTP/1.1 200"));
        assert!(get(admin.address(), "/live").starts_with("HTTP/1.1 200"));
        crate::metrics::lag("g", "t", 3, 12);
        let page = get(admin.address(), "/metrics");
        assert!(page.contains("millrace_lag_rows{group=\"g\",topic=\"t\",partition=\"3\"} 12"), "{page}");
    }
}

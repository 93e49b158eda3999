//! A real Redis, without persistence.

use std::collections::HashMap;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use redis::Commands;
use tempfile::TempDir;

use crate::process::Process;
use crate::reaper;
use crate::stack::free_port;

const READY_WITHIN: Duration = Duration::from_secs(20);

/// A Redis server. Its drop stops it.
pub struct Redis {
    url: String,
    _server: Option<Process>,
    _folder: Option<TempDir>,
}

impl Redis {
    /// The server that `REDIS_URL` names, or a new one.
    pub fn start() -> Result<Self> {
        match std::env::var("REDIS_URL") {
            Ok(url) => Ok(Self { url, _server: None, _folder: None }),
            Err(_) => Self::start_own(),
        }
    }

    fn start_own() -> Result<Self> {
        let folder = reaper::temporary_folder()?;
        let port = free_port()?;
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(folder.path());
        let mut server = Process::spawn("Redis", &mut command)
            .context("redis-server does not start: run `make setup-test`")?;
        let url = format!("redis://127.0.0.1:{port}/");
        let client = redis::Client::open(url.as_str())?;
        server.until("answering PING", READY_WITHIN, |_| {
            let answer = client.get_connection().and_then(|mut c| redis::cmd("PING").query::<String>(&mut c));
            Ok(answer.ok())
        })?;
        Ok(Self { url, _server: Some(server), _folder: Some(folder) })
    }

    /// What goes into `REDIS_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Every hash whose key begins with `prefix`, by key.
    pub fn hashes(&self, prefix: &str) -> Result<HashMap<String, HashMap<String, String>>> {
        let mut connection = redis::Client::open(self.url.as_str())?.get_connection()?;
        let keys: Vec<String> =
            connection.scan_match(format!("{prefix}*"))?.collect::<redis::RedisResult<Vec<_>>>()?;
        let mut hashes = HashMap::with_capacity(keys.len());
        for chunk in keys.chunks(1000) {
            let mut pipeline = redis::pipe();
            for key in chunk {
                pipeline.hgetall(key);
            }
            let found: Vec<HashMap<String, String>> = pipeline.query(&mut connection)?;
            hashes.extend(chunk.iter().cloned().zip(found));
        }
        Ok(hashes)
    }

    /// How long the key lives from now, in ms; `None` without an end, or without the key.
    pub fn ttl_ms(&self, key: &str) -> Result<Option<i64>> {
        let mut connection = redis::Client::open(self.url.as_str())?.get_connection()?;
        let ttl: i64 = connection.pttl(key)?;
        Ok((ttl >= 0).then_some(ttl))
    }
}

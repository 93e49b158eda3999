//! A real schema registry: Apicurio, in memory, through its Confluent-compatible API.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use tempfile::TempDir;

use crate::process::Process;
use crate::stack::free_port;
use crate::{cache, http, reaper};

const READY_WITHIN: Duration = Duration::from_secs(60);
const API: &str = "/apis/ccompat/v7";

/// A registry. Its drop stops it.
pub struct Registry {
    url: String,
    _server: Option<Process>,
    _folder: Option<TempDir>,
}

impl Registry {
    /// The registry that `SCHEMA_REGISTRY_URL` names, or a new one.
    pub fn start() -> Result<Self> {
        match std::env::var("SCHEMA_REGISTRY_URL") {
            Ok(url) => Ok(Self { url, _server: None, _folder: None }),
            Err(_) => Self::start_own(),
        }
    }

    fn start_own() -> Result<Self> {
        let jar = cache::path("apicurio/2.6.13.Final/runner.jar")?;
        let folder = reaper::temporary_folder()?;
        let address = format!("127.0.0.1:{}", free_port()?);
        let (host, port) = address.split_once(':').unwrap_or_default();
        let mut command = Command::new("java");
        command
            .args(["-Xmx256m", "-XX:+UseSerialGC"])
            .args([format!("-Dquarkus.http.host={host}"), format!("-Dquarkus.http.port={port}")])
            .arg("-jar")
            .arg(jar)
            .current_dir(folder.path());
        let mut server = Process::spawn("the schema registry", &mut command)?;
        let subjects = format!("{API}/subjects");
        server.until("answering", READY_WITHIN, |_| {
            let answer = http::get(&address, &subjects);
            Ok(answer.is_ok_and(|(status, _)| status == 200).then_some(()))
        })?;
        let url = format!("http://{address}{API}");
        Ok(Self { url, _server: Some(server), _folder: Some(folder) })
    }

    /// What goes into `SCHEMA_REGISTRY_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }
}

//! The real binary, run as its users run it.

use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::application::Application;
use crate::http;
use crate::process::Process;
use crate::stack::{Stack, free_port};

const READY_WITHIN: Duration = Duration::from_secs(60);

/// The binary with the servers and the application it works on.
pub struct Millrace<'a> {
    stack: Option<&'a Stack>,
    app: &'a Application,
    environment: Vec<(String, String)>,
}

/// A run that has ended.
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed, on both outputs.
    pub output: String,
}

/// A service that runs.
pub struct Service {
    /// Its process: log lines, signals, status.
    pub process: Process,
    admin: String,
}

impl<'a> Millrace<'a> {
    /// The binary against `stack`.
    pub fn new(stack: &'a Stack, app: &'a Application) -> Self {
        Self { stack: Some(stack), app, environment: Vec::new() }
    }

    /// The binary without any server: for `check`, `backfill` and what else needs none.
    pub fn offline(app: &'a Application) -> Self {
        Self { stack: None, app, environment: Vec::new() }
    }

    /// Sets an environment variable for all its runs.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// `millrace <words> --topics <the application's folder>`; `{app}` in a word is the application's name.
    pub fn command(&self, words: &[&str]) -> Result<Command> {
        let mut command = Command::new(binary()?);
        command.args(words.iter().map(|word| word.replace("{app}", self.app.name())));
        command.arg("--topics").arg(self.app.topics());
        // Nothing listens on port 1: a run without servers that looks for one fails at once.
        let (kafka, registry, redis) = match self.stack {
            Some(stack) => (stack.kafka.bootstrap(), stack.registry.url(), stack.redis.url()),
            None => ("127.0.0.1:1", "http://127.0.0.1:1", "redis://127.0.0.1:1/"),
        };
        command
            .env("KAFKA_BOOTSTRAP", kafka)
            .env("SCHEMA_REGISTRY_URL", registry)
            .env("REDIS_URL", redis)
            .env("NO_COLOR", "1")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.app.topics());
        Ok(command)
    }

    /// Runs to the end, whatever the exit status.
    pub fn run(&self, words: &[&str], bound: Duration) -> Result<Finished> {
        let mut process =
            Process::spawn(&format!("millrace {}", words.join(" ")), &mut self.command(words)?)?;
        let status = process.wait(bound)?;
        Ok(Finished { status, output: process.output() })
    }

    /// Runs to the end, which must be a success; what it printed.
    pub fn succeed(&self, words: &[&str], bound: Duration) -> Result<String> {
        let finished = self.run(words, bound)?;
        ensure!(
            finished.status.success(),
            "millrace {} failed ({}):\n{}",
            words.join(" "),
            finished.status,
            finished.output
        );
        Ok(finished.output)
    }

    /// Starts a service without waiting for it.
    pub fn spawn(&self, words: &[&str]) -> Result<Service> {
        let admin = format!("127.0.0.1:{}", free_port()?);
        let mut command = self.command(words)?;
        command.args(["--admin", &admin]);
        let process = Process::spawn(&format!("millrace {}", words.join(" ")), &mut command)?;
        Ok(Service { process, admin })
    }

    /// Starts a service and waits until it is ready.
    pub fn start(&self, words: &[&str]) -> Result<Service> {
        let mut service = self.spawn(words)?;
        service.wait_until_ready()?;
        Ok(service)
    }
}

impl Service {
    /// Waits until `/ready` says yes.
    pub fn wait_until_ready(&mut self) -> Result<()> {
        let admin = self.admin.clone();
        self.process.until("being ready", READY_WITHIN, |_| {
            let answer = http::get(&admin, "/ready");
            Ok(answer.is_ok_and(|(status, _)| status == 200).then_some(()))
        })
    }

    /// `/ready` as it is now: status code and text.
    pub fn ready(&self) -> Result<(u16, String)> {
        http::get(&self.admin, "/ready")
    }

    /// The text of `/metrics`.
    pub fn metrics(&self) -> Result<String> {
        Ok(http::get(&self.admin, "/metrics")?.1)
    }

    /// Ends it as an operator would, and checks that it ended well.
    pub fn stop(mut self) -> Result<()> {
        let status = self.process.terminate(Duration::from_secs(40))?;
        ensure!(
            status.success(),
            "a service that was asked to end ended with {status}:\n{}",
            self.process.tail()
        );
        Ok(())
    }
}

/// `millrace` of the build that these tests belong to.
fn binary() -> Result<PathBuf> {
    let tests = std::env::current_exe()?;
    let folder = tests.parent().and_then(|deps| deps.parent()).context("the tests lie in no build folder")?;
    let binary = folder.join("millrace");
    ensure!(binary.exists(), "{} is missing: run `make test`, which builds it first", binary.display());
    Ok(binary)
}

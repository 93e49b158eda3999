//! Runs a command with servers of its own: `with-servers <command> <arguments>` starts Kafka, a schema registry and Redis,
//! tells the command where they are by `KAFKA_BOOTSTRAP`, `SCHEMA_REGISTRY_URL` and `REDIS_URL`, and ends them with it.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use millrace_tests::stack::Stack;

fn main() -> Result<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    let program = words.next().context("write with-servers <command> <arguments>")?;
    // What is left of the servers goes when this process does.
    let stack = Stack::shared()?;
    let status = Command::new(&program)
        .args(words)
        .env("KAFKA_BOOTSTRAP", stack.kafka.bootstrap())
        .env("SCHEMA_REGISTRY_URL", stack.registry.url())
        .env("REDIS_URL", stack.redis.url())
        .status()
        .with_context(|| format!("cannot start {}", program.display()))?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

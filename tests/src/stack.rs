//! Kafka, a schema registry and Redis, started once per test binary.

use std::collections::HashSet;
use std::net::TcpListener;
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Result, anyhow};

use crate::kafka::Kafka;
use crate::redis::Redis;
use crate::registry::Registry;

/// Servers that tests share: each test uses an application name of its own, so they do not meet.
pub struct Stack {
    /// The broker.
    pub kafka: Kafka,
    /// The schema registry.
    pub registry: Registry,
    /// The online store.
    pub redis: Redis,
}

impl Stack {
    /// The servers of this test binary; the first call starts them, side by side.
    pub fn shared() -> Result<&'static Stack> {
        static STACK: OnceLock<Result<Stack>> = OnceLock::new();
        STACK.get_or_init(Stack::start).as_ref().map_err(|error| anyhow!("{error:#}"))
    }

    fn start() -> Result<Stack> {
        std::thread::scope(|scope| {
            let kafka = scope.spawn(Kafka::start);
            let registry = scope.spawn(Registry::start);
            let redis = Redis::start()?;
            let panicked = |_| anyhow!("a server's start panicked");
            Ok(Stack {
                kafka: kafka.join().map_err(panicked)??,
                registry: registry.join().map_err(panicked)??,
                redis,
            })
        })
    }
}

/// A port that nothing listens on, and that this process has not handed out before.
pub fn free_port() -> Result<u16> {
    static TAKEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    loop {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.get_or_insert_default().insert(port) {
            return Ok(port);
        }
    }
}

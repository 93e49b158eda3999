//! The online store in Redis: one hash per key, one pipeline per batch.

use std::time::Duration;

use redis::cluster::{ClusterClient, ClusterConnection, cluster_pipe};
use redis::{
    Client, Cmd, Connection, ConnectionLike, ErrorKind, RedisError, RedisResult, Script, ServerErrorKind,
    Value,
};

use super::redis_url::{self, Address};
use super::{Hash, OnlineStore, StoreError, VersionedWrite};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long one reply may take. A worker that waits longer than its Kafka session would lose its partitions.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Keys in one pipeline: bounds what Redis buffers of replies, and one script call after the other holds nobody up.
const SERVER_PIPELINE: usize = 1024;
/// The client waits for each reply of a cluster's node anew, hung or not: less of both bounds the whole call.
const CLUSTER_PIPELINE: usize = 64;
const CLUSTER_RESPONSE_TIMEOUT: Duration = Duration::from_millis(500);

/// One connection to a Redis server or cluster. It connects when it is used, and again after it was lost.
pub struct RedisStore {
    target: Target,
    link: Option<Link>,
    replace: Script,
}

enum Target {
    Server(Client),
    Cluster(ClusterClient),
}

enum Link {
    Server(Box<Connection>),
    Cluster(Box<ClusterConnection>),
}

impl RedisStore {
    /// A store at a URL, see [`super::open`]. Fails as `Refused` if the URL or what it says of user and password is
    /// wrong. A server that is down now is no error: writes and reads will say so.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        let target = match redis_url::parse(url)? {
            Address::Server(node) => Target::Server(Client::open(*node).map_err(fault)?),
            Address::Cluster(nodes) => Target::Cluster(
                ClusterClient::builder(nodes)
                    .connection_timeout(CONNECT_TIMEOUT)
                    .response_timeout(CLUSTER_RESPONSE_TIMEOUT)
                    .retries(3)
                    .min_retry_wait(10)
                    .max_retry_wait(100)
                    .build()
                    .map_err(fault)?,
            ),
        };
        let mut store = Self { target, link: None, replace: Script::new(include_str!("replace.lua")) };
        match store.link() {
            Err(refused @ StoreError::Refused(_)) => Err(refused),
            Ok(_) | Err(StoreError::Unavailable(_)) => Ok(store),
        }
    }

    fn link(&mut self) -> Result<&mut Link, StoreError> {
        let link = match self.link.take() {
            Some(link) => link,
            None => self.target.connect().map_err(fault)?,
        };
        Ok(self.link.insert(link))
    }

    /// Runs commands in one round trip; one reply each. A lost connection is dropped: the next call makes a new one.
    fn query(&mut self, commands: &[Cmd]) -> Result<Vec<RedisResult<Value>>, StoreError> {
        let replies = self.link()?.query(commands);
        let moved = |reply: &RedisResult<Value>| reply.as_ref().is_err_and(says_other_node);
        if replies.as_ref().map_or(true, |replies| replies.iter().any(moved)) {
            self.link = None;
        }
        replies.map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    fn load_script(&mut self) -> Result<(), StoreError> {
        let script = self.replace.clone();
        let loaded = match self.link()? {
            Link::Server(connection) => script.load(connection.as_mut()),
            Link::Cluster(connection) => script.load(connection.as_mut()),
        };
        if loaded.is_err() {
            self.link = None;
        }
        loaded.map(drop).map_err(fault)
    }

    fn replace_command(&self, one: &VersionedWrite) -> Cmd {
        let mut command = redis::cmd("EVALSHA");
        command
            .arg(self.replace.get_hash())
            .arg(1)
            .arg(&one.write.key)
            .arg(one.version.epoch_ms)
            .arg(one.version.offsets)
            .arg(one.write.ttl_ms.map_or(0, |ttl| ttl.max(1)));
        for (field, value) in &one.write.fields {
            command.arg(field.as_bytes()).arg(value);
        }
        command
    }

    /// Writes one pipeline. Every key is tried, whatever became of the others; of several faults a transient one is
    /// told first, since then the caller comes again.
    fn write_pipeline(&mut self, writes: &[VersionedWrite]) -> Result<(), StoreError> {
        let mut pending: Vec<&VersionedWrite> = writes.iter().collect();
        let mut refused = None;
        // A server that was restarted, or a replica that took over, does not know the script.
        for _ in 0..2 {
            let commands: Vec<Cmd> = pending.iter().map(|one| self.replace_command(one)).collect();
            let mut unknown = Vec::new();
            for (one, reply) in pending.into_iter().zip(self.query(&commands)?) {
                match reply {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                        unknown.push(one)
                    }
                    Err(error) => match fault_of(&one.write.key, &error) {
                        transient @ StoreError::Unavailable(_) => return Err(transient),
                        other => refused = refused.or(Some(other)),
                    },
                }
            }
            if unknown.is_empty() {
                return refused.map_or(Ok(()), Err);
            }
            self.load_script()?;
            pending = unknown;
        }
        Err(StoreError::Unavailable("it forgot the script that was just loaded".into()))
    }

    fn read_pipeline(&mut self, keys: &[String]) -> Result<Vec<Hash>, StoreError> {
        let commands: Vec<Cmd> = keys
            .iter()
            .map(|key| {
                let mut command = redis::cmd("HGETALL");
                command.arg(key);
                command
            })
            .collect();
        let hash = |(key, reply): (&String, RedisResult<Value>)| {
            let value = reply.map_err(|error| fault_of(key, &error))?;
            redis::from_redis_value(value)
                .map_err(|e| StoreError::Refused(format!("{key} is no hash of text: {e}")))
        };
        keys.iter().zip(self.query(&commands)?).map(hash).collect()
    }

    fn pipeline_len(&self) -> usize {
        match self.target {
            Target::Server(_) => SERVER_PIPELINE,
            Target::Cluster(_) => CLUSTER_PIPELINE,
        }
    }
}

impl OnlineStore for RedisStore {
    fn write(&mut self, writes: &[VersionedWrite]) -> Result<(), StoreError> {
        let mut refused = None;
        for pipeline in writes.chunks(self.pipeline_len()) {
            match self.write_pipeline(pipeline) {
                Ok(()) => {}
                Err(transient @ StoreError::Unavailable(_)) => return Err(transient),
                Err(other) => refused = refused.or(Some(other)),
            }
        }
        refused.map_or(Ok(()), Err)
    }

    fn read(&mut self, keys: &[String]) -> Result<Vec<Hash>, StoreError> {
        let mut hashes = Vec::with_capacity(keys.len());
        for pipeline in keys.chunks(self.pipeline_len()) {
            hashes.extend(self.read_pipeline(pipeline)?);
        }
        Ok(hashes)
    }
}

impl Target {
    fn connect(&self) -> RedisResult<Link> {
        match self {
            Target::Server(client) => {
                let connection = client.get_connection_with_timeout(CONNECT_TIMEOUT)?;
                connection.set_read_timeout(Some(RESPONSE_TIMEOUT))?;
                connection.set_write_timeout(Some(RESPONSE_TIMEOUT))?;
                Ok(Link::Server(Box::new(connection)))
            }
            Target::Cluster(client) => Ok(Link::Cluster(Box::new(client.get_connection()?))),
        }
    }
}

impl Link {
    /// One reply per command. An error is the connection's own: its replies are out of step from there on.
    fn query(&mut self, commands: &[Cmd]) -> RedisResult<Vec<RedisResult<Value>>> {
        match self {
            Link::Server(connection) => query_server(connection, commands),
            Link::Cluster(connection) => query_cluster(connection, commands),
        }
    }
}

/// Unlike the client's own pipeline it stops at the first reply that does not come, instead of waiting for each.
fn query_server(connection: &mut Connection, commands: &[Cmd]) -> RedisResult<Vec<RedisResult<Value>>> {
    let mut request = Vec::new();
    for command in commands {
        command.write_packed_command(&mut request);
    }
    if request.is_empty() {
        return Ok(Vec::new());
    }
    connection.send_packed_command(&request)?;
    let mut replies = Vec::with_capacity(commands.len());
    while replies.len() < commands.len() {
        match connection.recv_response()? {
            Value::Push { .. } => {}
            reply => replies.push(reply.extract_error()),
        }
    }
    Ok(replies)
}

/// A pipeline per node. Where a node refuses a command, above all because its slot moved, the client's pipeline gives no
/// reply at all, but its single commands follow the slot: they are repeated one by one.
fn query_cluster(
    connection: &mut ClusterConnection,
    commands: &[Cmd],
) -> RedisResult<Vec<RedisResult<Value>>> {
    if commands.is_empty() {
        return Ok(Vec::new());
    }
    let mut pipeline = cluster_pipe();
    for command in commands {
        pipeline.add_command(command.clone());
    }
    match pipeline.query::<Vec<Value>>(connection) {
        Ok(replies) => Ok(replies.into_iter().map(Ok).collect()),
        Err(error) if is_reply(&error) => commands
            .iter()
            .map(|command| match connection.req_command(command).and_then(Value::extract_error) {
                Err(error) if !is_reply(&error) => Err(error),
                reply => Ok(reply),
            })
            .collect(),
        Err(error) => Err(error),
    }
}

/// Whether a server said it, in answer to a command.
fn is_reply(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension)
}

/// Whether what is connected to does not serve the key any more: a demoted master, a moved slot.
fn says_other_node(error: &RedisError) -> bool {
    matches!(error.code(), Some("READONLY" | "MOVED" | "ASK" | "CLUSTERDOWN" | "MASTERDOWN"))
}

fn fault_of(key: &str, error: &RedisError) -> StoreError {
    match fault(error.clone()) {
        StoreError::Refused(text) => StoreError::Refused(format!("{key}: {text}")),
        unavailable @ StoreError::Unavailable(_) => unavailable,
    }
}

/// Whether calling again may help. Out of memory, a failed snapshot or missing replicas are an operator's to mend, and
/// then the same write is taken.
fn fault(error: RedisError) -> StoreError {
    let text = error.to_string();
    let transient = match error.kind() {
        ErrorKind::Io | ErrorKind::ClusterConnectionNotFound | ErrorKind::Parse => true,
        ErrorKind::Server(_) | ErrorKind::Extension => {
            says_other_node(&error)
                || text.contains("max number of clients")
                || matches!(
                    error.code(),
                    Some("LOADING" | "TRYAGAIN" | "BUSY" | "OOM" | "MISCONF" | "NOREPLICAS" | "NOSCRIPT")
                )
        }
        _ => false,
    };
    if transient { StoreError::Unavailable(text) } else { StoreError::Refused(text) }
}

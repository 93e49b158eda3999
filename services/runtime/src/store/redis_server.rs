//! Redis servers for tests: on free ports, with folders of their own, gone with the value.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running `redis-server`.
pub(super) struct RedisServer {
    pub(super) port: u16,
    arguments: Vec<String>,
    folder: TempDir,
    process: Option<Child>,
}

impl RedisServer {
    pub(super) fn start(arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(ToString::to_string).collect();
        let folder = TempDir::new().unwrap();
        let mut server = Self { port: free_port(), arguments, folder, process: None };
        server.spawn();
        server
    }

    /// A server with TLS alone, under a certificate made for it.
    pub(super) fn start_tls() -> Self {
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
            .args(["-keyout", &path("key.pem"), "-out", &path("cert.pem")])
            .stderr(Stdio::null())
            .status();
        assert!(made.expect("the tests need the command openssl").success());
        let port = free_port();
        let arguments = [
            ("--tls-port", port.to_string()),
            ("--tls-cert-file", path("cert.pem")),
            ("--tls-key-file", path("key.pem")),
            ("--tls-ca-cert-file", path("cert.pem")),
            ("--tls-auth-clients", "no".to_owned()),
        ];
        let arguments = arguments.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect();
        let mut server = Self { port, arguments, folder, process: None };
        server.spawn();
        server
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A connection of the test's own.
    pub(super) fn client(&self) -> redis::Connection {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let client = redis::Client::open(self.url()).unwrap();
            match client.get_connection_with_timeout(Duration::from_secs(1)) {
                Ok(connection) => return connection,
                Err(error) => assert!(Instant::now() < deadline, "redis-server does not answer: {error}"),
            }
            std::thread::yield_now();
        }
    }

    /// Kills the server and starts it again, empty.
    pub(super) fn restart(&mut self) {
        self.kill();
        self.spawn();
    }

    pub(super) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Stops the process in its tracks (`STOP`) or lets it go on (`CONT`): it keeps its connections and answers nothing.
    pub(super) fn signal(&self, signal: &str) {
        let id = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap().success());
    }

    fn spawn(&mut self) {
        let tls = self.arguments.iter().any(|argument| argument == "--tls-port");
        let port = if tls { "0".to_owned() } else { self.port.to_string() };
        let process = Command::new("redis-server")
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--dir", &self.folder.path().display().to_string()])
            .args(&self.arguments)
            .stdout(Stdio::null())
            .spawn()
            .expect("the tests need the command redis-server (apt-get install redis-server)");
        self.process = Some(process);
        if tls { self.wait_for_port() } else { drop(self.client()) }
    }

    fn wait_for_port(&self) {
        let deadline = Instant::now() + PATIENCE;
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < deadline, "redis-server does not listen");
            std::thread::yield_now();
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Masters of a Redis Cluster that share the slots evenly.
pub(super) fn start_cluster(masters: u16) -> Vec<RedisServer> {
    let nodes: Vec<RedisServer> = (0..masters)
        .map(|_| RedisServer::start(&["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"]))
        .collect();
    let share = 16384 / masters;
    for (i, node) in (0..masters).zip(&nodes) {
        let last = if i + 1 == masters { 16383 } else { (i + 1) * share - 1 };
        let mut client = node.client();
        redis::cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(i * share).arg(last).exec(&mut client).unwrap();
        redis::cmd("CLUSTER").arg("SET-CONFIG-EPOCH").arg(i + 1).exec(&mut client).unwrap();
        redis::cmd("CLUSTER").arg("MEET").arg("127.0.0.1").arg(nodes[0].port).exec(&mut client).unwrap();
    }
    let deadline = Instant::now() + PATIENCE;
    for node in &nodes {
        let mut client = node.client();
        loop {
            let info: String = redis::cmd("CLUSTER").arg("INFO").query(&mut client).unwrap();
            if info.contains("cluster_state:ok") && info.contains(&format!("cluster_size:{masters}")) {
                break;
            }
            assert!(Instant::now() < deadline, "the cluster does not form: {info}");
            std::thread::yield_now();
        }
    }
    nodes
}

fn free_port() -> u16 {
    // A cluster node also binds its port + 10000.
    loop {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if port < 55000 {
            return port;
        }
    }
}

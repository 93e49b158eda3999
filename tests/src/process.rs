//! Child processes: their log in memory, no way to outlive the test.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::{reaper, wait};

const LINES_SHOWN: usize = 60;

/// A running process in a group of its own. Dropped: the group is killed, and if the test is failing, the end of its
/// output is shown.
pub struct Process {
    name: String,
    child: Child,
    log: Log,
    readers: Vec<JoinHandle<()>>,
    ended: Option<ExitStatus>,
}

/// What a process printed so far, standard output and error line by line.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn lines(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, from: impl Read + Send + 'static) -> JoinHandle<()> {
        let log = self.clone();
        std::thread::spawn(move || {
            let mut from = BufReader::new(from);
            let mut line = Vec::new();
            while from.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                log.lines().push(String::from_utf8_lossy(&line).trim_end().to_string());
                line.clear();
            }
        })
    }
}

impl Process {
    /// Starts `command`; `name` is for messages.
    pub fn spawn(name: &str, command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {name}: {command:?}"))?;
        reaper::watch_group(child.id())?;
        let log = Log::default();
        let mut readers = Vec::new();
        readers.extend(child.stdout.take().map(|out| log.read(out)));
        readers.extend(child.stderr.take().map(|err| log.read(err)));
        Ok(Self { name: name.to_string(), child, log, readers, ended: None })
    }

    /// All it printed so far.
    pub fn output(&self) -> String {
        self.log.lines().join("\n")
    }

    /// The end of what it printed, for messages.
    pub fn tail(&self) -> String {
        let lines = self.log.lines();
        lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n")
    }

    /// Its exit status, if it has ended.
    pub fn status(&mut self) -> Result<Option<ExitStatus>> {
        if self.ended.is_none()
            && let Some(status) = self.child.try_wait()?
        {
            self.ended = Some(status);
            reaper::forget_group(self.child.id())?;
        }
        Ok(self.ended)
    }

    /// Waits for a condition while the process lives: its end is an error that shows its output.
    pub fn until<T>(
        &mut self,
        what: &str,
        bound: Duration,
        mut condition: impl FnMut(&Self) -> Result<Option<T>>,
    ) -> Result<T> {
        let name = self.name.clone();
        let outcome = wait::until(&format!("{name}: {what}"), bound, || {
            if let Some(value) = condition(self)? {
                return Ok(Some(value));
            }
            let Some(status) = self.status()? else { return Ok(None) };
            // What it printed last may not have been read yet.
            self.join_readers();
            match condition(self)? {
                Some(value) => Ok(Some(value)),
                None => bail!("{name} ended ({status}) before {what}"),
            }
        });
        outcome.with_context(|| format!("the end of {name}'s output:\n{}", self.tail()))
    }

    /// Waits until a line that contains `text` was printed.
    pub fn wait_for_line(&mut self, text: &str, bound: Duration) -> Result<String> {
        self.until(&format!("a line with {text:?}"), bound, |process| {
            Ok(process.log.lines().iter().find(|line| line.contains(text)).cloned())
        })
    }

    /// Waits for its end by itself.
    pub fn wait(&mut self, bound: Duration) -> Result<ExitStatus> {
        let status = wait::until(&format!("the end of {}", self.name), bound, || self.status())
            .with_context(|| format!("the end of its output:\n{}", self.tail()))?;
        self.join_readers();
        Ok(status)
    }

    fn join_readers(&mut self) {
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
    }

    /// Kills it and all it started, at once (SIGKILL).
    pub fn kill(&mut self) -> Result<()> {
        if self.status()?.is_some() {
            return Ok(());
        }
        signal("KILL", self.child.id())?;
        self.wait(Duration::from_secs(10)).map(drop)
    }

    /// Asks it to end (SIGTERM) and waits for that.
    pub fn terminate(&mut self, bound: Duration) -> Result<ExitStatus> {
        if self.status()?.is_none() {
            signal("TERM", self.child.id())?;
        }
        self.wait(bound)
    }
}

/// A shell's `kill`: sending signals by hand takes unsafe code.
fn signal(signal: &str, group: u32) -> Result<()> {
    let command = format!("kill -{signal} -{group}");
    Command::new("sh").args(["-c", &command]).stderr(Stdio::null()).status().context(command)?;
    Ok(())
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("---- the end of {}'s output\n{}\n----", self.name, self.tail());
        }
        let _ = self.kill();
    }
}

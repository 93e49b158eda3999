//! What this process has taken so far, as Linux tells it.

use std::fmt;
use std::time::Instant;

use anyhow::{Context as _, Result};

/// Time since the last lap.
pub(crate) struct Usage {
    cpu_seconds: f64,
    began: Instant,
}

/// One stretch of work.
pub(crate) struct Lap {
    pub(crate) cpu_seconds: f64,
    wall_seconds: f64,
}

impl Usage {
    pub(crate) fn begin() -> Result<Self> {
        Ok(Self { cpu_seconds: cpu_seconds()?, began: Instant::now() })
    }

    pub(crate) fn lap(&mut self) -> Result<Lap> {
        let last = std::mem::replace(self, Self::begin()?);
        Ok(Lap {
            cpu_seconds: self.cpu_seconds - last.cpu_seconds,
            wall_seconds: last.began.elapsed().as_secs_f64(),
        })
    }
}

impl fmt::Display for Lap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} CPU-seconds, {:.1} s", self.cpu_seconds, self.wall_seconds)
    }
}

/// Of all threads, user and system: fields 14 and 15 of /proc/self/stat (proc(5)), in hundredths of a second.
fn cpu_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The command's name, in brackets, may hold blanks.
    let fields = stat.rsplit_once(')').context("/proc/self/stat")?.1.split_whitespace();
    let ticks: Result<Vec<u64>, _> = fields.skip(11).take(2).map(str::parse).collect();
    Ok(ticks?.iter().sum::<u64>() as f64 / 100.0)
}

/// The most memory that was ever resident.
pub(crate) fn peak_mib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024)
}

//! Where the view is drawn: in place on a terminal, as lines now and then elsewhere.

use std::io::{IsTerminal as _, Stdout, Write as _, stdout};
use std::time::{Duration, Instant};

use anyhow::Result;
use ratatui::backend::CrosstermBackend;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::view::{self, Snapshot};
use crate::text::{day_and_minute, thousands};

const PLAIN_EVERY: Duration = Duration::from_secs(2);

/// The place that shows snapshots.
pub enum Screen {
    /// A terminal: redrawn in place, below what stands there.
    Live(Box<Terminal<CrosstermBackend<Stdout>>>),
    /// No terminal: a line every two seconds.
    Plain {
        /// When the next line is due.
        next: Instant,
        /// What was said of drift.
        said: Vec<String>,
    },
}

impl Screen {
    /// The screen that fits standard output.
    pub fn open() -> Result<Self> {
        if !stdout().is_terminal() {
            return Ok(Screen::Plain { next: Instant::now() + PLAIN_EVERY, said: Vec::new() });
        }
        let options = TerminalOptions { viewport: Viewport::Inline(view::HEIGHT) };
        Ok(Screen::Live(Box::new(Terminal::with_options(CrosstermBackend::new(stdout()), options)?)))
    }

    /// How long to wait between two snapshots.
    pub fn interval(&self) -> Duration {
        Duration::from_millis(100)
    }

    /// Shows a snapshot; the last one stays.
    pub fn show(&mut self, snapshot: &Snapshot, last: bool) -> Result<()> {
        match self {
            Screen::Live(terminal) => {
                terminal.draw(|frame| view::draw(frame, snapshot))?;
                if last {
                    terminal.show_cursor()?;
                    println!();
                }
            }
            Screen::Plain { next, said } if last || Instant::now() >= *next => {
                *next = Instant::now() + PLAIN_EVERY;
                let mut out = stdout().lock();
                writeln!(out, "{}", line(snapshot))?;
                for line in snapshot.watched.iter().filter(|line| !said.contains(line)) {
                    writeln!(out, "    {line}")?;
                }
                said.clone_from(&snapshot.watched);
                out.flush()?;
            }
            Screen::Plain { .. } => {}
        }
        Ok(())
    }
}

fn line(snapshot: &Snapshot) -> String {
    let latency =
        snapshot.latency.map_or_else(String::new, |p| format!(", p50 {:.1} ms, p99 {:.1} ms", p.p50, p.p99));
    format!(
        "{}  {} of {} payments, {} scored, {} rejected, {} payments/s{latency}, {} alerts",
        day_and_minute(snapshot.stream_time_ms),
        thousands(snapshot.payments),
        thousands(snapshot.total),
        thousands(snapshot.predictions),
        thousands(snapshot.rejected),
        thousands(snapshot.rows_per_s as u64),
        thousands(snapshot.alerts.0),
    )
}

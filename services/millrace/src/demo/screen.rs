//! Where the view is drawn: in place on a terminal, as lines now and then elsewhere.

use std::io::{IsTerminal as _, Stdout, Write as _, stdout};
use std::time::{Duration, Instant};

use anyhow::Result;
use ratatui::backend::CrosstermBackend;
use ratatui::{Frame, Terminal, TerminalOptions, Viewport};

/// What is shown.
pub trait View {
    /// Draws it on a terminal.
    fn draw(&self, frame: &mut Frame<'_>);

    /// Says it in a line.
    fn line(&self) -> String;

    /// What is said below that line when it is new.
    fn notes(&self) -> &[String];
}

const PLAIN_EVERY: Duration = Duration::from_secs(2);

/// The place that shows snapshots.
pub enum Screen {
    /// A terminal: redrawn in place, below what stands there.
    Live(Box<Terminal<CrosstermBackend<Stdout>>>),
    /// No terminal: a line every two seconds.
    Plain {
        /// When the next line is due.
        next: Instant,
        /// Notes that were said.
        said: Vec<String>,
    },
}

impl Screen {
    /// The screen that fits standard output; on a terminal it takes `height` lines.
    pub fn open(height: u16) -> Result<Self> {
        if !stdout().is_terminal() {
            return Ok(Screen::Plain { next: Instant::now() + PLAIN_EVERY, said: Vec::new() });
        }
        let options = TerminalOptions { viewport: Viewport::Inline(height) };
        Ok(Screen::Live(Box::new(Terminal::with_options(CrosstermBackend::new(stdout()), options)?)))
    }

    /// How long to wait between two snapshots.
    pub fn interval(&self) -> Duration {
        Duration::from_millis(100)
    }

    /// Shows a snapshot; the last one stays.
    pub fn show(&mut self, view: &impl View, last: bool) -> Result<()> {
        match self {
            Screen::Live(terminal) => {
                terminal.draw(|frame| view.draw(frame))?;
                if last {
                    terminal.show_cursor()?;
                    println!();
                }
            }
            Screen::Plain { next, said } if last || Instant::now() >= *next => {
                *next = Instant::now() + PLAIN_EVERY;
                let mut out = stdout().lock();
                writeln!(out, "{}", view.line())?;
                for note in view.notes().iter().filter(|note| !said.contains(note)) {
                    writeln!(out, "    {note}")?;
                }
                *said = view.notes().to_vec();
                out.flush()?;
            }
            Screen::Plain { .. } => {}
        }
        Ok(())
    }
}

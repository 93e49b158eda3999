//! A page as a person sees it: opened in headless Chromium, which says what it drew and what its console complained of.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::process::Process;
use crate::reaper;

const WITHIN: Duration = Duration::from_secs(90);

/// Names under which the browser is installed.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The window that a page is opened in.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// Width, in CSS pixels.
    pub width: u32,
    /// Height, in CSS pixels.
    pub height: u32,
    /// Whether its owner prefers dark pages.
    pub dark: bool,
}

impl Default for View {
    fn default() -> Self {
        Self { width: 1280, height: 900, dark: false }
    }
}

/// What became of a page.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The document after its scripts ran.
    pub dom: String,
    /// What the console says: errors, warnings, logs.
    pub console: Vec<String>,
    /// Drawings (`svg`) in which something is drawn.
    pub drawings: usize,
    /// Drawings without any size or content.
    pub empty_drawings: usize,
    /// By how many pixels the page is wider than the window.
    pub overflow_px: i64,
    /// Whether the page was asked to be dark.
    pub dark: bool,
}

/// Put at the end of the page: measures it once it is loaded, what lies below the window too.
const PROBE: &str = r#"<script>addEventListener("load", () => {
  const style = document.createElement("style");
  style.textContent = "* { content-visibility: visible !important }";
  document.head.append(style);
  const seen = document.documentElement;
  const drawn = (svg) => {
    const box = svg.getBoundingClientRect();
    const shapes = [...svg.querySelectorAll("path,rect,circle,line,polyline")].map((shape) => shape.getBBox());
    return box.width > 0 && box.height > 0 && shapes.some((shape) => shape.width > 0 || shape.height > 0);
  };
  const svgs = [...document.querySelectorAll("svg")];
  const wide = seen.scrollWidth - seen.clientWidth;
  seen.setAttribute("probe-drawn", svgs.filter(drawn).length);
  seen.setAttribute("probe-all", svgs.length);
  seen.setAttribute("probe-overflow", wide);
  seen.setAttribute("probe-dark", matchMedia("(prefers-color-scheme: dark)").matches);
});</script>"#;

/// Opens a page; with `screenshot`, a PNG of the window is written there.
pub fn look(html: &str, view: View, screenshot: Option<&Path>) -> Result<Seen> {
    let folder = reaper::temporary_folder()?;
    let page = folder.path().join("page.html");
    std::fs::write(&page, format!("{html}{PROBE}"))?;
    let mut command = command(folder.path(), view)?;
    command.arg("--dump-dom").arg(format!("file://{}", page.display()));
    let output = run(&mut command)?;
    if let Some(file) = screenshot {
        let mut command = self::command(folder.path(), view)?;
        command.arg(format!("--screenshot={}", file.display())).arg(format!("file://{}", page.display()));
        run(&mut command)?;
        ensure!(file.exists(), "the browser wrote no {}", file.display());
    }
    seen(&output)
}

fn command(folder: &Path, view: View) -> Result<Command> {
    let mut command = Command::new(browser()?);
    // A sandbox is not to be had for root nor in many containers; the page is our own.
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
    ]);
    command.args(["--no-first-run", "--disable-extensions", "--disable-background-networking"]);
    command.args(["--enable-logging=stderr", "--virtual-time-budget=10000"]);
    command.arg(format!("--user-data-dir={}", folder.join("profile").display()));
    command.arg(format!("--window-size={},{}", view.width, view.height));
    command.arg(format!("--blink-settings=preferredColorScheme={}", u8::from(!view.dark)));
    Ok(command)
}

/// Runs the browser to its end; gives what it printed.
fn run(command: &mut Command) -> Result<String> {
    let mut process = Process::spawn("chromium", command)?;
    let status = process.wait(WITHIN)?;
    ensure!(status.success(), "chromium ended with {status}:\n{}", process.tail());
    Ok(process.output())
}

/// Where the browser is.
fn browser() -> Result<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
    let places = NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.into_iter().find(|place| place.is_file()).context("Chromium is missing: run `make setup-test`")
}

fn seen(output: &str) -> Result<Seen> {
    let (console, dom): (Vec<&str>, Vec<&str>) = output.lines().partition(|line| line.contains(":CONSOLE"));
    let dom = dom.join("\n");
    let probe = |name: &str| {
        let rest =
            dom.split_once(&format!(" probe-{name}=\"")).context("the page was not loaded to its end")?.1;
        Ok::<&str, anyhow::Error>(rest.split('"').next().unwrap_or_default())
    };
    let drawings = probe("drawn")?.parse()?;
    let all: usize = probe("all")?.parse()?;
    Ok(Seen {
        console: console.into_iter().map(str::to_owned).collect(),
        drawings,
        empty_drawings: all - drawings,
        overflow_px: probe("overflow")?.parse()?,
        dark: probe("dark")? == "true",
        dom,
    })
}

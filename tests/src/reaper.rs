//! Ends what a test process started, whatever becomes of that process.
//!
//! One small shell per test process reads lines from a pipe: which process groups and folders exist, which are gone.
//! When the pipe closes (the tests ended, panicked or were killed), it kills the groups and removes the folders that
//! are left. It runs in a group of its own, so that an interrupt at the terminal does not end it first.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};

use anyhow::{Context, Result};

const SCRIPT: &str = r#"
groups=' ' folders=''
while IFS=' ' read -r what which; do
    case "$what" in
    group) groups="$groups$which " ;;
    ended) groups=$(printf '%s' "$groups" | sed "s/ $which / /") ;;
    folder) folders="$folders$which
" ;;
    esac
done
for group in $groups; do kill -KILL "-$group" 2>/dev/null; done
sleep 0.2
printf '%s' "$folders" | while IFS= read -r folder; do rm -rf -- "$folder"; done
"#;

fn tell(line: &str) -> Result<()> {
    static REAPER: OnceLock<Mutex<Child>> = OnceLock::new();
    let reaper = match REAPER.get() {
        Some(reaper) => reaper,
        None => {
            let child = Command::new("sh")
                .args(["-c", SCRIPT])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .process_group(0)
                .spawn()
                .context("starting the shell that ends leftovers")?;
            // Of two threads that come here at once, one reaper is dropped: its pipe closes and it ends with nothing to do.
            REAPER.get_or_init(|| Mutex::new(child))
        }
    };
    let mut reaper = reaper.lock().map_err(|_| anyhow::anyhow!("the reaper's lock is poisoned"))?;
    let stdin = reaper.stdin.as_mut().context("the reaper has no standard input")?;
    writeln!(stdin, "{line}").context("telling the reaper")
}

/// A process group that is to end with this process.
pub fn watch_group(group: u32) -> Result<()> {
    tell(&format!("group {group}"))
}

/// The group has ended: its number may be anyone's from now on.
pub fn forget_group(group: u32) -> Result<()> {
    tell(&format!("ended {group}"))
}

/// A folder that is to go with this process.
pub fn watch_folder(folder: &Path) -> Result<()> {
    tell(&format!("folder {}", folder.display()))
}

/// A temporary folder: removed by its drop, or by the reaper.
pub fn temporary_folder() -> Result<tempfile::TempDir> {
    let folder = tempfile::Builder::new().prefix("millrace-test-").tempdir()?;
    watch_folder(folder.path())?;
    Ok(folder)
}

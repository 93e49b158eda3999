//! What interleaved lists and the clicks on them take on one core: requests of 20 candidates, two rankers.

mod pure;
mod stage;
mod stream;

use std::fmt::Write as _;

use anyhow::Result;
use millrace_experiments::interleave::Method;
use millrace_experiments::random::Random;
use millrace_topics::Application;

/// What is demanded of team-draft, balanced and probabilistic interleaving, in requests per CPU-second.
pub const DEMANDED: f64 = 50_000.0;

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Requests of a run.
    pub requests: u32,
    /// Runs, of which the median counts.
    pub runs: usize,
}

/// What was measured.
#[derive(Debug, Clone)]
pub struct Report {
    /// As Markdown.
    pub text: String,
    /// The methods that stay below what is demanded of them.
    pub below: Vec<&'static str>,
}

/// Measures every method as pure functions, then the task of the application's click feedback.
///
/// # Errors
/// An application without click feedback, /proc of another kind than Linux has.
pub fn run(app: &Application, size: Size) -> Result<Report> {
    let mut text =
        "| what | requests | CPU-seconds | requests per CPU-second |\n| --- | --- | --- | --- |\n".to_owned();
    let mut below = Vec::new();
    let mut line = |what: &str, requests: u32, seconds: f64| -> Result<f64> {
        let rate = f64::from(requests) / seconds;
        writeln!(text, "| {what} | {requests} | {seconds:.2} | {rate:.0} |")?;
        Ok(rate)
    };
    for method in Method::ALL {
        // A linear program each.
        let requests = if method == Method::Optimized { size.requests / 50 } else { size.requests };
        let rate = line(method.name(), requests, median(size.runs, || pure::cpu_seconds(method, requests))?)?;
        let demanded = [Method::TeamDraft, Method::Balanced, Method::Probabilistic].contains(&method);
        if demanded && rate < DEMANDED {
            below.push(method.name());
        }
    }
    let requests = size.requests / 5;
    let batches = stream::batches(app, requests)?;
    line("click stage, team_draft", requests, median(size.runs, || stage::cpu_seconds(app, &batches))?)?;
    Ok(Report { text, below })
}

/// Two rankers that agree on nothing.
fn rankers(items: Vec<String>, random: &mut Random) -> Vec<Vec<String>> {
    let mut rankers = vec![items; 2];
    for ranker in &mut rankers {
        (1..ranker.len()).for_each(|at| ranker.swap(at, random.below(at + 1)));
    }
    rankers
}

fn median(runs: usize, mut run: impl FnMut() -> Result<f64>) -> Result<f64> {
    let mut all = (0..runs.max(1)).map(|_| run()).collect::<Result<Vec<f64>>>()?;
    all.sort_by(f64::total_cmp);
    Ok(all[all.len() / 2])
}

//! Steps of a canary.

use anyhow::{Context as _, Result};
use millrace_experiments::canary::plan::{Aim, Traffic};
use millrace_experiments::canary::{Judged, Planned, Step, plan};
use millrace_report::text::{percent, short};
use serde_json::json;

use crate::cli::PlanCanaryArgs;
use crate::text::{aligned, thousands};

const DAY_MS: f64 = 86_400_000.0;

/// Prints each step's window, or what a step needs that cannot see the bound.
pub fn run(args: &PlanCanaryArgs) -> Result<()> {
    let judged = judged(args)?;
    let aim = Aim { bound: args.bound, alpha: args.alpha, power: args.power };
    let traffic =
        Traffic { per_day: args.per_day, labelled: args.labelled, label_horizon_ms: args.label_horizon };
    let steps: Vec<Step> =
        args.steps.iter().map(|(share, max_ms)| Step { share: *share, max_ms: *max_ms }).collect();
    let planned = plan(&judged, &aim, &traffic, &steps)?;
    if args.json {
        println!("{}", json!({"judged": judged, "aim": aim, "traffic": traffic, "steps": planned}));
        return Ok(());
    }
    println!(
        "a difference of {} is seen with power {} at level {}\n",
        aim.bound,
        aim.power,
        percent(1.0 - aim.alpha)
    );
    let counts = match judged {
        Judged::PairedAuc { .. } => "labelled positives",
        Judged::PairedMean { .. } => "labelled rows",
        Judged::Conversion { .. } | Judged::Mean { .. } => "units of the canary",
    };
    let head = ["step", "canary", "baseline", counts, "window, days", "with labels, days"];
    let line = |(at, step): (usize, &Planned)| {
        let days = |ms: i64| short(ms as f64 / DAY_MS);
        let with_labels = days(step.window_ms.saturating_add(args.label_horizon));
        let baseline = if step.baseline >= 1.0 { "same rows".to_owned() } else { percent(step.baseline) };
        vec![
            (at + 1).to_string(),
            percent(step.share),
            baseline,
            thousands(step.required),
            days(step.window_ms),
            with_labels,
        ]
    };
    let lines = planned.iter().enumerate().map(line);
    print!(
        "{}",
        aligned(&std::iter::once(head.map(str::to_owned).to_vec()).chain(lines).collect::<Vec<_>>())
    );
    Ok(())
}

fn judged(args: &PlanCanaryArgs) -> Result<Judged> {
    let given = |value: Option<f64>, name: &str| {
        value.with_context(|| format!("--judge {} needs {name}", args.judge))
    };
    Ok(match args.judge.as_str() {
        "auc" => Judged::PairedAuc {
            auc: given(args.auc, "--auc")?,
            correlation: args.correlation,
            positive_rate: given(args.positive_rate, "--positive-rate")?,
        },
        "loss" => Judged::PairedMean { deviation: given(args.deviation, "--deviation")? },
        "conversion" => Judged::Conversion { rate: given(args.rate, "--rate")? },
        _ => Judged::Mean { deviation: given(args.deviation, "--deviation")? },
    })
}

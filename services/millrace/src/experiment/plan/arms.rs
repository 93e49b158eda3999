//! Units and days of an A/B/n test.

use anyhow::{Context as _, Result, bail, ensure};
use millrace_experiments::analysis::plan::{Ask, Plan, plan};
use millrace_experiments::analysis::power::conversion_variance;
use millrace_experiments::analysis::{Estimate, Metric};
use millrace_experiments::files::{Row, describe};
use millrace_report::text::{digits, percent, short};
use serde_json::json;

use crate::cli::{PlanArmsArgs, Size};
use crate::experiment::rows::Table;
use crate::text::{aligned, thousands};

const DAY_MS: f64 = 86_400_000.0;

/// The metric as it is now.
struct Now {
    value: f64,
    variance: f64,
}

/// Prints what the experiment takes.
pub fn run(args: &PlanArmsArgs) -> Result<()> {
    let now = now(args)?;
    let effect = match args.effect {
        Size::Absolute(effect) => effect,
        Size::Relative(share) => share * now.value,
    };
    let shares = if args.shares.is_empty() {
        vec![("control".to_owned(), 0.5), ("treatment".to_owned(), 0.5)]
    } else {
        args.shares.clone()
    };
    ensure!(args.correlation.abs() < 1.0, "--correlation is {}: it lies in (-1, 1)", args.correlation);
    let left = 1.0 - args.correlation * args.correlation;
    let changed = match args.metric.1 {
        Metric::Conversion => {
            let rate = now.value + effect;
            ensure!(
                rate > 0.0 && rate < 1.0,
                "a rate of {} and an effect of {effect} leave (0, 1)",
                now.value
            );
            conversion_variance(rate)
        }
        Metric::Mean | Metric::Ratio => now.variance,
    };
    let ask = Ask {
        effect,
        variances: (now.variance * left, changed * left),
        shares: shares.iter().map(|(_, share)| *share).collect(),
        alpha: args.alpha,
        power: args.power,
        units_per_day: args.per_day,
        tail_days: (args.window + args.label_horizon) as f64 / DAY_MS,
    };
    let planned = plan(&ask)?;
    if args.json {
        let (metric, kind) = &args.metric;
        let arms: Vec<&String> = shares.iter().map(|(arm, _)| arm).collect();
        let baseline = json!({"value": now.value, "variance": now.variance});
        println!(
            "{}",
            json!({"metric": metric, "kind": kind, "baseline": baseline, "arms": arms, "ask": ask, "plan": planned})
        );
    } else {
        print!("{}", text(args, &now, &ask, &planned, &shares));
    }
    Ok(())
}

fn now(args: &PlanArmsArgs) -> Result<Now> {
    if let Some(file) = &args.input {
        let found = learn(args, file)?;
        return Ok(Now { value: found.mean, variance: found.variance });
    }
    let value = args.baseline.context("--baseline or --input is needed")?;
    let variance = match (args.metric.1, args.deviation) {
        (Metric::Conversion, None) => {
            ensure!(value > 0.0 && value < 1.0, "--baseline is {value}: a rate lies in (0, 1)");
            conversion_variance(value)
        }
        (Metric::Conversion, Some(_)) => bail!("--deviation goes with means and ratios; a rate has its own"),
        (kind, None) => bail!("a {kind} needs --deviation, or --input to learn it from"),
        (_, Some(deviation)) => deviation * deviation,
    };
    Ok(Now { value, variance })
}

fn learn(args: &PlanArmsArgs, file: &std::path::Path) -> Result<Estimate> {
    let (metric, kind) = &args.metric;
    let value = args.value.as_ref().unwrap_or(metric);
    let mut table = Table { file, columns: vec![("unit", &args.unit), ("value", value)] };
    match (kind, &args.denominator) {
        (Metric::Ratio, None) => bail!("a ratio needs --denominator COLUMN"),
        (_, denominator) => {
            table.columns.extend(denominator.iter().map(|column| ("denominator", column.as_str())))
        }
    }
    let rows = table.rows(|batch| {
        let (units, values) = (batch.texts(&args.unit, "unit")?, batch.numbers(value)?);
        let beside = args.denominator.as_ref().map(|column| batch.numbers(column)).transpose()?;
        let row = |(at, (unit, value))| {
            let beside = beside.as_ref().map(|beside: &Vec<f64>| beside[at]);
            Row { unit, arm: String::new(), value, beside }
        };
        Ok(units.into_iter().zip(values).enumerate().map(row).collect())
    });
    let found = rows.and_then(|rows| describe(rows, *kind)).map_err(|error| table.explained(error))?;
    found.with_context(|| file.display().to_string())
}

fn text(args: &PlanArmsArgs, now: &Now, ask: &Ask, planned: &Plan, shares: &[(String, f64)]) -> String {
    let (metric, kind) = &args.metric;
    let relative =
        if now.value == 0.0 { String::new() } else { format!(", {}", percent(ask.effect / now.value)) };
    let mut out = format!(
        "{metric} ({kind}) is {} with a deviation of {} a unit; a difference of {}{relative} is seen with power {}\n",
        digits(now.value, 4),
        short(now.variance.sqrt()),
        short(ask.effect),
        short(planned.power)
    );
    out += &format!(
        "at level {} of each of {} comparisons, looked at once\n\n",
        percent(1.0 - planned.alpha_per_arm),
        shares.len() - 1
    );
    let mut lines = vec![["arm", "share", "units"].map(str::to_owned).to_vec()];
    for ((arm, share), units) in shares.iter().zip(&planned.units) {
        lines.push(vec![arm.clone(), percent(*share), thousands(*units)]);
    }
    out += &aligned(&lines);
    out += &format!(
        "\nunits come in for {} days, the last one counts after {} days\n\n",
        short(planned.exposure_days),
        short(planned.days)
    );
    let mut lines = vec![
        ["days of units", "control", "smallest arm", "sees a difference of"].map(str::to_owned).to_vec(),
    ];
    for one in &planned.detectable {
        let units = [one.control, one.treatment].map(thousands);
        let [control, treatment] = units;
        lines.push(vec![short(one.exposure_days), control, treatment, short(one.effect)]);
    }
    out + &aligned(&lines)
}

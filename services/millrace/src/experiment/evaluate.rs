//! `millrace experiment evaluate`: what was not served, judged from logs.

use anyhow::Result;
use millrace_experiments::analysis::off_policy::{self, Value};
use millrace_experiments::analysis::reward_model;
use millrace_experiments::files::evaluate::{Decision, EvaluateOptions, EvaluationReport, evaluate};
use millrace_report::text::{digits, percent, short};

use super::rows::{Batch, Table};
use crate::cli::EvaluateArgs;
use crate::text::{aligned, thousands};

/// Estimates what the judged policy would have earned.
pub fn run(args: &EvaluateArgs) -> Result<()> {
    let mut columns = vec![
        ("arm", args.arm.as_str()),
        ("propensity", args.propensity.as_str()),
        ("reward", args.reward.as_str()),
    ];
    columns.extend(args.unit.as_deref().map(|column| ("unit", column)));
    columns.extend(args.target_column.as_deref().map(|column| ("target", column)));
    columns.extend(args.target_probabilities.iter().map(|(_, column)| ("probability", column.as_str())));
    columns.extend(args.covariates.iter().map(|column| ("input", column.as_str())));
    let table = Table { file: &args.input, columns };
    let options = EvaluateOptions {
        target: judged(args),
        covariates: args.covariates.clone(),
        model: reward_model::Rules { folds: args.folds, penalty: args.ridge },
        rules: Some(off_policy::Rules { alpha: args.alpha, clip: args.clip }),
    };
    let rows = table.rows(|batch| decisions(batch, args));
    let report = rows.and_then(|rows| evaluate(rows, &options)).map_err(|error| table.explained(error))?;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", text(&report));
    }
    Ok(())
}

fn judged(args: &EvaluateArgs) -> String {
    match (&args.target, &args.target_column) {
        (Some(arm), _) => arm.clone(),
        (_, Some(column)) => format!("the arm in column {column}"),
        _ => {
            let arms = args.target_probabilities.iter().map(|(arm, column)| format!("{arm} with {column}"));
            arms.collect::<Vec<_>>().join(", ")
        }
    }
}

fn decisions(
    batch: &Batch<'_>,
    args: &EvaluateArgs,
) -> Result<Vec<Decision>, millrace_experiments::files::Error> {
    let arms = batch.texts(&args.arm, "arm")?;
    let (propensities, rewards) = (batch.numbers(&args.propensity)?, batch.numbers(&args.reward)?);
    let units = args.unit.as_ref().map(|column| batch.texts(column, "unit")).transpose()?;
    let covariates =
        args.covariates.iter().map(|column| batch.numbers(column)).collect::<Result<Vec<_>, _>>()?;
    let targets = args.target_column.as_ref().map(|column| batch.texts(column, "target")).transpose()?;
    let probabilities = args
        .target_probabilities
        .iter()
        .map(|(arm, column)| Ok((arm, batch.numbers(column)?)))
        .collect::<Result<Vec<_>, millrace_experiments::files::Error>>()?;
    let decision = |at: usize| Decision {
        unit: units.as_ref().map(|units| units[at].clone()),
        arm: arms[at].clone(),
        propensity: propensities[at],
        reward: rewards[at],
        covariates: covariates.iter().map(|column| column[at]).collect(),
        target: match (&args.target, &targets) {
            (Some(arm), _) => vec![(arm.clone(), 1.0)],
            (_, Some(arms)) => vec![(arms[at].clone(), 1.0)],
            _ => probabilities.iter().map(|(arm, column)| ((*arm).clone(), column[at])).collect(),
        },
    };
    Ok((0..batch.len()).map(decision).collect())
}

fn text(report: &EvaluationReport) -> String {
    let found = &report.evaluation;
    let mut out = format!(
        "judged: {}; {} decisions of {} units, {} of which it may take\n",
        report.target,
        thousands(report.rows),
        thousands(report.units),
        thousands(report.matching_rows)
    );
    out += &format!(
        "worth {} decisions of its own (effective sample size); weights: mean {}, greatest {}\n",
        thousands(found.effective_rows as u64),
        short(found.mean_weight),
        short(found.greatest_weight)
    );
    if let Some(clip) = report.clip {
        out += &format!(
            "weights above {clip} were cut: {} rows, {} of all weight; estimates lean towards what was served\n",
            thousands(found.clipped_rows),
            percent(found.clipped_share)
        );
    }
    let model = &report.model;
    out += &format!(
        "reward model: {} on {}, {} folds, penalty {}; R2 {} on rows that it had not seen\n\n",
        model.kind,
        if model.covariates.is_empty() {
            "nothing but the arm".to_owned()
        } else {
            model.covariates.join(", ")
        },
        model.folds,
        model.penalty,
        short(model.r_squared)
    );
    let head =
        ["", "mean reward", "standard error", &format!("interval, level {}", percent(1.0 - report.alpha))];
    let line = |name: &str, value: &Value| {
        let within = format!("{} to {}", digits(value.low, 4), digits(value.high, 4));
        vec![name.to_owned(), digits(value.mean, 4), short(value.standard_error), within]
    };
    out + &aligned(&[
        head.map(str::to_owned).to_vec(),
        line("served", &found.served),
        line("judged, inverse propensity", &found.ips),
        line("judged, self-normalised", &found.self_normalised),
        line("judged, doubly robust", &found.doubly_robust),
        line("judged less served, doubly robust", &found.gain),
    ])
}

//! `millrace experiment simulate`: how often tests are wrong, and how much they see.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use millrace_experiments::interleave::Method;
use millrace_experiments::simulate::{
    ClickModel, Line, Looking, Size, UnitRows, power, same_arms, sensitivity, type_one,
};
use millrace_report::text::{percent, short};
use serde_json::json;

use super::rows::Table;
use crate::cli::SimulateArgs;
use crate::text::{aligned, thousands};

/// The noise of the worse ranker's scores; the better one has 0.5.
const NOISE: f64 = 0.8;
/// Experiments that power is counted on: a share within some 3 %.
const POWER_REPLICATIONS: u64 = 300;
const ALPHA: f64 = 0.05;

/// Prints the tables; failure if a test exceeds its bound.
pub fn run(args: &SimulateArgs) -> Result<ExitCode> {
    if let (Some(file), Some(value)) = (&args.input, &args.value) {
        return on_rows(file, value, args);
    }
    let size = Size { replications: args.replications, looks: args.looks, seed: args.seed };
    let errors = type_one(size);
    let power = power(Size {
        replications: args.replications.min(POWER_REPLICATIONS),
        seed: args.seed.wrapping_add(1),
        ..size
    });
    let mut impressions = Vec::new();
    for model in ClickModel::ALL {
        for method in Method::ALL {
            impressions.push(sensitivity(model, method, NOISE, args.impressions, args.seed.wrapping_add(2))?);
        }
    }
    let holds = errors.iter().all(Line::holds);
    if args.json {
        let tables = json!({"alpha": ALPHA, "type_one": errors, "power": power, "impressions": impressions, "holds": holds});
        println!("{tables}");
    } else {
        println!("Type I errors: rejections at {ALPHA} without an effect\n\n{}", of_errors(&errors));
        println!("Power: rejections at {ALPHA} with an effect\n\n{}", of_power(&power));
        println!("Impressions for power 0.8, interleaving against A/B\n");
        let head =
            ["click model", "method", "interleaving", "A/B", "times fewer"].map(str::to_owned).to_vec();
        let line = |one: &millrace_experiments::simulate::Sensitivity| {
            let figures = [one.interleaving, one.ab].map(|figure| thousands(figure.round() as u64));
            let [interleaving, ab] = figures;
            vec![one.model.name().to_owned(), one.method.to_string(), interleaving, ab, short(one.fewer)]
        };
        print!("{}", aligned(&std::iter::once(head).chain(impressions.iter().map(line)).collect::<Vec<_>>()));
    }
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn looking(looking: Looking) -> &'static str {
    match looking {
        Looking::Once => "once",
        Looking::Continuously => "continuously",
        Looking::Naively => "naively",
    }
}

fn of_errors(lines: &[Line]) -> String {
    let head = ["test", "looked at", "units", "rejections", "at most"].map(str::to_owned).to_vec();
    let line = |line: &Line| {
        let most = line.most.map_or_else(|| "for contrast".to_owned(), |most| most.to_string());
        let exceeded = if line.holds() { "" } else { "  EXCEEDED" };
        let counted = format!("{} of {}", line.rejections, line.replications);
        let most = format!("{most}{exceeded}");
        vec![line.test.clone(), looking(line.looking).to_owned(), thousands(line.watch.units), counted, most]
    };
    aligned(&std::iter::once(head).chain(lines.iter().map(line)).collect::<Vec<_>>())
}

fn of_power(lines: &[Line]) -> String {
    let head = ["test", "looked at", "units", "effect", "power"].map(str::to_owned).to_vec();
    let line = |line: &Line| {
        let share = percent(line.rejections as f64 / line.replications.max(1) as f64);
        let (units, effect) = (thousands(line.watch.units), short(line.effect));
        vec![line.test.clone(), looking(line.looking).to_owned(), units, effect, share]
    };
    aligned(&std::iter::once(head).chain(lines.iter().map(line)).collect::<Vec<_>>())
}

fn on_rows(file: &Path, value: &str, args: &SimulateArgs) -> Result<ExitCode> {
    let table = Table { file, columns: vec![("unit", &args.unit), ("value", value)] };
    let mut units: BTreeMap<String, UnitRows> = BTreeMap::new();
    let rows = table
        .rows(|batch| Ok(batch.texts(&args.unit, "unit")?.into_iter().zip(batch.numbers(value)?).collect()));
    let rows = rows.map_err(|error| table.explained(error))?;
    for (at, row) in rows.enumerate() {
        let (unit, value): (String, f64) = row.map_err(|error| table.explained(error))?;
        if !value.is_finite() {
            let (row, problem) = (at as u64 + 1, format!("{value} is no number"));
            return Err(table.explained(millrace_experiments::files::Error::Value {
                row,
                column: "value",
                problem,
            }));
        }
        let empty = || UnitRows { unit: unit.clone(), rows: 0, sum: 0.0, squares: 0.0 };
        let of = units.entry(unit.clone()).or_insert_with(empty);
        (of.rows, of.sum, of.squares) = (of.rows + 1, of.sum + value, of.squares + value * value);
    }
    let units: Vec<UnitRows> = units.into_values().collect();
    let found =
        same_arms(&units, args.replications, ALPHA, args.seed).with_context(|| file.display().to_string())?;
    if args.json {
        println!("{}", serde_json::to_string(&found)?);
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "{value} per row: {} rows of {} units, dealt to two halves {} times; rejections at {ALPHA}:\n",
        thousands(found.rows),
        thousands(found.units),
        thousands(found.replications)
    );
    let line = |name: &str, rejections: u64| {
        let share = percent(rejections as f64 / found.replications.max(1) as f64);
        vec![name.to_owned(), thousands(rejections), share]
    };
    print!(
        "{}",
        aligned(&[
            line("Welch by unit (ratio, delta method)", found.by_unit),
            line("Welch by row, as if rows were independent", found.by_row)
        ])
    );
    Ok(ExitCode::SUCCESS)
}

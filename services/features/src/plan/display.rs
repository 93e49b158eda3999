//! A plan as text: for people, for tests, and as what the fingerprint is taken of.

use std::fmt;

use super::stages::{Group, Step};
use super::{Plan, Slot, WindowColumn};
use crate::window::{Bounds, Function};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (source, branch) in self.sources.iter().zip(&self.branches) {
            writeln!(f, "source {} by {}, time {}", source.name, source.key, source.time)?;
            for filter in &branch.filters {
                writeln!(f, "  where {filter}")?;
            }
            if let Some(relevant) = &branch.relevant {
                writeln!(f, "  relevant {relevant}")?;
            }
            for slot in self.stages.first().map(|stage| stage.input.as_slice()).unwrap_or_default() {
                writeln!(f, "  {} = {}", self.slots[*slot].name, branch.columns[*slot])?;
            }
        }
        for (i, stage) in self.stages.iter().enumerate() {
            match stage.key {
                Some(key) => {
                    writeln!(
                        f,
                        "stage {i} by {}: {}",
                        self.slots[key].name,
                        names(&self.slots, &stage.input)
                    )?;
                }
                None => writeln!(f, "stage {i} by source key")?,
            }
            for step in &stage.steps {
                match step {
                    Step::Filter(expr) => writeln!(f, "  where {expr}")?,
                    Step::Windows(group) => self.group(f, group)?,
                }
            }
        }
        writeln!(f, "output")?;
        for output in &self.outputs {
            let null = if output.nullable { " or null" } else { "" };
            writeln!(f, "  {}: {}{null} = {}", output.name, output.data_type, output.expr)?;
        }
        for entity in &self.entities {
            let fields: Vec<&str> =
                entity.fields.iter().map(|field| self.outputs[*field].name.as_str()).collect();
            writeln!(f, "store {} in stage {}: {}", entity.name, entity.stage, fields.join(", "))?;
        }
        match self.keep_us {
            Some(keep) => writeln!(f, "keep {}", Micros(keep)),
            None => writeln!(f, "keep forever"),
        }
    }
}

impl Plan {
    fn group(&self, f: &mut fmt::Formatter<'_>, group: &Group) -> fmt::Result {
        let time = self.time.map(|time| self.slots[time].name.as_str()).unwrap_or_default();
        writeln!(f, "  windows by {}, order by {time}", names(&self.slots, &group.partition))?;
        if let Some(wanted) = &group.wanted {
            writeln!(f, "    wanted {wanted}")?;
        }
        if let Some(relevant) = &group.relevant {
            writeln!(f, "    relevant {relevant}")?;
        }
        for window in &group.windows {
            writeln!(f, "    {}", self.windows[*window])?;
        }
        Ok(())
    }
}

fn names(slots: &[Slot], indices: &[usize]) -> String {
    indices.iter().map(|i| slots[*i].name.as_str()).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for WindowColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let function = match self.function {
            Function::Count => "count",
            Function::Sum => "sum",
            Function::Avg => "avg",
            Function::Min => "min",
            Function::Max => "max",
        };
        write!(f, "{} = {function}(", self.slot.name)?;
        match &self.argument {
            Some(argument) => write!(f, "{argument})")?,
            None => write!(f, "*)")?,
        }
        if let Some(filter) = &self.filter {
            write!(f, " filter {filter}")?;
        }
        match self.bounds {
            Bounds::Range { start, end } => {
                write!(f, " range ")?;
                match start {
                    Some(start) => write!(f, "{}", Micros(start))?,
                    None => write!(f, "unbounded")?,
                }
                write!(f, " to {}", Micros(end))
            }
            Bounds::Rows { start: Some(start), end } => write!(f, " rows {start} to {end}"),
            Bounds::Rows { start: None, end } => write!(f, " rows unbounded to {end}"),
        }
    }
}

/// A span of time in the largest unit that leaves no rest.
struct Micros(i64);

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(i64, &str); 5] = [
            (86_400_000_000, "d"),
            (3_600_000_000, "h"),
            (60_000_000, "min"),
            (1_000_000, "s"),
            (1_000, "ms"),
        ];
        if self.0 == 0 {
            return f.write_str("0");
        }
        match UNITS.iter().find(|(unit, _)| self.0 % unit == 0) {
            Some((unit, name)) => write!(f, "{} {name}", self.0 / unit),
            None => write!(f, "{} µs", self.0),
        }
    }
}

//! DataFusion's errors in plain words: without its classes of errors, and with the columns that there are.

use datafusion_common::{Column, DataFusionError, SchemaError};

/// What an error says, on one line.
pub(crate) fn words(error: &DataFusionError) -> String {
    match error {
        DataFusionError::SchemaError(error, _) => of_schema(error),
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => words(inner),
        DataFusionError::Shared(inner) => words(inner),
        DataFusionError::Collection(errors) => errors.first().map(words).unwrap_or_default(),
        DataFusionError::ArrowError(error, _) => bare(&error.to_string()),
        DataFusionError::Plan(text)
        | DataFusionError::Execution(text)
        | DataFusionError::NotImplemented(text)
        | DataFusionError::Configuration(text) => bare(text),
        other => bare(&other.strip_backtrace()),
    }
}

fn of_schema(error: &SchemaError) -> String {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let names: Vec<&str> = valid_fields.iter().map(Column::name).collect();
            let hint = millrace_topics::did_you_mean(field.name(), names.iter().copied());
            let all = if hint.is_empty() { format!("; there are {}", names.join(", ")) } else { hint };
            format!("there is no column {}{all}", field.flat_name())
        }
        SchemaError::AmbiguousReference { field } => {
            format!("{} is the name of several columns; rename one with AS", field.name())
        }
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name } => {
            format!("two columns are called {name}; rename one with AS")
        }
    }
}

/// Faults that DataFusion tells in words of its own plans, and what to say of them instead.
const OWN: [(&str, &str); 3] = [
    (
        "Projections require unique expression names",
        "this column is listed twice; leave one out, or rename it with AS",
    ),
    (
        "QUALIFY clause requires window functions",
        "QUALIFY filters by the result of a window, and this condition has none; filter in WHERE or in an outer SELECT",
    ),
    (
        "Cannot create filter with non-boolean predicate",
        "a filter takes a condition; write a comparison, for example ... > 1",
    ),
];

/// A text without the classes of errors before it and without what DataFusion advises the user of its own API.
fn bare(text: &str) -> String {
    const CLASSES: [&str; 10] = [
        "Error during planning: ",
        "Execution error: ",
        "Arrow error: ",
        "Schema error: ",
        "This feature is not implemented: ",
        "Parser error: ",
        "Cast error: ",
        "Compute error: ",
        "Invalid argument error: ",
        "type_coercion\ncaused by\n",
    ];
    let mut text = text.trim();
    while let Some(rest) = CLASSES.iter().find_map(|class| text.strip_prefix(class)) {
        text = rest.trim_start();
    }
    if let Some((_, own)) = OWN.iter().find(|(theirs, _)| text.starts_with(theirs)) {
        return (*own).to_owned();
    }
    let text = text.split("No function matches the given name").next().unwrap_or(text);
    let text = text.split("\n\nbacktrace").next().unwrap_or(text);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use arrow::error::ArrowError;

    use super::*;

    #[test]
    fn classes_of_errors_vanish_however_deep_they_lie() {
        let error = DataFusionError::Plan("Execution error: x\nis wrong".into()).context("type_coercion");
        assert_eq!(words(&error), "x is wrong");
        assert_eq!(words(&ArrowError::DivideByZero.into()), "Divide by zero error");
    }
}

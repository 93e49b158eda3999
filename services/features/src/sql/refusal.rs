//! What a view's SQL may not say, with the place and what to write instead.

use std::fmt;

use datafusion_common::{DataFusionError, Diagnostic};
use datafusion_sql::sqlparser::parser::ParserError;
use datafusion_sql::sqlparser::tokenizer::Span;

use super::words::words;

/// A place in an SQL text, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character of the line.
    pub column: usize,
}

impl Place {
    /// Where a span begins; `None` for the empty span, which the parser gives to what it did not track.
    pub(crate) fn of(span: Span) -> Option<Self> {
        let (line, column) = (span.start.line, span.start.column);
        (line > 0).then(|| Self { line: to_usize(line), column: to_usize(column) })
    }
}

fn to_usize(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// One thing that a view may not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Where, if it is known.
    pub place: Option<Place>,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl Refusal {
    pub(crate) fn new(place: Option<Place>, message: impl Into<String>) -> Self {
        Self { place, message: message.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(place) => write!(f, "line {}, column {}: {}", place.line, place.column, self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl From<DataFusionError> for Refusal {
    /// What DataFusion says, at the place that it remembers.
    fn from(error: DataFusionError) -> Self {
        let place = error.diagnostic().and_then(diagnostic_place);
        Refusal::new(place, words(&error))
    }
}

fn diagnostic_place(diagnostic: &Diagnostic) -> Option<Place> {
    let span = diagnostic.span?;
    Some(Place { line: to_usize(span.start.line), column: to_usize(span.start.column) })
}

impl From<ParserError> for Refusal {
    /// The parser writes the place into its text: ` at Line: 3, Column: 9`.
    fn from(error: ParserError) -> Self {
        let text = match error {
            ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
            ParserError::RecursionLimitExceeded => return Refusal::new(None, "the SQL is nested too deeply"),
        };
        let Some((message, place)) = text.split_once(" at Line: ") else { return Refusal::new(None, text) };
        let place = place.split_once(", Column: ").and_then(|(line, column)| {
            Some(Place { line: line.parse().ok()?, column: column.trim().parse().ok()? })
        });
        Refusal::new(place, message)
    }
}

//! SQL text to the syntax tree of its one SELECT.

use datafusion_sql::sqlparser::ast::{Query, Statement};
use datafusion_sql::sqlparser::dialect::GenericDialect;
use datafusion_sql::sqlparser::parser::Parser;
use datafusion_sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::refusal::{Place, Refusal};

const START: Place = Place { line: 1, column: 1 };

/// The one query of a text.
pub(super) fn parse(sql: &str) -> Result<Query, Refusal> {
    let mut statements = Parser::parse_sql(&GenericDialect {}, sql)?;
    match (statements.pop(), statements.is_empty()) {
        (Some(Statement::Query(query)), true) => Ok(*query),
        (Some(_), true) => Err(Refusal::new(Some(START), "a view is one SELECT; this is another statement")),
        (Some(_), false) => Err(Refusal::new(
            second_statement(sql),
            "the file holds more than one statement; a view is one SELECT",
        )),
        (None, _) => Err(Refusal::new(Some(START), "the file holds no statement; a view is one SELECT")),
    }
}

/// Where the first word after a semicolon stands: not every statement of the syntax tree knows its place.
fn second_statement(sql: &str) -> Option<Place> {
    let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location().ok()?;
    let mut words = tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_)));
    words.find(|token| token.token == Token::SemiColon)?;
    words.find(|token| token.token != Token::SemiColon).and_then(|token| Place::of(token.span))
}

//! SQL text to DataFusion's analysed logical plan.

use datafusion_common::config::ConfigOptions;
use datafusion_expr::LogicalPlan;
use datafusion_optimizer::Analyzer;
use datafusion_sql::planner::{ParserOptions, SqlToRel};
use datafusion_sql::sqlparser::ast::Statement;
use datafusion_sql::sqlparser::dialect::GenericDialect;
use datafusion_sql::sqlparser::parser::Parser;

use super::catalog::{Catalog, Source};
use super::refusal::{Place, Refusal};
use super::sites::Sites;
use super::syntax;

/// A view that DataFusion accepts.
pub(crate) struct Planned {
    /// The plan after type coercion.
    pub plan: LogicalPlan,
    /// Where the text says what, for refusals that are found in the plan.
    pub sites: Sites,
}

/// Parses, checks and plans one SELECT. `horizon` tells whether ROWS frames are bounded in time.
pub(crate) fn plan_sql(sql: &str, sources: &[Source], horizon: bool) -> Result<Planned, Vec<Refusal>> {
    let statement = parse(sql).map_err(|refusal| vec![refusal])?;
    let catalog = Catalog::new(sources);
    let sites = syntax::check(&statement, &catalog, horizon)?;
    let options = ParserOptions::new().with_collect_spans(true).with_map_string_types_to_utf8view(false);
    let planned = SqlToRel::new_with_options(&catalog, options)
        .sql_statement_to_plan(statement)
        .and_then(|plan| Analyzer::new().execute_and_check(plan, &ConfigOptions::default(), |_, _| {}))
        .map_err(|error| {
            let mut refusal = Refusal::from(error);
            refusal.place = refusal.place.or_else(|| sites.mentioned(&refusal.message));
            vec![refusal]
        })?;
    Ok(Planned { plan: planned, sites })
}

fn parse(sql: &str) -> Result<Statement, Refusal> {
    let mut statements = Parser::parse_sql(&GenericDialect {}, sql)?;
    match (statements.pop(), statements.is_empty()) {
        (Some(statement), true) => Ok(statement),
        (Some(_), false) => {
            Err(Refusal::new(None, "the file holds more than one statement; a view is one SELECT"))
        }
        (None, _) => Err(Refusal::new(
            Some(Place { line: 1, column: 1 }),
            "the file holds no statement; a view is one SELECT",
        )),
    }
}

//! SQL text to DataFusion's analysed logical plan.

use arrow::datatypes::DataType;
use datafusion_common::Result as DataFusionResult;
use datafusion_common::config::ConfigOptions;
use datafusion_expr::LogicalPlan;
use datafusion_optimizer::Analyzer;
use datafusion_sql::planner::{ParserOptions, SqlToRel};
use datafusion_sql::sqlparser::ast::{Query, SetExpr, Statement};

use super::blame::{self, Fault};
use super::catalog::{Catalog, Source};
use super::conditions;
use super::constants;
use super::parse::parse;
use super::refusal::Refusal;
use super::sites::Sites;
use super::syntax;

/// A text that DataFusion accepts.
pub(crate) struct Planned<'a> {
    /// The plan after type coercion.
    pub plan: LogicalPlan,
    /// Where the text says what, for refusals that are found in the plan.
    pub sites: &'a Sites,
}

/// Parses, checks and plans one SELECT, and makes of the plan what `make` does. Parts of the text are made too, to find
/// out what is at fault where the whole fails. `horizon` tells whether ROWS frames are bounded in time.
pub(crate) fn plan_sql<T>(
    sql: &str,
    sources: &[Source],
    horizon: bool,
    make: impl Fn(&Planned) -> Result<T, Refusal>,
) -> Result<(T, Sites), Vec<Refusal>> {
    let query = parse(sql).map_err(|refusal| vec![refusal])?;
    let catalog = Catalog::new(sources);
    let sites = syntax::check(&query, &catalog, horizon)?;
    let whole = match planned(&catalog, query.clone(), &sites).and_then(|planned| Ok(make(&planned)?)) {
        Ok(made) => return Ok((made, sites)),
        Err(fault) => fault,
    };
    let probe = |query: Query| -> Result<DataType, Fault> {
        let sites = match query.body.as_ref() {
            SetExpr::Select(select) => syntax::sites_of(select, &catalog),
            _ => syntax::sites_of_query(&query, &catalog),
        };
        let planned = planned(&catalog, query, &sites)?;
        make(&planned)?;
        let fields = planned.plan.schema().fields();
        Ok(fields.first().map_or(DataType::Null, |field| field.data_type().clone()))
    };
    let found = blame::refusals(&query, &probe);
    if !found.is_empty() {
        return Err(found);
    }
    let mut refusal = match whole {
        Fault::Constant(words) => Refusal::new(None, format!("a constant fails for every row: {words}")),
        Fault::Refused(refusal) => refusal,
    };
    refusal.place = refusal.place.or_else(|| sites.mentioned(&refusal.message)).or_else(|| sites.start());
    Err(vec![refusal])
}

fn planned<'s>(catalog: &Catalog, query: Query, sites: &'s Sites) -> Result<Planned<'s>, Fault> {
    let written = written(catalog, query).map_err(Refusal::from)?;
    if let Some(refusal) = conditions::refused(&written).map_err(Refusal::from)? {
        return Err(Fault::Refused(refusal));
    }
    let plan = analysed(written).map_err(Refusal::from)?;
    match constants::failing(&plan).map_err(Refusal::from)? {
        Some(words) => Err(Fault::Constant(words)),
        None => Ok(Planned { plan, sites }),
    }
}

/// The plan as it is written, before type coercion.
fn written(catalog: &Catalog, query: Query) -> DataFusionResult<LogicalPlan> {
    let options = ParserOptions::new().with_collect_spans(true).with_map_string_types_to_utf8view(false);
    SqlToRel::new_with_options(catalog, options).sql_statement_to_plan(Statement::Query(Box::new(query)))
}

fn analysed(plan: LogicalPlan) -> DataFusionResult<LogicalPlan> {
    Analyzer::new().execute_and_check(plan, &ConfigOptions::default(), |_, _| {})
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

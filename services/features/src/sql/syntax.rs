//! What can be told from the text alone: constructs that no incremental plan has, each with its place.

use std::ops::ControlFlow;

use datafusion_expr::Volatility;
use datafusion_sql::sqlparser::ast::{
    Expr, Function, GroupByExpr, NamedWindowExpr, Query, Select, SelectItem, SetExpr, SetOperator,
    SetQuantifier, Statement, TableFactor, Visit, Visitor, WindowType, visit_expressions,
};

use super::catalog::Catalog;
use super::refusal::{Place, Refusal};
use super::sites::Sites;
use super::sites::{normalized, place};
use super::window_syntax;

/// Every refusal that the text alone shows; the places of what it mentions if there is none.
pub(super) fn check(statement: &Statement, catalog: &Catalog, horizon: bool) -> Result<Sites, Vec<Refusal>> {
    let mut checker = Checker { catalog, horizon, refusals: Vec::new(), sites: Sites::default() };
    match statement {
        Statement::Query(query) => {
            checker.sites.start = place(query.as_ref());
            checker.outputs(&query.body);
            let _ = statement.visit(&mut checker);
        }
        _ => checker
            .refuse(Some(Place { line: 1, column: 1 }), "a view is one SELECT; this is another statement"),
    }
    if checker.refusals.is_empty() {
        return Ok(checker.sites);
    }
    checker.refusals.sort_by_key(|refusal| refusal.place);
    checker.refusals.dedup();
    Err(checker.refusals)
}

/// Walks the syntax tree and collects refusals.
pub(super) struct Checker<'a> {
    catalog: &'a Catalog,
    pub(super) horizon: bool,
    refusals: Vec<Refusal>,
    pub(super) sites: Sites,
}

impl Checker<'_> {
    pub(super) fn refuse(&mut self, place: Option<Place>, message: impl Into<String>) {
        self.refusals.push(Refusal::new(place.or(self.sites.start), message));
    }

    fn outputs(&mut self, body: &SetExpr) {
        let select = match body {
            SetExpr::Select(select) => select,
            SetExpr::Query(query) => return self.outputs(&query.body),
            _ => return,
        };
        for item in &select.projection {
            let named = match item {
                SelectItem::ExprWithAlias { alias, .. } => Some((normalized(alias), Place::of(alias.span))),
                SelectItem::UnnamedExpr(expr) => Some((super::sites::column_name(expr), place(expr))),
                _ => None,
            };
            if let Some((name, Some(place))) = named {
                self.sites.outputs.push((name, place));
            }
        }
    }

    fn set_operation(&mut self, body: &SetExpr, at: Option<Place>) {
        match body {
            SetExpr::Select(_) | SetExpr::Query(_) => {}
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                let union_all = *op == SetOperator::Union && *set_quantifier == SetQuantifier::All;
                if !union_all {
                    let text = format!("{op} {set_quantifier}");
                    self.refuse(
                        place(right.as_ref()),
                        format!(
                            "{} needs all rows at once; streams are put together by UNION ALL",
                            text.trim_end()
                        ),
                    );
                }
                self.set_operation(left, at);
                self.set_operation(right, at);
            }
            _ => self.refuse(at, "only SELECT and UNION ALL of SELECTs make a view"),
        }
    }

    fn select_clauses(&mut self, select: &Select) {
        let start = Place::of(select.select_token.0.span);
        if select.distinct.is_some() {
            self.refuse(start, "SELECT DISTINCT needs all rows at once; leave DISTINCT out");
        }
        if select.top.is_some() {
            self.refuse(start, "TOP has no meaning in an endless stream; leave it out");
        }
        if select.into.is_some() {
            self.refuse(start, "SELECT INTO is not for views: the topic file names the output");
        }
        let grouped = match &select.group_by {
            GroupByExpr::All(_) => true,
            GroupByExpr::Expressions(keys, _) => !keys.is_empty(),
        };
        if grouped {
            self.refuse(
                place(&select.group_by).or(start),
                "GROUP BY gives no row per event; write <aggregate> OVER (PARTITION BY ... ORDER BY ...)",
            );
        }
        if let Some(prewhere) = &select.prewhere {
            self.refuse(place(prewhere), "PREWHERE is not for views; write WHERE");
        }
        if let Some(window) = select.selection.as_ref().and_then(window_in) {
            self.refuse(
                window,
                "WHERE is before the windows and cannot see them; filter in an outer SELECT ... WHERE, or with QUALIFY",
            );
        }
        if let Some(having) = &select.having {
            self.refuse(
                place(having),
                "HAVING belongs to GROUP BY; filter in an outer SELECT ... WHERE, or with QUALIFY",
            );
        }
        let ordered =
            !select.sort_by.is_empty() || !select.cluster_by.is_empty() || !select.distribute_by.is_empty();
        if ordered || !select.lateral_views.is_empty() || !select.connect_by.is_empty() {
            self.refuse(start, "this SELECT has a clause that views do not have (SORT, CLUSTER or DISTRIBUTE BY, LATERAL VIEW, CONNECT BY)");
        }
    }

    fn select_from(&mut self, select: &Select) {
        match select.from.as_slice() {
            [] => self.refuse(
                Place::of(select.select_token.0.span),
                "FROM is missing; a view reads a source topic",
            ),
            [table] => {
                if let Some(join) = table.joins.first() {
                    self.refuse(place(&join.relation), JOIN);
                }
            }
            [_, second, ..] => self.refuse(place(second), JOIN),
        }
    }

    fn function(&mut self, function: &Function) {
        let at = place(&function.name);
        let Some(name) = function.name.0.last().and_then(|part| part.as_ident()).map(normalized) else {
            return;
        };
        if let (Some(_), Some(at)) = (&function.over, at) {
            self.sites.functions.push((name.clone(), at));
        }
        match &function.over {
            Some(over) => {
                window_syntax::function(self, function, &name, at);
                if let WindowType::WindowSpec(spec) = over {
                    window_syntax::spec(self, spec, at);
                }
            }
            None if self.catalog.is_aggregate(&name) => self.refuse(
                at,
                format!("{name} without OVER aggregates a whole topic; write {name}(...) OVER (PARTITION BY ... ORDER BY ...)"),
            ),
            None => {}
        }
        let volatile =
            self.catalog.scalar(&name).is_some_and(|f| f.signature().volatility != Volatility::Immutable);
        if volatile {
            self.refuse(
                at,
                format!("{name}() differs from call to call, so that the same rows would not give the same features; use the columns of the event"),
            );
        }
    }
}

/// Where an expression has a window function, if it has one.
fn window_in(expression: &Expr) -> Option<Option<Place>> {
    let found = visit_expressions(expression, |part| match part {
        Expr::Function(function) if function.over.is_some() => ControlFlow::Break(place(&function.name)),
        _ => ControlFlow::Continue(()),
    });
    found.break_value()
}

const JOIN: &str = "joins are not supported; put sources together by UNION ALL in a CTE and aggregate with FILTER (WHERE ...)";

impl Visitor for Checker<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let start = place(query);
        if let Some(with) = query.with.as_ref().filter(|with| with.recursive) {
            self.refuse(place(with), "WITH RECURSIVE is not supported; write plain CTEs");
        }
        if let Some(order_by) = &query.order_by {
            self.refuse(
                place(order_by).or(start),
                "rows leave in the order in which they come; leave the outer ORDER BY out",
            );
        }
        if let Some(limit) = &query.limit_clause {
            self.refuse(
                place(limit).or(start),
                "LIMIT and OFFSET have no meaning in an endless stream; leave them out",
            );
        }
        if let Some(fetch) = &query.fetch {
            self.refuse(place(fetch).or(start), "FETCH has no meaning in an endless stream; leave it out");
        }
        if !query.locks.is_empty() || !query.pipe_operators.is_empty() || query.for_clause.is_some() {
            self.refuse(start, "a view has no FOR clause and no pipe operators; leave them out");
        }
        if query.settings.is_some() || query.format_clause.is_some() {
            self.refuse(start, "a view has no SETTINGS and no FORMAT; leave them out");
        }
        self.set_operation(&query.body, start);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        self.select_clauses(select);
        self.select_from(select);
        for definition in &select.named_window {
            let at = Place::of(definition.0.span);
            match &definition.1 {
                NamedWindowExpr::WindowSpec(spec) => window_syntax::spec(self, spec, at),
                NamedWindowExpr::NamedWindow(_) => {
                    self.refuse(at, "a window cannot be another's name; write it out")
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<()> {
        match table {
            TableFactor::Table {
                name, args: None, with_hints, partitions, with_ordinality, sample, ..
            } => {
                if sample.is_some() || *with_ordinality || !partitions.is_empty() || !with_hints.is_empty() {
                    self.refuse(
                        place(name),
                        "a view reads whole topics: leave out what follows the topic's name",
                    );
                }
                if let (Some(ident), Some(at)) = (name.0.last().and_then(|part| part.as_ident()), place(name))
                {
                    self.sites.tables.push((normalized(ident), at));
                }
            }
            TableFactor::Derived { .. } => {}
            other => {
                self.refuse(place(other), "FROM takes a source topic, a CTE or a subquery; nothing else")
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(function) => self.function(function),
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => self.refuse(
                place(expr),
                "subqueries in expressions are not supported; put sources together by UNION ALL and aggregate with FILTER (WHERE ...)",
            ),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

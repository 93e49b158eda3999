//! What can be told from the text alone: constructs that no incremental plan has, each with its place.

use std::ops::ControlFlow;

use datafusion_expr::Volatility;
use datafusion_sql::sqlparser::ast::{
    Expr, Function, GroupByExpr, NamedWindowExpr, Query, Select, SelectItem, SetExpr, SetOperator,
    SetQuantifier, TableFactor, Value, ValueWithSpan, Visit, Visitor, WildcardAdditionalOptions, WindowType,
    visit_expressions,
};

use super::catalog::Catalog;
use super::refusal::{Place, Refusal};
use super::sites::{Item, Sites, column_name, normalized, place};
use super::window_syntax;

/// Every refusal that the text alone shows; the places of what it mentions if there is none.
pub(super) fn check(query: &Query, catalog: &Catalog, horizon: bool) -> Result<Sites, Vec<Refusal>> {
    let mut checker = Checker::new(catalog, horizon);
    checker.sites.start = place(query);
    checker.outputs(&query.body);
    let _ = query.visit(&mut checker);
    if checker.refusals.is_empty() {
        return Ok(checker.sites);
    }
    checker.refusals.sort_by_key(|refusal| refusal.place);
    checker.refusals.dedup();
    Err(checker.refusals)
}

/// The places of all that a query mentions.
pub(super) fn sites_of_query(query: &Query, catalog: &Catalog) -> Sites {
    let mut checker = Checker::new(catalog, true);
    let _ = query.visit(&mut checker);
    checker.sites
}

/// The places of what the columns and windows of one SELECT mention, without those of the SELECTs beneath it.
pub(super) fn sites_of(select: &Select, catalog: &Catalog) -> Sites {
    let mut checker = Checker::new(catalog, true);
    let _ = select.projection.visit(&mut checker);
    let _ = select.qualify.visit(&mut checker);
    checker.named_windows(select);
    checker.sites
}

/// Walks the syntax tree and collects refusals.
pub(super) struct Checker<'a> {
    catalog: &'a Catalog,
    pub(super) horizon: bool,
    refusals: Vec<Refusal>,
    pub(super) sites: Sites,
}

impl<'a> Checker<'a> {
    fn new(catalog: &'a Catalog, horizon: bool) -> Self {
        Self { catalog, horizon, refusals: Vec::new(), sites: Sites::default() }
    }
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
        self.sites.outputs.extend(select.projection.iter().map(output));
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
        if let Some(qualify) = select.qualify.as_ref().filter(|qualify| !has_window(select, qualify)) {
            self.refuse(
                place(qualify).or(start),
                "QUALIFY filters by windows, and this SELECT has none; write WHERE, or filter in an outer SELECT",
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

    fn named_windows(&mut self, select: &Select) {
        for definition in &select.named_window {
            let at = Place::of(definition.0.span);
            match &definition.1 {
                NamedWindowExpr::WindowSpec(spec) => window_syntax::spec(self, spec, at),
                NamedWindowExpr::NamedWindow(_) => {
                    self.refuse(at, "a window cannot be another's name; write it out")
                }
            }
        }
    }

    /// The list of a SELECT: each name once, and of `*` only what DataFusion heeds.
    fn items(&mut self, select: &Select) {
        let start = Place::of(select.select_token.0.span);
        let mut names: Vec<String> = Vec::new();
        for item in &select.projection {
            match item {
                SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options) => {
                    self.star(options, start);
                }
                SelectItem::ExprWithAliases { .. } => {
                    self.refuse(place(item).or(start), "a column has one name; write AS <name>");
                }
                SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. } => {}
            }
            if let SelectItem::ExprWithAlias { alias, .. } = item
                && let Some(at) = Place::of(alias.span)
            {
                self.sites.aliases.push((normalized(alias), at));
            }
            let item = output(item);
            let Some(name) = item.name else { continue };
            if names.contains(&name) {
                let message = format!("two columns are called {name}; rename one with AS");
                self.refuse(item.place.or(start), message);
            }
            names.push(name);
        }
    }

    fn star(&mut self, options: &WildcardAdditionalOptions, start: Option<Place>) {
        let at = Place::of(options.wildcard_token.0.span).or(start);
        if options.opt_rename.is_some() {
            self.refuse(at, "* RENAME is not supported; list the columns, and rename them with AS");
        }
        if options.opt_ilike.is_some() {
            self.refuse(at, "* ILIKE is not supported; list the columns");
        }
        if options.opt_alias.is_some() {
            self.refuse(at, "* has no name of its own; leave AS out");
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

/// A column of a SELECT's list.
fn output(item: &SelectItem) -> Item {
    let (name, at) = match item {
        SelectItem::ExprWithAlias { alias, expr } => {
            (Some(normalized(alias)), Place::of(alias.span).or_else(|| place(expr)))
        }
        SelectItem::UnnamedExpr(expr @ (Expr::Identifier(_) | Expr::CompoundIdentifier(_))) => {
            (Some(column_name(expr)), place(expr))
        }
        SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options) => {
            (None, Place::of(options.wildcard_token.0.span))
        }
        other => (None, place(other)),
    };
    let is_star = matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..));
    Item { place: at, name, is_star }
}

/// Whether a SELECT has a window function that QUALIFY can filter by.
fn has_window(select: &Select, qualify: &Expr) -> bool {
    let listed = select.projection.iter().any(|item| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => window_in(expr).is_some(),
        _ => false,
    });
    listed || window_in(qualify).is_some()
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
        self.named_windows(select);
        self.items(select);
        window_syntax::names(self, select);
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

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<()> {
        if let Value::Placeholder(name) = &value.value {
            let message = format!("a view has no parameters, such as {name}; write the value itself");
            self.refuse(Place::of(value.span), message);
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

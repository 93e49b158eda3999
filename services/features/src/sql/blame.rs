//! Which parts of a text are at fault. DataFusion stops at the first fault and has often lost its place by then, so the
//! text is planned again in ever smaller parts, until those are found that fail although all that they are made of
//! passes.

use std::ops::ControlFlow;

use arrow::datatypes::DataType;
use datafusion_sql::sqlparser::ast::{
    Cte, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, NamedWindowExpr, Query, Select,
    SelectItem, SetExpr, TableFactor, Value, Visit, Visitor, WindowType, With, visit_relations,
};
use millrace_topics::type_name;

use super::refusal::{Place, Refusal};
use super::sites::{normalized, place};

/// Why a part fails.
pub(super) enum Fault {
    /// A constant of it cannot be computed.
    Constant(String),
    /// It is refused.
    Refused(Refusal),
}

/// Plans a query: the type of its first column, or why it fails.
pub(super) type Probe<'a> = dyn Fn(Query) -> Result<DataType, Fault> + 'a;

/// Every part of a query that fails, in the order of the text; nothing if only the whole fails.
pub(super) fn refusals(query: &Query, probe: &Probe) -> Vec<Refusal> {
    let mut blame = Blame { probe, refusals: Vec::new() };
    blame.query(query, &[]);
    blame.refusals.sort_by_key(|refusal| refusal.place);
    blame.refusals.dedup();
    blame.refusals
}

struct Blame<'a> {
    probe: &'a Probe<'a>,
    refusals: Vec<Refusal>,
}

/// A SELECT with the tables that its text can name.
struct Scope<'s> {
    ctes: &'s [Cte],
    select: &'s Select,
    /// Windows of its WINDOW clause that fail themselves.
    bad_windows: Vec<String>,
}

impl Scope<'_> {
    /// The SELECT without its conditions, with other columns.
    fn columns(&self, projection: Vec<SelectItem>) -> Select {
        Select { projection, selection: None, qualify: None, ..self.select.clone() }
    }

    fn nothing(&self) -> Select {
        self.columns(vec![SelectItem::UnnamedExpr(Expr::value(Value::Boolean(true)))])
    }

    fn query(&self, select: Select) -> Query {
        wrap(self.ctes, SetExpr::Select(Box::new(select)))
    }
}

fn wrap(ctes: &[Cte], body: SetExpr) -> Query {
    let with = (!ctes.is_empty()).then(|| With {
        with_token: datafusion_sql::sqlparser::ast::helpers::attached_token::AttachedToken::empty(),
        recursive: false,
        cte_tables: ctes.to_vec(),
    });
    Query {
        with,
        body: Box::new(body),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}

/// Whether a query reads one of these tables.
fn reads(query: &impl Visit, tables: &[String]) -> bool {
    visit_relations(query, |name| {
        let name = name.0.last().and_then(|part| part.as_ident()).map(normalized);
        if name.is_some_and(|name| tables.contains(&name)) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
    .is_break()
}

impl Blame<'_> {
    fn query(&mut self, query: &Query, outer: &[Cte]) {
        let mut ctes = outer.to_vec();
        let mut bad = Vec::new();
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let before = self.refusals.len();
            let reads_bad = reads(&cte.query, &bad);
            if !reads_bad {
                self.query(&cte.query, &ctes);
            }
            if reads_bad || self.refusals.len() > before {
                bad.push(normalized(&cte.alias.name));
            } else {
                ctes.push(cte.clone());
            }
        }
        if !reads(&query.body, &bad) {
            self.body(&query.body, &ctes);
        }
    }

    fn body(&mut self, body: &SetExpr, ctes: &[Cte]) {
        match body {
            SetExpr::Select(select) => self.select(select, ctes),
            SetExpr::Query(query) => self.query(query, ctes),
            SetExpr::SetOperation { left, right, .. } => {
                let before = self.refusals.len();
                self.body(left, ctes);
                self.body(right, ctes);
                if self.refusals.len() == before
                    && let Err(fault) = (self.probe)(wrap(ctes, body.clone()))
                {
                    self.refuse(fault, place(right.as_ref()));
                }
            }
            _ => {}
        }
    }

    fn select(&mut self, select: &Select, ctes: &[Cte]) {
        let before = self.refusals.len();
        for table in &select.from {
            if let TableFactor::Derived { subquery, .. } = &table.relation {
                self.query(subquery, ctes);
            }
        }
        if self.refusals.len() > before {
            return;
        }
        let mut scope = Scope { ctes, select, bad_windows: Vec::new() };
        if let Err(fault) = (self.probe)(scope.query(scope.nothing())) {
            return self.refuse(fault, select.from.first().and_then(|table| place(&table.relation)));
        }
        self.named_windows(&mut scope);
        if let Some(condition) = &select.selection {
            self.condition(&scope, condition);
        }
        for item in &select.projection {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                self.expr(&scope, expr, item_place(item));
            }
        }
        if self.refusals.len() == before {
            self.together(&scope);
        }
    }

    fn named_windows(&mut self, scope: &mut Scope) {
        for definition in &scope.select.named_window {
            let NamedWindowExpr::WindowSpec(spec) = &definition.1 else { continue };
            let before = self.refusals.len();
            let order_by = spec.order_by.iter().map(|order| &order.expr);
            for expr in spec.partition_by.iter().chain(order_by) {
                self.expr(scope, expr, Place::of(definition.0.span));
            }
            if self.refusals.len() > before {
                scope.bad_windows.push(normalized(&definition.0));
            }
        }
    }

    fn condition(&mut self, scope: &Scope, condition: &Expr) {
        let filtered = Select { selection: Some(condition.clone()), ..scope.nothing() };
        let Err(fault) = (self.probe)(scope.query(filtered)) else { return };
        let before = self.refusals.len();
        self.expr(scope, condition, None);
        if self.refusals.len() > before {
            return;
        }
        match self.type_of(scope, condition) {
            Some(kind) if kind != DataType::Boolean => {
                let message = no_condition("WHERE", &condition.to_string(), &kind);
                self.refusals.push(Refusal::new(place(condition), message));
            }
            _ => self.refuse(fault, place(condition)),
        }
    }

    /// Finds the parts of an expression that fail, if it fails.
    fn expr(&mut self, scope: &Scope, expr: &Expr, fallback: Option<Place>) {
        if self.try_expr(scope, expr).is_ok() {
            return;
        }
        let fallback = place(expr).or(fallback);
        let mut parts = Parts { blame: self, scope, fallback, fails: vec![false] };
        let _ = expr.visit(&mut parts);
    }

    /// What fails only together: columns, one by one; then the filter after the windows.
    fn together(&mut self, scope: &Scope) {
        let select = scope.select;
        let filtered = |projection: &[SelectItem]| Select {
            selection: select.selection.clone(),
            ..scope.columns(projection.to_vec())
        };
        for n in 1..=select.projection.len() {
            if let Err(fault) = (self.probe)(scope.query(filtered(&select.projection[..n]))) {
                return self.refuse(fault, item_place(&select.projection[n - 1]));
            }
        }
        if let Some(qualify) = &select.qualify
            && let Err(fault) = (self.probe)(scope.query(select.clone()))
        {
            self.refuse(fault, place(qualify));
        }
    }

    fn try_expr(&self, scope: &Scope, expr: &Expr) -> Result<DataType, Fault> {
        (self.probe)(scope.query(scope.columns(vec![SelectItem::UnnamedExpr(expr.clone())])))
    }

    fn type_of(&self, scope: &Scope, expr: &Expr) -> Option<DataType> {
        self.try_expr(scope, expr).ok()
    }

    fn refuse(&mut self, fault: Fault, at: Option<Place>) {
        self.refusals.push(match fault {
            Fault::Constant(words) => Refusal::new(at, format!("this fails for every row: {words}")),
            Fault::Refused(refusal) => Refusal { place: refusal.place.or(at), ..refusal },
        });
    }

    fn refuse_part(&mut self, scope: &Scope, part: &Expr, fault: Fault, fallback: Option<Place>) {
        let at = place(part).or(fallback);
        if let Fault::Constant(words) = fault {
            let message = format!("{part} fails for every row: {words}");
            return self.refusals.push(Refusal::new(at, message));
        }
        let numbers = match part {
            Expr::Function(function) => self.takes_numbers(scope, function),
            _ => None,
        };
        match numbers {
            Some(message) => self.refusals.push(Refusal::new(at, message)),
            None => self.refuse(fault, at),
        }
    }

    /// That a sum or an average is asked of what is no number.
    fn takes_numbers(&self, scope: &Scope, function: &Function) -> Option<String> {
        let name = function.name.0.last().and_then(|part| part.as_ident()).map(normalized)?;
        let FunctionArguments::List(list) = &function.args else { return None };
        let [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))] = list.args.as_slice() else {
            return None;
        };
        let kind = self.type_of(scope, argument)?;
        let sums = matches!(name.as_str(), "sum" | "avg" | "mean");
        (sums && !kind.is_numeric()).then(|| no_number(&name, &argument.to_string(), &kind))
    }
}

/// That something is no condition, and what to write.
pub(super) fn no_condition(clause: &str, text: &str, kind: &DataType) -> String {
    format!(
        "{clause} takes a condition, and {text} is {}; write a comparison, for example {text} = ...",
        type_name(kind)
    )
}

/// That a sum or an average is asked of what is no number, and what to write.
pub(crate) fn no_number(function: &str, argument: &str, kind: &DataType) -> String {
    let instead = match kind {
        DataType::Boolean => {
            format!("write {function}(CAST({argument} AS DOUBLE)), or COUNT(*) FILTER (WHERE {argument})")
        }
        DataType::Timestamp(..) => {
            format!(
                "write {function}(EXTRACT(EPOCH FROM {argument})) for seconds since 1970, or use count, min or max"
            )
        }
        _ => format!(
            "write {function}(CAST({argument} AS DOUBLE)) if it holds numbers, or use count, min or max"
        ),
    };
    format!("{function} takes numbers, and {argument} is {}; {instead}", type_name(kind))
}

/// Where an output column is named, or begins.
fn item_place(item: &SelectItem) -> Option<Place> {
    match item {
        SelectItem::ExprWithAlias { expr, alias } => place(expr).or_else(|| Place::of(alias.span)),
        other => place(other),
    }
}

/// Walks an expression from its leaves up, and refuses parts that fail while all beneath them pass.
struct Parts<'p, 'a> {
    blame: &'p mut Blame<'a>,
    scope: &'p Scope<'p>,
    fallback: Option<Place>,
    /// For each part that is entered and not yet left, whether something beneath it failed.
    fails: Vec<bool>,
}

impl Parts<'_, '_> {
    fn is_over_bad_window(&self, part: &Expr) -> bool {
        match part {
            Expr::Function(Function { over: Some(WindowType::NamedWindow(name)), .. }) => {
                self.scope.bad_windows.contains(&normalized(name))
            }
            _ => false,
        }
    }
}

impl Visitor for Parts<'_, '_> {
    type Break = ();

    fn pre_visit_expr(&mut self, _: &Expr) -> ControlFlow<()> {
        self.fails.push(false);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, part: &Expr) -> ControlFlow<()> {
        let beneath = self.fails.pop().unwrap_or(false) || self.is_over_bad_window(part);
        let mut fails = beneath;
        if !beneath && let Err(fault) = self.blame.try_expr(self.scope, part) {
            self.blame.refuse_part(self.scope, part, fault, self.fallback);
            fails = true;
        }
        if let Some(above) = self.fails.last_mut() {
            *above |= fails;
        }
        ControlFlow::Continue(())
    }
}

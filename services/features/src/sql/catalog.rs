//! What SQL can name: the application's source topics, and DataFusion's functions.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion_common::config::ConfigOptions;
use datafusion_common::{Result, TableReference, plan_err};
use datafusion_expr::planner::{ContextProvider, ExprPlanner};
use datafusion_expr::{
    AggregateUDF, HigherOrderUDF, ScalarUDF, TableSource, WindowUDF, logical_plan::builder,
};

/// A source topic as a view sees it.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name in SQL: the topic file's stem.
    pub name: String,
    /// Its columns.
    pub schema: SchemaRef,
    /// The column whose text is the record's key.
    pub key: String,
    /// The column that is the record time.
    pub time: String,
}

/// The tables and functions of one view.
pub(super) struct Catalog {
    tables: HashMap<String, Arc<dyn TableSource>>,
    scalar: HashMap<String, Arc<ScalarUDF>>,
    aggregate: HashMap<String, Arc<AggregateUDF>>,
    window: HashMap<String, Arc<WindowUDF>>,
    planners: Vec<Arc<dyn ExprPlanner>>,
    options: ConfigOptions,
}

impl Catalog {
    pub(super) fn new(sources: &[Source]) -> Self {
        let tables = sources
            .iter()
            .map(|source| {
                let table: Arc<dyn TableSource> =
                    Arc::new(builder::LogicalTableSource::new(source.schema.clone()));
                (source.name.clone(), table)
            })
            .collect();
        let scalar = datafusion_functions::all_default_functions();
        let aggregate = datafusion_functions_aggregate::all_default_aggregate_functions();
        let window = datafusion_functions_window::all_default_window_functions();
        Self {
            tables,
            scalar: by_name(scalar, |f| (f.name(), f.aliases())),
            aggregate: by_name(aggregate, |f| (f.name(), f.aliases())),
            window: by_name(window, |f| (f.name(), f.aliases())),
            planners: vec![
                Arc::new(datafusion_functions::core::planner::CoreFunctionPlanner::default()),
                Arc::new(datafusion_functions::datetime::planner::DatetimeFunctionPlanner),
                Arc::new(datafusion_functions::unicode::planner::UnicodeFunctionPlanner),
                Arc::new(datafusion_functions_aggregate::planner::AggregateFunctionPlanner),
                Arc::new(datafusion_functions_window::planner::WindowFunctionPlanner),
            ],
            options: ConfigOptions::default(),
        }
    }

    /// The scalar function of a name or alias.
    pub(super) fn scalar(&self, name: &str) -> Option<&Arc<ScalarUDF>> {
        self.scalar.get(name)
    }

    /// Whether a name is an aggregate's.
    pub(super) fn is_aggregate(&self, name: &str) -> bool {
        self.aggregate.contains_key(name)
    }

    /// The tables' names, for an error's text.
    fn table_names(&self) -> String {
        let mut names: Vec<&str> = self.tables.keys().map(String::as_str).collect();
        names.sort_unstable();
        names.join(", ")
    }
}

fn by_name<F>(functions: Vec<Arc<F>>, names: impl Fn(&F) -> (&str, &[String])) -> HashMap<String, Arc<F>> {
    let mut map = HashMap::new();
    for function in functions {
        let (name, aliases) = names(&function);
        for name in std::iter::once(name).chain(aliases.iter().map(String::as_str)) {
            map.insert(name.to_owned(), Arc::clone(&function));
        }
    }
    map
}

impl ContextProvider for Catalog {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        match self.tables.get(name.table()) {
            Some(table) if name.schema().is_none() => Ok(Arc::clone(table)),
            _ => plan_err!("no source topic is called {name}; the application has: {}", self.table_names()),
        }
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.planners
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.scalar.get(name).cloned()
    }

    fn get_higher_order_meta(&self, _name: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.aggregate.get(name).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.window.get(name).cloned()
    }

    fn get_variable_type(&self, _variable_names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        &self.options
    }

    fn udf_names(&self) -> Vec<String> {
        self.scalar.keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.aggregate.keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.window.keys().cloned().collect()
    }
}

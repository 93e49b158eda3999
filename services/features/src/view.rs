//! A view of an application: its topic file's SQL, planned.

use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::Schema;
use millrace_schemas::TopicSchema;
use millrace_topics::{Application, FeaturesTable, Problem, Role, Topic};

use crate::plan::{Plan, View};
use crate::sql::{Refusal, Source};

/// A planned view with the topics that it reads and writes.
#[derive(Debug, Clone)]
pub struct PlannedView<'a> {
    /// The view's topic.
    pub topic: &'a Topic,
    /// What its topic file says of it.
    pub table: &'a FeaturesTable,
    /// Its plan.
    pub plan: Arc<Plan>,
    /// The source topics, in the order of the SQL.
    pub sources: Vec<&'a Topic>,
    /// The schema of what it emits: the topic file's, or derived.
    pub schema: Arc<TopicSchema>,
}

/// Plans the view of a topic, or says all that is wrong with its SQL and its columns.
pub fn plan_view<'a>(app: &'a Application, topic: &'a Topic) -> Result<PlannedView<'a>, Vec<Problem>> {
    let Role::Features(table) = &topic.role else {
        return Err(vec![topic.problem("features", "is missing: this topic is no feature view")]);
    };
    let sources = sources(app);
    let view = View {
        sql: &table.sql,
        sources: &sources,
        key: topic.kafka.key.as_deref(),
        lateness_ms: table.lateness_ms,
        horizon_ms: table.horizon_ms,
    };
    let plan = Plan::new(&view).map_err(|refusals| {
        refusals.iter().map(|refusal| problem(&table.sql_file, refusal)).collect::<Vec<_>>()
    })?;
    let schema = schema(app, topic, table, &plan)?;
    let read =
        plan.sources.iter().filter_map(|source| app.topics.iter().find(|topic| topic.stem == source.name));
    Ok(PlannedView { topic, table, sources: read.collect(), plan: Arc::new(plan), schema })
}

/// The application's source topics as SQL sees them.
fn sources(app: &Application) -> Vec<Source> {
    let source = |topic: &Topic| {
        Some(Source {
            name: topic.stem.clone(),
            schema: topic.kafka.schema.as_ref()?.arrow().clone(),
            key: topic.kafka.key.clone()?,
            time: topic.time.clone()?,
        })
    };
    app.topics.iter().filter(|topic| matches!(topic.role, Role::Source)).filter_map(source).collect()
}

fn problem(file: &Path, refusal: &Refusal) -> Problem {
    let column = refusal.place.map(|place| format!("column {}", place.column));
    Problem::new(file, refusal.place.map(|place| place.line), column.as_deref(), refusal.message.clone())
}

/// The schema that the topic file names, which must be the view's, or the one derived from its columns.
fn schema(
    app: &Application,
    topic: &Topic,
    table: &FeaturesTable,
    plan: &Plan,
) -> Result<Arc<TopicSchema>, Vec<Problem>> {
    let derived = TopicSchema::derive(&app.name, &topic.stem, &plan.output_schema)
        .map_err(|error| vec![Problem::new(&table.sql_file, None, None, error.to_string())])?;
    let Some(declared) = &topic.kafka.schema else { return Ok(Arc::new(derived)) };
    match difference(declared.arrow(), derived.arrow()) {
        None => Ok(Arc::clone(declared)),
        Some(difference) => {
            Err(vec![topic.problem("schema", format!("{difference}; leave `schema` out to have it derived"))])
        }
    }
}

fn difference(declared: &Schema, derived: &Schema) -> Option<String> {
    let names = |schema: &Schema| schema.fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>();
    if names(declared) != names(derived) {
        return Some(format!(
            "has the columns {}, the view {}",
            names(declared).join(", "),
            names(derived).join(", ")
        ));
    }
    declared.fields().iter().zip(derived.fields()).find_map(|(declared, derived)| {
        let fits =
            declared.data_type() == derived.data_type() && (declared.is_nullable() || !derived.is_nullable());
        let shown = |field: &arrow::datatypes::Field| {
            format!("{}{}", field.data_type(), if field.is_nullable() { " or null" } else { "" })
        };
        (!fits).then(|| {
            format!("says that {} is {}, the view's is {}", declared.name(), shown(declared), shown(derived))
        })
    })
}

//! An error in serving, planted: from a moment on a feature is computed wrongly for the payments of one country, while the
//! log, and what is trained on it, stay right.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, RecordBatch};
use arrow::datatypes::{Float64Type, TimestampMillisecondType};
use arrow::error::ArrowError;
use millrace_runtime::service::{MakeTask, Service};
use millrace_runtime::task::{Batch, Effects, Progress, Task, TaskError};
use millrace_topics::Application;

/// The feature.
const COLUMN: &str = "customer_avg_7d";
/// Where it is doubled.
const COUNTRY: &str = "DE";

/// Has the stage that writes the feature topic double a column.
pub fn compute_wrongly(services: &mut [Service], app: &Application, from_ms: i64) {
    let Some(features) = app.topic("features") else { return };
    let stages = services.iter_mut().flat_map(|service| &mut service.stages);
    let writes = |name: &str| name == features.kafka.name;
    for stage in stages.filter(|stage| stage.outputs.iter().any(|output| writes(&output.name))) {
        let right = stage.task.clone();
        let wrong: MakeTask =
            Arc::new(move |partition| Ok(Box::new(Wrong { right: right(partition)?, from_ms })));
        stage.task = wrong;
    }
}

struct Wrong {
    right: Box<dyn Task>,
    from_ms: i64,
}

impl Task for Wrong {
    fn apply(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), TaskError> {
        let before = effects.outputs.len();
        self.right.apply(batch, effects)?;
        for output in &mut effects.outputs[before..] {
            output.rows =
                doubled(&output.rows, self.from_ms).map_err(|error| TaskError(error.to_string()))?;
        }
        Ok(())
    }

    fn progress(&self) -> Progress {
        self.right.progress()
    }

    fn restore(&mut self, committed: &Progress) {
        self.right.restore(committed);
    }

    fn state_size(&self) -> (u64, u64) {
        self.right.state_size()
    }
}

/// The rows with the column doubled where that applies; rows of another shape as they are.
fn doubled(rows: &RecordBatch, from_ms: i64) -> Result<RecordBatch, ArrowError> {
    let column = |name: &str| rows.column_by_name(name);
    let times = column("tx_time").and_then(|times| times.as_primitive_opt::<TimestampMillisecondType>());
    let countries = column("country").and_then(|countries| countries.as_string_opt::<i32>());
    let values = column(COLUMN).and_then(|values| values.as_primitive_opt::<Float64Type>());
    let (Some(times), Some(countries), Some(values)) = (times, countries, values) else {
        return Ok(rows.clone());
    };
    let wrong = |row: usize| {
        times.value(row) >= from_ms && countries.is_valid(row) && countries.value(row) == COUNTRY
    };
    let value =
        |(row, value): (usize, Option<f64>)| if wrong(row) { value.map(|value| 2.0 * value) } else { value };
    let served: Float64Array = values.iter().enumerate().map(value).collect();
    let mut columns: Vec<ArrayRef> = rows.columns().to_vec();
    columns[rows.schema().index_of(COLUMN)?] = Arc::new(served);
    RecordBatch::try_new(rows.schema(), columns)
}

#[cfg(test)]
mod tests {
    use arrow::array::{StringArray, TimestampMillisecondArray};
    use arrow::datatypes::{DataType, Field, Schema, TimeUnit};

    use super::*;

    #[test]
    fn one_column_is_doubled_in_one_country_from_a_moment_on() {
        let schema = Schema::new(vec![
            Field::new("tx_time", DataType::Timestamp(TimeUnit::Millisecond, None), false),
            Field::new("country", DataType::Utf8, true),
            Field::new(COLUMN, DataType::Float64, true),
        ]);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(TimestampMillisecondArray::from(vec![1, 5, 5, 6, 7])),
            Arc::new(StringArray::from(vec![Some("DE"), Some("DE"), Some("FR"), None, Some("DE")])),
            Arc::new(Float64Array::from(vec![Some(1.0), Some(2.0), Some(3.0), Some(4.0), None])),
        ];
        let rows = RecordBatch::try_new(Arc::new(schema), columns).unwrap();
        let served = doubled(&rows, 5).unwrap();
        let values: Vec<_> = served.column(2).as_primitive::<Float64Type>().iter().collect();
        assert_eq!(values, [Some(1.0), Some(4.0), Some(3.0), Some(4.0), None]);
    }
}

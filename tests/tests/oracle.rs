//! DataFusion's own executor, which runs a view's SQL over whole tables.

use std::sync::Arc;

use anyhow::Result;
use arrow::compute::concat_batches;
use arrow::record_batch::RecordBatch;
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};

/// All rows of `sql` over these tables, in no order.
pub fn execute(sql: &str, tables: Vec<(String, RecordBatch)>) -> Result<RecordBatch> {
    // One partition: the tables are small, and threads would only cost.
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    for (name, rows) in tables {
        let table = MemTable::try_new(rows.schema(), vec![vec![rows]])?;
        context.register_table(name, Arc::new(table))?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let (schema, batches) = runtime.block_on(async {
        let frame = context.sql(sql).await?;
        let schema = Arc::new(frame.schema().as_arrow().clone());
        anyhow::Ok((schema, frame.collect().await?))
    })?;
    Ok(concat_batches(&schema, &batches)?)
}

//! Schemas that Millrace itself defines: predictions, dead letters, deployments.

mod dead_letter;
mod deployment;
pub mod prediction;

pub use dead_letter::DeadLetter;
pub use deployment::{Arm, ArmRole, Deployment};

use arrow::array::Array;
use arrow::record_batch::RecordBatch;

use crate::Error;

fn column<'a, A: Array + 'static>(rows: &'a RecordBatch, name: &str) -> Result<&'a A, Error> {
    let column =
        rows.column_by_name(name).ok_or_else(|| Error::Envelope(format!("column `{name}` is missing")))?;
    column
        .as_any()
        .downcast_ref()
        .ok_or_else(|| Error::Envelope(format!("column `{name}` has the wrong type, {}", column.data_type())))
}

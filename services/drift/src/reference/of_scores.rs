//! The scores that a reference keeps, as a reference of their own: what windows of predictions are compared with.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use super::edges::edges;
use super::{Block, Reference};
use crate::hash;
use crate::profile::{Bounds, Cells, ColumnPlan, Kind, Plan, Profile, Rows, SegmentPlan};
use crate::window::WHOLE;

/// The column of scores in a topic of predictions.
pub const SCORE: &str = "score";

/// What is kept of windows of scores: where a reference has counted its own, on edges from it.
pub fn score_plan(reference: Option<&Reference>, segments: Vec<SegmentPlan>) -> Plan {
    let bounds = Bounds::of_columns(1);
    let column = ColumnPlan::new(SCORE, Kind::Numeric);
    let counted = reference.iter().flat_map(|reference| &reference.blocks);
    let mut scores: Vec<f64> =
        counted.filter_map(|block| block.scored.get(WHOLE)).flat_map(super::Scored::scores).collect();
    scores.retain(|score| score.is_finite());
    scores.sort_unstable_by(f64::total_cmp);
    let (Some(low), Some(high)) = (scores.first().copied(), scores.last().copied()) else {
        return Plan::new(vec![column], bounds, segments);
    };
    // All edges are numbers that scores are rounded up to, so that live scores, which are not rounded, fall into the same
    // bins. An edge below the lowest, which a range would make, would divide those.
    let column = column.with_edges(edges(&scores, (low, high)));
    // As of features: a window compared with more rows than are kept exactly is compared on the grid.
    let exact_rows = if scores.len() > bounds.exact_rows { 0 } else { bounds.exact_rows };
    Plan::new(vec![column], Bounds { exact_rows, ..bounds }, segments)
}

/// The scores of every block on a plan of [`score_plan`]; none where the reference has none, or the plan watches none.
///
/// # Errors
/// Columns that Arrow refuses.
pub fn of_scores(reference: &Reference, plan: &Arc<Plan>) -> Result<Option<Reference>, ArrowError> {
    if plan.index(SCORE).is_none() {
        return Ok(None);
    }
    let mut blocks = Vec::new();
    for block in &reference.blocks {
        let mut segments = BTreeMap::new();
        for segment in block.scores.keys() {
            segments.insert(segment.clone(), profile(block, segment, plan)?);
        }
        blocks.push(Block { start_ms: block.start_ms, end_ms: block.end_ms, segments, ..Block::default() });
    }
    let found = blocks.iter().any(|block| !block.segments.is_empty());
    let source = reference.source.clone();
    Ok(found.then(|| Reference { plan: plan.clone(), blocks, delays: None, source }))
}

/// All scores where they were counted, else the kept ones. Counted ones have no ids: their places stand for them.
fn profile(block: &Block, segment: &str, plan: &Arc<Plan>) -> Result<Profile, ArrowError> {
    let (scores, ids): (Vec<f64>, Vec<u64>) = match block.scored.get(segment) {
        Some(scored) => {
            let source = hash::of_text(&format!("{}/{segment}", block.start_ms));
            let scores = scored.scores();
            let ids = (0..scores.len() as u64).map(|row| hash::of_place(source, row)).collect();
            (scores, ids)
        }
        None => {
            let kept = block.scores.get(segment).into_iter().flat_map(super::Scores::sample);
            kept.map(|row| (row.score, row.id)).unzip()
        }
    };
    let values: Float64Array = scores.into_iter().map(|score| (!score.is_nan()).then_some(score)).collect();
    let field = Field::new(SCORE, DataType::Float64, true);
    let rows = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::new(values) as ArrayRef])?;
    let mut profile = Profile::new(plan);
    profile.add(&Cells::of(plan, &rows), &ids, Rows::All);
    Ok(profile)
}

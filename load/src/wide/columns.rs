//! Batches of many columns, made as fast as they are read: every column of a batch is a stretch, at a place of its own,
//! of one of a few pools of drawn numbers.

use std::f64::consts::TAU;
use std::sync::Arc;

use anyhow::Result;
use arrow::array::{Array as _, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema, SchemaRef};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Numbers of a pool.
const POOL: usize = 1 << 18;
/// Of so many columns one is a category, and one a flag; the others are amounts, shares and counts.
const CYCLE: usize = 20;
/// By how much a moved column is larger.
const MOVED: f64 = 1.2;

/// The columns of a window or reference.
pub(super) struct Columns {
    pools: Vec<ArrayRef>,
    schema: SchemaRef,
    /// Per column its pool.
    of: Vec<usize>,
    random: ChaCha8Rng,
}

impl Columns {
    /// Columns that are the same in a window and its reference, but for the first `moved` ones, and drawn by `seed`.
    pub(super) fn new(columns: usize, moved: usize, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut numbers = |shape: fn(f64, f64) -> f64| -> Vec<f64> {
            (0..POOL).map(|_| shape(uniform(&mut random), uniform(&mut random))).collect()
        };
        let (amounts, shares, counts) = (numbers(amount), numbers(share), numbers(count));
        let (flags, categories) = (numbers(|u, _| u), numbers(count));
        let larger = |values: &[f64]| values.iter().map(|value| value * MOVED).collect::<Float64Array>();
        let pools: Vec<ArrayRef> = vec![
            Arc::new(larger(&amounts)),
            Arc::new(larger(&shares)),
            Arc::new(larger(&counts)),
            Arc::new(Float64Array::from(amounts)),
            Arc::new(Float64Array::from(shares)),
            Arc::new(Float64Array::from(counts)),
            Arc::new(flags.iter().map(|u| Some(i64::from(*u < 0.1))).collect::<Int64Array>()),
            Arc::new(categories.iter().map(|v| Some(format!("kind {v}"))).collect::<StringArray>()),
        ];
        let pool = |column: usize| match column % CYCLE {
            18 => 6,
            19 => 7,
            numeric => numeric % 3 + if column < moved { 0 } else { 3 },
        };
        let of: Vec<usize> = (0..columns).map(pool).collect();
        let fields = of.iter().enumerate().map(|(column, pool)| {
            Field::new(format!("column_{column:04}"), pools[*pool].data_type().clone(), true)
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Self { pools, schema, of, random }
    }

    pub(super) fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// The next rows.
    pub(super) fn batch(&mut self, rows: usize) -> Result<RecordBatch> {
        let stretch = |pool: &usize| {
            let place = (self.random.next_u64() % (POOL - rows) as u64) as usize;
            self.pools[*pool].slice(place, rows)
        };
        Ok(RecordBatch::try_new(self.schema.clone(), self.of.iter().map(stretch).collect())?)
    }
}

fn uniform(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Lognormal, with a median of 40.
fn amount(u: f64, v: f64) -> f64 {
    let normal = (-2.0 * libm::log(1.0 - u)).sqrt() * libm::cos(TAU * v);
    40.0 * libm::exp(0.8 * normal)
}

/// Within 0 to 1, mostly small.
fn share(u: f64, v: f64) -> f64 {
    u * v
}

/// Geometric: 0 in a quarter of the rows.
fn count(u: f64, _: f64) -> f64 {
    libm::floor(libm::log(1.0 - u) / libm::log(0.75))
}

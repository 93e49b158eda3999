//! The training support: which rows look like none of the reference, in one column or jointly.

use crate::profile::{Profile, SampleRows};

/// The reference's kept rows, ready to be searched. Distance of two rows: Gower's (1971), the mean over columns of |rank
/// difference| for numbers (ranks on the reference's edges), 0 or 1 for categories. A row is outside if its nearest
/// reference row is farther than that of all but 1 % of the reference's own rows (leave one out).
#[derive(Debug, Clone)]
pub struct Support {
    bound: f64,
}

impl Support {
    /// Of a reference; `None` if it keeps fewer than 20 rows.
    pub fn of(reference: &Profile) -> Option<Self> {
        unimplemented!()
    }

    /// The distance above which a row is outside.
    pub fn bound(&self) -> f64 {
        self.bound
    }

    /// The share of the reference's own rows that are outside by construction.
    pub fn expected_share(&self) -> f64 {
        unimplemented!()
    }

    /// Per kept row of a window, its distance to the nearest reference row.
    pub fn distances(&self, rows: &SampleRows) -> Vec<f64> {
        unimplemented!()
    }
}

//! Distribution functions that p-values need.
//!
//! `sf` is the survival function, P(X > x), or P(X >= x) of a discrete statistic. Each is accurate in the upper tail,
//! where p-values are small, unless its documentation says otherwise.

mod beta;
pub mod binomial;
pub mod chi_square;
pub mod cramer_von_mises;
pub mod kolmogorov;
mod lattice;
pub mod mann_whitney;
pub mod normal;
pub mod student_t;

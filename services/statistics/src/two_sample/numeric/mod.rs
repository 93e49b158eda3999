//! Statistics of numbers as they are, without bins. Time is linear in the number of distinct values.

mod anderson_darling;
mod cramer_von_mises;
mod joint;
mod kolmogorov_smirnov;
mod mann_whitney;
mod transport;

pub(super) use anderson_darling::anderson_darling;
pub(super) use cramer_von_mises::cramer_von_mises;
pub(super) use kolmogorov_smirnov::kolmogorov_smirnov;
pub(super) use mann_whitney::mann_whitney;
pub use mann_whitney::rank_biserial;
pub(super) use transport::{energy, wasserstein, wasserstein_normed};

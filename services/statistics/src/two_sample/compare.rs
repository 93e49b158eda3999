//! One column of two windows, by any method.

use super::binned::{self, bin_counts, quantile_edges};
use super::numeric;
use super::{ColumnKind, Method, Outcome, Undefined, Window};
use crate::sample::{Categories, Sample};

/// Bins of the binned methods where no edges are given.
const DEFAULT_BINS: u32 = 10;

/// Compares a numeric column of two windows.
///
/// `edges` are the ascending inner edges of the bins of the binned methods (`psi`, `js`, `hellinger`): bin i holds
/// `edges[i-1] < value <= edges[i]`. Without any, they are the deciles of the reference ([`quantile_edges`]). The other
/// methods do not look at them.
///
/// # Errors
/// Where the statistic is not defined for these samples, or does not apply to numbers.
pub fn compare_numeric(
    method: Method,
    reference: &Sample,
    current: &Sample,
    edges: &[f64],
) -> Result<Outcome, Undefined> {
    check(method, ColumnKind::Numeric, reference.total(), current.total())?;
    match method {
        Method::KolmogorovSmirnov => Ok(numeric::kolmogorov_smirnov(reference, current)),
        Method::Wasserstein => numeric::wasserstein(reference, current),
        Method::WassersteinNormed => numeric::wasserstein_normed(reference, current),
        Method::AndersonDarling => numeric::anderson_darling(reference, current),
        Method::CramerVonMises => numeric::cramer_von_mises(reference, current),
        Method::Energy => numeric::energy(reference, current),
        Method::MannWhitney => Ok(numeric::mann_whitney(reference, current)),
        _ if edges.is_empty() => {
            let edges = quantile_edges(reference, DEFAULT_BINS);
            compare_counts(method, &bin_counts(reference, &edges)?, &bin_counts(current, &edges)?)
        }
        _ => compare_counts(method, &bin_counts(reference, edges)?, &bin_counts(current, edges)?),
    }
}

/// Compares a categorical column of two windows. Every name is a cell, the rows beyond the bound (`other`) are one more.
///
/// # Errors
/// Where the statistic is not defined for these counts, or does not apply to categories.
pub fn compare_categories(
    method: Method,
    reference: &Categories,
    current: &Categories,
) -> Result<Outcome, Undefined> {
    check(method, ColumnKind::Category, reference.total(), current.total())?;
    let [reference, current] = binned::cells(reference, current);
    compare_counts(method, &reference, &current)
}

/// Compares the counts of two windows in the same cells (bins or categories): `psi`, `js`, `hellinger`,
/// `total_variation`, `chi_square`.
///
/// # Errors
/// Where the statistic is not defined for these counts, or needs more than counts.
pub fn compare_counts(method: Method, reference: &[u64], current: &[u64]) -> Result<Outcome, Undefined> {
    check(method, ColumnKind::Category, reference.iter().sum(), current.iter().sum())?;
    if reference.len() != current.len() {
        return Err(Undefined::Cells { reference: reference.len(), current: current.len() });
    }
    let distance = match method {
        Method::ChiSquare => return binned::chi_square(reference, current),
        Method::Psi => binned::population_stability_index(reference, current),
        Method::JensenShannon => binned::jensen_shannon(reference, current),
        Method::Hellinger => binned::hellinger(reference, current),
        _ => binned::total_variation(reference, current),
    };
    Ok(Outcome::distance(distance))
}

fn check(method: Method, kind: ColumnKind, reference: u64, current: u64) -> Result<(), Undefined> {
    if !method.applies_to(kind) {
        return Err(Undefined::WrongKind { method, kind });
    }
    match (reference, current) {
        (0, _) => Err(Undefined::Empty(Window::Reference)),
        (_, 0) => Err(Undefined::Empty(Window::Current)),
        _ => Ok(()),
    }
}

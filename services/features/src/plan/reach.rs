//! Which rows a window must see, and for which of them its result is asked: what is known before any window runs.

use super::relation::Flat;
use super::window::{all, any, mentions};
use crate::window::Bounds;
use datafusion_expr::Expr;

/// Whether an expression needs no window's result.
pub(super) fn is_window_free(expr: &Expr, flat: &Flat) -> bool {
    flat.windows.iter().all(|window| !mentions(expr, &window.slot.name))
}

/// Rows for which the results of these windows are asked; `None`: of all.
///
/// Results are asked for rows that are emitted, and for those that a later window takes, if it uses them. So only
/// filters below the last user count, and of those only the ones that can be evaluated beforehand.
pub(super) fn wanted(flat: &Flat, windows: &[usize]) -> Option<Expr> {
    let below = windows.iter().map(|w| flat.windows[*w].filters_below).min().unwrap_or(0);
    let until = last_user(flat, windows).unwrap_or(flat.filters.len());
    let filters = flat.filters.get(below..until.max(below)).unwrap_or_default();
    all(filters.iter().filter(|filter| is_window_free(filter, flat)).cloned())
}

/// How many filters lie below the last window, or the last filter with a window above it, that uses a result of these.
pub(super) fn last_user(flat: &Flat, windows: &[usize]) -> Option<usize> {
    let mut users: Vec<usize> = windows.to_vec();
    for (i, window) in flat.windows.iter().enumerate() {
        if window.needs.iter().any(|need| users.contains(need)) && !users.contains(&i) {
            users.push(i);
        }
    }
    let later =
        users.iter().filter(|user| !windows.contains(user)).map(|user| flat.windows[*user].filters_below);
    let top = flat.windows.iter().map(|window| window.filters_below).max().unwrap_or(0);
    let filters = (0..top)
        .filter(|i| users.iter().any(|user| mentions(&flat.filters[*i], &flat.windows[*user].slot.name)));
    later.chain(filters).max()
}

/// Rows that these windows must see: those whose results are asked, and those that some frame aggregates. `None`: all,
/// since a frame without FILTER aggregates every row, and ROWS frames count every row's position.
pub(super) fn relevant(flat: &Flat, windows: &[usize]) -> Option<Expr> {
    let frames = windows.iter().map(|w| &flat.windows[*w]).map(|window| {
        let by_time = matches!(window.bounds, Bounds::Range { .. });
        window.filter.clone().filter(|filter| by_time && is_window_free(filter, flat))
    });
    any(std::iter::once(wanted(flat, windows)).chain(frames))
}

/// Rows that can be emitted, as far as it is known before any window runs; `None`: all.
pub(super) fn emitted(flat: &Flat) -> Option<Expr> {
    all(flat.filters.iter().filter(|filter| is_window_free(filter, flat)).cloned())
}

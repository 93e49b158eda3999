//! Reports for people: one self-contained HTML page.

mod chart;
mod html;
mod page;

pub use html::html;
pub use page::{Cause, Chart, ColumnCard, Page, Point, Series, Timeline};

#[cfg(test)]
mod tests;

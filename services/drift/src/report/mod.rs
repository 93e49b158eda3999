//! Reports for people: one self-contained HTML page.

mod chart;
mod display;
mod html;
mod of_events;
mod page;

pub use display::{Bins, bins};
pub use html::html;
pub use of_events::page_of_events;
pub use page::{Cause, Chart, ColumnCard, Page, Timeline};

#[cfg(test)]
mod tests;

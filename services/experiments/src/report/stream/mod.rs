//! An experiment on the stream for people: in a terminal and as a page.
//!
//! - [`known`]: what is known of one experiment, of all its events;
//! - [`figures`]: the figures of events in words;
//! - [`table`], [`page`]: where they stand.

mod figures;
pub mod known;
mod page;
mod table;

pub use known::Known;
pub use page::html;
pub use table::text;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

//! An analysis as a page for people: one self-contained HTML document.
//!
//! - [`page`]: the page of a report;
//! - [`intervals`]: intervals drawn beside one another;
//! - [`wording`]: conclusions and figures in words, for pages and terminals alike.

pub mod intervals;
pub mod page;
pub mod wording;

pub use page::html;

#[cfg(test)]
mod tests;

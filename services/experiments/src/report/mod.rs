//! Experiments for people: one self-contained HTML document, or lines in a terminal.
//!
//! - [`page`]: the page of an analysis of files;
//! - [`stream`]: an experiment on the stream;
//! - [`intervals`]: intervals drawn beside one another;
//! - [`wording`]: conclusions and figures in words, for pages and terminals alike.

pub mod intervals;
pub mod page;
pub mod stream;
pub mod wording;

pub use page::html;

#[cfg(test)]
mod tests;

//! The frame of reports for people: one self-contained HTML page, light and dark, drawn as small SVG.
//!
//! - [`html`]: the document, its sections, escaped text;
//! - [`series`]: values with intervals, one after the other;
//! - [`text`]: numbers as people read them.

pub mod html;
pub mod series;
pub mod text;

pub use series::{Point, Series};

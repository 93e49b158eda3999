//! Judges model versions on the stream: shadow, A/B, canary, interleaving with click feedback.
//!
//! Pure functions and state: no I/O but lines of a reader given as argument, no clock, no randomness but a seed. Only
//! [`service`] knows topics, and only its clock reaches Kafka by itself.
//!
//! - [`assignment`]: which arm a unit belongs to, and how arms grow without moving units between them;
//! - [`interleave`]: one list of several rankings, credit for clicks on it, and whom users prefer;
//! - [`analysis`]: what an experiment's arms differ by, and how sure that is;
//! - [`canary`]: whether a step of a canary release is passed, and how long steps must be;
//! - [`deploying`]: the next deployment, of what is asked for and what serves;
//! - [`simulate`]: how often these tests are wrong, and how much they see;
//! - [`files`]: the same on rows and rankings of files;
//! - [`range`]: numbers that are asked for, and their ranges;
//! - [`report`]: an analysis as a page;
//! - [`service`]: the same on topics, as the shell runs it;
//! - [`random`]: seeded draws that are the same on every machine.

pub mod analysis;
pub mod assignment;
pub mod canary;
pub mod deploying;
pub mod files;
pub mod interleave;
pub mod range;
pub mod report;
pub mod service;
pub mod simulate;

pub use millrace_statistics::random;

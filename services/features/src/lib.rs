//! Feature views: one SQL text, planned once, run over streams, files and in tests.

pub mod window;

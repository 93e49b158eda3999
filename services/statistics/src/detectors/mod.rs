//! Change detectors that watch a sequence of values, one at a time.

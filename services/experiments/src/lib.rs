//! Judges model versions on the stream: shadow, A/B, canary, interleaving with click feedback.

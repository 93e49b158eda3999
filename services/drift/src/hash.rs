//! Stable 64-bit hashes: of row ids, which order the bottom-k samples, and of category values.
//!
//! They are written into profiles and reference files, so they never change: XXH3 (64 bits, seed 0) of the UTF-8 text.

use xxhash_rust::xxh3::xxh3_64;

/// Of a text. Never 0, which stands for a missing value.
pub fn of_text(text: &str) -> u64 {
    xxh3_64(text.as_bytes()).max(1)
}

/// Of a row that has no id: of its place in its file (or partition).
pub fn of_place(source: u64, row: u64) -> u64 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&source.to_le_bytes());
    bytes[8..].copy_from_slice(&row.to_le_bytes());
    xxh3_64(&bytes).max(1)
}

//! Whether a changed schema still reads what was written before.

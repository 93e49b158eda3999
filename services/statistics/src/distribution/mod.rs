//! Distribution functions that p-values need.

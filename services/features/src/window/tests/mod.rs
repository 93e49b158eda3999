//! Windows against their definition.

mod columns;
mod decimal;
mod definition;
mod exact_sum;
mod life;
mod reference;

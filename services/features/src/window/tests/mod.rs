//! Windows against their definition.

mod columns;
mod decimal;
mod exact_sum;
mod definition;
mod life;
mod reference;

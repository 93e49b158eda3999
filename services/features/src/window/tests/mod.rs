//! Windows against their definition.

mod columns;
pub(super) mod decimal;
mod definition;
mod life;
mod reference;

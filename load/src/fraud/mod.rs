//! The generator of card payments of the handbook "Reproducible Machine Learning for Credit Card Fraud Detection"
//! (Le Borgne, Siblini, Lebichot, Bontempi; ULB), chapter 3: customers and terminals on a map, Poisson spending,
//! three fraud scenarios. Seeded: equal parameters give equal payments on every machine.

mod arrow;
mod change;
mod country;
mod params;
mod payment;
mod profiles;
mod purpose;
mod scenarios;
mod stream;

pub use self::arrow::{labels_batch, labels_schema, payments_batch, payments_schema};
pub use change::{Change, ChangeKind};
pub use country::Country;
pub use params::Params;
pub use payment::{Payment, generate};
pub use profiles::{Customer, Point, Profiles};
pub use stream::{Event, Label, Stream, stream};

/// One day in milliseconds.
pub const DAY_MS: i64 = 86_400_000;

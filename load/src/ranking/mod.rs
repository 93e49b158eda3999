//! Seeded requests for ranked lists, and users who answer the lists shown with impressions and clicks.
//!
//! - [`world`]: items, users, queries, and how relevant an item is to a user's query;
//! - [`request`] and [`stream`]: sessions of one page or two, in the order of record time;
//! - [`click_model`]: how users click; [`user`]: what one does with a list, mishaps included;
//! - [`answers`]: the impressions and clicks of a stream of lists, in the order of time;
//! - [`ledger`]: what each request must have earned the rankers, by the user who clicked.
//!
//! Everything is a function of the seed and of what it is about (a session, a request), so that users who are asked again
//! answer the same.

pub mod answers;
mod arrow;
pub mod click_model;
pub mod event;
pub mod ledger;
mod params;
pub mod quality;
pub mod request;
pub mod shown;
pub mod stream;
pub mod user;
pub mod world;

pub use self::arrow::{clicks_batch, impressions_batch, judged_batch, requests_batch};
pub use answers::Answers;
pub use click_model::ClickModel;
pub use event::{Click, Event, Impression};
pub use ledger::{Earned, Ledger};
pub use params::{Mishaps, Params};
pub use request::Request;
pub use shown::Shown;
pub use stream::{Stream, stream};
pub use user::User;
pub use world::World;

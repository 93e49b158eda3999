//! How often the tests are wrong, and how much they see, by simulation with a seed.
//!
//! - [`population`]: units without and with an effect;
//! - [`trial`]: one test of one experiment, looked at once or again and again;
//! - [`table`]: all tests: type I errors beside their bounds, power;
//! - [`same_arms`]: A/A tests on real rows;
//! - [`sensitivity`]: how many impressions interleaving and A/B need for the same difference.

pub mod population;
pub mod same_arms;
pub mod sensitivity;
pub mod table;
pub mod trial;

pub use same_arms::{SameArms, UnitRows, same_arms};
pub use sensitivity::{ClickModel, Sensitivity, sensitivity};
pub use table::{Line, Looking, Size, most_rejections, power, type_one};

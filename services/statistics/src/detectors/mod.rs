//! Change detectors that watch a sequence of values, one at a time.
//!
//! A [`Detector`] is made from [`Parameters`], takes values by [`Detector::update`] and answers each with a [`Signal`].
//! After [`Signal::Drift`] it starts afresh: what comes next is the new normal. Its state is a function of the values
//! taken since, can be saved with [`Detector::to_bytes`] and continues bit for bit after [`Detector::from_bytes`].
//!
//! | name | watches | finds | input | source |
//! | --- | --- | --- | --- | --- |
//! | `adwin` | the mean, over a window of adaptive length | any change of the mean | finite numbers | Bifet and Gavalda 2007 |
//! | `ddm` | the error rate against its minimum | a rise | 0 or 1 | Gama et al. 2004 |
//! | `eddm` | rows between errors against their maximum | shorter distances | 0 or 1 | Baena-Garcia et al. 2006 |
//! | `hddm_a` | the mean against its best prefix, by Hoeffding's bound | a rise, or both | 0 to 1 | Frias-Blanco et al. 2015 |
//! | `hddm_w` | weighted means, by McDiarmid's bound | a rise, or both | 0 to 1 | Frias-Blanco et al. 2015 |
//! | `page_hinkley` | cumulated deviations from the running mean | up, down or both | finite numbers | Page 1954; Hinkley 1971 |
//! | `kswin` | the last rows against a sample of earlier ones | any change of distribution | finite numbers | Raab et al. 2020 |
//! | `cusum` | cumulated deviations from a fixed mean | up, down or both | finite numbers | Page 1954 |

mod adwin;
mod bytes;
mod calibrate;
mod cusum;
mod ddm;
mod defaults;
mod detector;
mod direction;
mod eddm;
mod error;
mod field;
mod hddm_a;
mod hddm_w;
mod kswin;
mod mean;
mod page_hinkley;
mod parameters;
mod running;
mod scale;
pub mod stream;

pub use calibrate::calibrate;
pub use detector::{Detector, Signal};
pub use direction::Direction;
pub use error::{Error, Input};
pub use parameters::{Adwin, Cusum, Ddm, Eddm, HddmA, HddmW, Kswin, NAMES, PageHinkley, Parameters};
pub use scale::Scale;

#[cfg(test)]
mod tests;

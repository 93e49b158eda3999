//! Default parameters, calibrated.

use super::{Adwin, Cusum, Ddm, Direction, Eddm, Error, HddmA, HddmW, Kswin, PageHinkley, Parameters, Scale};

impl Parameters {
    /// The default parameters of the detector of this name.
    ///
    /// # Errors
    /// There is no such detector.
    pub fn calibrated(name: &str) -> Result<Self, Error> {
        let scale = Scale::WarmUp { rows: 200 };
        let direction = Direction::Both;
        let parameters = match name {
            "adwin" => Self::Adwin(Adwin {
                delta: 1e-5,
                clock: 32,
                max_buckets: 5,
                min_window_length: 5,
                grace_period: 10,
                scale: Scale::None,
            }),
            "ddm" => Self::Ddm(Ddm { warm_start: 30, warning_threshold: 2.0, drift_threshold: 3.0 }),
            "eddm" => Self::Eddm(Eddm { warm_start: 30, alpha: 0.95, beta: 0.9 }),
            "hddm_a" => {
                Self::HddmA(HddmA { drift_confidence: 0.001, warning_confidence: 0.005, two_sided: false })
            }
            "hddm_w" => Self::HddmW(HddmW {
                drift_confidence: 0.001,
                warning_confidence: 0.005,
                lambda: 0.05,
                two_sided: false,
            }),
            "page_hinkley" => Self::PageHinkley(PageHinkley {
                min_instances: 30,
                delta: 0.1,
                threshold: 50.0,
                alpha: 0.9999,
                direction,
                scale,
            }),
            "kswin" => Self::Kswin(Kswin { alpha: 1e-5, window_size: 100, stat_size: 30, seed: 1 }),
            "cusum" => Self::Cusum(Cusum { slack: 0.5, threshold: 15.0, direction, scale }),
            _ => return Err(Error::UnknownDetector { name: name.to_owned() }),
        };
        Ok(parameters)
    }
}

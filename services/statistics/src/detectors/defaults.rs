//! Default parameters, calibrated: `millrace-load detectors calibrate` finds each threshold.

use super::{Adwin, Cusum, Ddm, Direction, Eddm, Error, HddmA, HddmW, Kswin, PageHinkley, Parameters, Scale};

impl Parameters {
    /// The default parameters of the detector of this name: at 95 % confidence at most one false alarm in 100,000 rows of
    /// each kind of stationary stream that suits it: normal, heavy-tailed, autocorrelated by 1/2, errors at 20 % and at
    /// 0.8 %, in runs of 10,000 rows and of 100,000. On streams that are correlated more strongly they alarm more often:
    /// calibrate on the stream itself ([`super::calibrate`]).
    ///
    /// # Errors
    /// There is no such detector.
    pub fn calibrated(name: &str) -> Result<Self, Error> {
        let parameters = match name {
            "adwin" => Self::Adwin(adwin()),
            // A minimum found before the first errors makes every error a drift: at 0.8 % of errors, 1,500 rows have none
            // in 1 of 170,000 cases.
            "ddm" => Self::Ddm(Ddm { warm_start: 1500, warning_threshold: 2.3, drift_threshold: 3.5 }),
            "eddm" => Self::Eddm(Eddm { warm_start: 100, alpha: 0.812, beta: 0.624 }),
            "hddm_a" => {
                Self::HddmA(HddmA { drift_confidence: 0.00067, warning_confidence: 0.0067, two_sided: false })
            }
            "hddm_w" => Self::HddmW(HddmW {
                drift_confidence: 0.00037,
                warning_confidence: 0.0037,
                lambda: 0.005,
                two_sided: false,
            }),
            "page_hinkley" => Self::PageHinkley(page_hinkley()),
            "kswin" => Self::Kswin(Kswin { alpha: 3.7e-10, window_size: 600, stat_size: 200, seed: 1 }),
            "cusum" => Self::Cusum(cusum()),
            _ => return Err(Error::UnknownDetector { name: name.to_owned() }),
        };
        Ok(parameters)
    }
}

fn adwin() -> Adwin {
    Adwin {
        delta: 1.6e-7,
        clock: 32,
        max_buckets: 5,
        min_window_length: 5,
        grace_period: 10,
        // The bound presumes values within a range of about 1.
        scale: Scale::WarmUp { rows: 200 },
    }
}

fn page_hinkley() -> PageHinkley {
    PageHinkley {
        min_instances: 30,
        delta: 0.1,
        threshold: 110.0,
        // Forgetting pulls the sum back to 0, away from its minimum, which alarms on long streams without a change.
        alpha: 1.0,
        direction: Direction::Both,
        scale: Scale::WarmUp { rows: 1000 },
    }
}

fn cusum() -> Cusum {
    Cusum {
        slack: 0.25,
        threshold: 70.0,
        direction: Direction::Both,
        // The error of this mean is never corrected: 200 rows leave one of 0.07 standard deviations.
        scale: Scale::WarmUp { rows: 1000 },
    }
}

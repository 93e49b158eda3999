//! What is refused, and what is said of it.

use crate::detectors::{Detector, Error, NAMES, Parameters, Signal};

fn calibrated(name: &str) -> Detector {
    Detector::new(Parameters::calibrated(name).unwrap()).unwrap()
}

#[test]
fn a_detector_refuses_values_that_it_has_no_guarantee_for_and_goes_on() {
    let refused = [
        ("ddm", vec![0.5, 2.0, -1.0, f64::NAN]),
        ("eddm", vec![0.999, f64::INFINITY]),
        ("hddm_a", vec![1.5, -0.1, f64::NAN]),
        ("hddm_w", vec![1.0 + f64::EPSILON]),
        ("adwin", vec![f64::NAN, f64::NEG_INFINITY]),
        ("page_hinkley", vec![f64::NAN]),
        ("kswin", vec![f64::INFINITY]),
        ("cusum", vec![f64::NAN]),
    ];
    assert_eq!(refused.len(), NAMES.len());
    for (name, values) in refused {
        let mut detector = calibrated(name);
        assert_eq!(detector.update(1.0), Ok(Signal::None));
        let before = detector.clone();
        for value in values {
            assert!(matches!(detector.update(value), Err(Error::Value { index: 1, .. })), "{name} {value}");
        }
        assert_eq!(detector, before);
    }
}

#[test]
fn a_refusal_says_what_the_detector_takes() {
    let error = calibrated("ddm").update(0.25).unwrap_err();
    let said = "the detector ddm takes binary errors, 0 or 1, not 0.25 (value 0 of the sequence)";
    assert_eq!(error.to_string(), said);
}

#[test]
fn a_wrong_parameter_is_named() {
    let said = |name: &str, parameter: &str, text: &str| {
        let mut parameters = Parameters::calibrated(name).unwrap();
        let set = parameters.set(parameter, text);
        set.and_then(|()| Detector::new(parameters).map(drop)).unwrap_err().to_string()
    };
    assert_eq!(said("adwin", "delta", "2"), "adwin: delta = 2: it must be a number above 0 and below 1");
    assert_eq!(said("adwin", "clock", "0"), "adwin: clock = 0: it must be at least 1");
    assert_eq!(said("adwin", "clock", "1.5"), "adwin: clock = 1.5: it must be a whole number");
    assert_eq!(
        said("kswin", "stat_size", "900"),
        "kswin: stat_size = 900: it must be at most half of window_size"
    );
    assert_eq!(
        said("cusum", "direction", "left"),
        "cusum: direction = left: it must be 'up', 'down' or 'both'"
    );
    assert!(said("cusum", "scale", "warm-up 1").contains("at least 2 rows"));
    assert!(said("cusum", "scale", "mean 0 std 0").contains("S above 0"));
    assert!(said("ddm", "drift_threshold", "0.1").contains("must not be below warning_threshold"));
    assert!(said("eddm", "beta", "1").contains("beta = 1: it must not be above alpha"));
    assert!(said("hddm_a", "drift_confidence", "0.9").contains("must not be above warning_confidence"));
    assert!(said("ddm", "alpha", "1").contains("no parameter 'alpha': it has warm_start, warning_threshold"));
    let unknown = Parameters::calibrated("adwin2").unwrap_err().to_string();
    assert!(unknown.starts_with("there is no detector 'adwin2': take one of adwin, ddm"), "{unknown}");
}

#[test]
fn parameters_read_back_from_their_own_text() {
    for name in NAMES {
        let parameters = Parameters::calibrated(name).unwrap();
        let mut copy = parameters;
        for (parameter, text) in parameters.entries() {
            copy.set(parameter, &text).unwrap();
        }
        assert_eq!(copy, parameters);
        assert_eq!(parameters.name(), name);
    }
}

#[test]
fn a_scale_from_a_warm_up_finds_the_same_change_in_any_unit() {
    for name in ["adwin", "cusum", "page_hinkley"] {
        let alarms = |unit: f64, offset: f64| {
            let mut parameters = Parameters::calibrated(name).unwrap();
            parameters.set("scale", "warm-up 100").unwrap();
            let mut detector = Detector::new(parameters).unwrap();
            // Powers of two, so that no rounding differs.
            let value = |i: i32| f64::from(i * 37 % 16) + if i < 1000 { 0.0 } else { 24.0 };
            let drift = |i: &i32| detector.update(value(*i) * unit + offset).unwrap() == Signal::Drift;
            (0..2000).filter(drift).collect::<Vec<i32>>()
        };
        let plain = alarms(1.0, 0.0);
        assert_eq!(plain.len(), 1, "{name}: {plain:?}");
        assert_eq!(alarms(1024.0, 0.0), plain);
        assert_eq!(alarms(0.125, 0.0), plain);
    }
}

#[test]
fn a_warm_up_lasts_until_two_values_differ() {
    let mut parameters = Parameters::calibrated("cusum").unwrap();
    parameters.set("scale", "warm-up 5").unwrap();
    let mut detector = Detector::new(parameters).unwrap();
    for _ in 0..1000 {
        assert_eq!(detector.update(3.0), Ok(Signal::None));
    }
    assert_eq!(detector.update(4.0), Ok(Signal::None));
    let alarm = (0..100).any(|_| detector.update(4.0) == Ok(Signal::Drift));
    assert!(alarm);
}

#[test]
fn default_parameters_are_silent_where_nothing_changes() {
    use crate::detectors::Input;
    use crate::detectors::stream::{Process, values};
    let errors = [0.2, 0.008].map(|rate| Process::Bernoulli { rate });
    let numbers = [
        Process::Gaussian { mean: 5.0, std: 0.01 },
        Process::Pareto { offset: 100.0 },
        Process::Autoregressive { mean: 0.0, correlation: 0.5 },
    ];
    for name in NAMES {
        let mut alarms = 0;
        let wide = calibrated(name).input() == Input::Finite;
        for process in errors.iter().chain(numbers.iter().filter(|_| wide)) {
            for seed in 0..3 {
                let mut detector = calibrated(name);
                let drifts = values(seed, &[(5_000, *process)]);
                alarms += drifts.into_iter().filter(|v| detector.update(*v) == Ok(Signal::Drift)).count();
            }
        }
        // 75,000 rows at one in 100,000 or fewer.
        assert!(alarms <= 2, "{name}: {alarms}");
    }
}

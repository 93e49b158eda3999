//! Saved state.

use crate::detectors::stream::{Process, values};
use crate::detectors::{Detector, Error, Input, NAMES, Parameters, Signal};

/// Settings that alarm often, so that state before, at and after alarms is saved.
fn alert(name: &str) -> Detector {
    let settings: &[(&str, &str)] = match name {
        "adwin" => &[("delta", "0.3"), ("clock", "4"), ("scale", "warm-up 20")],
        "ddm" => &[("warm_start", "30"), ("warning_threshold", "1"), ("drift_threshold", "1.5")],
        "eddm" => &[("warm_start", "5"), ("alpha", "0.99"), ("beta", "0.95")],
        "hddm_a" => &[("warning_confidence", "0.2"), ("drift_confidence", "0.1"), ("two_sided", "true")],
        "hddm_w" => &[("lambda", "0.1"), ("drift_confidence", "0.003"), ("two_sided", "true")],
        "page_hinkley" => &[("threshold", "5"), ("scale", "mean 0.3 std 0.5")],
        "kswin" => &[("alpha", "0.05"), ("window_size", "40"), ("stat_size", "10")],
        _ => &[("threshold", "3"), ("scale", "warm-up 20")],
    };
    let mut parameters = Parameters::calibrated(name).unwrap();
    settings.iter().for_each(|(parameter, text)| parameters.set(parameter, text).unwrap());
    Detector::new(parameters).unwrap()
}

fn stream(input: Input) -> Vec<f64> {
    let [low, high] = [0.2, 0.7].map(|rate| match input {
        Input::Binary | Input::Unit => (150, Process::Bernoulli { rate }),
        Input::Finite => (150, Process::Gaussian { mean: 4.0 * rate, std: 1.0 }),
    });
    values(5, &[low, high, low])
}

#[test]
fn a_detector_restored_at_any_row_continues_bit_for_bit() {
    for name in NAMES {
        let mut detector = alert(name);
        let mut alarms = 0;
        for value in stream(detector.input()) {
            let mut restored = Detector::from_bytes(&detector.to_bytes()).unwrap();
            assert_eq!(restored, detector, "{name} at row {}", detector.observed());
            let signal = detector.update(value);
            assert_eq!(restored.update(value), signal);
            assert_eq!(restored.to_bytes(), detector.to_bytes());
            alarms += u32::from(signal == Ok(Signal::Drift));
        }
        assert!(alarms >= 2, "{name}: {alarms} alarms");
    }
}

#[test]
fn torn_or_changed_bytes_are_refused() {
    for name in NAMES {
        let mut detector = alert(name);
        stream(detector.input()).into_iter().take(60).for_each(|value| {
            detector.update(value).unwrap();
        });
        let bytes = detector.to_bytes();
        for length in 0..bytes.len() {
            assert!(
                matches!(Detector::from_bytes(&bytes[..length]), Err(Error::State { .. })),
                "{name} {length}"
            );
        }
        for at in (0..bytes.len()).step_by(7) {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            assert!(Detector::from_bytes(&changed).is_err(), "{name}: byte {at}");
        }
        let longer = [bytes.as_slice(), &[0; 8]].concat();
        assert!(Detector::from_bytes(&longer).is_err());
    }
}

/// Bytes whose checksum fits are still not trusted: every field is read within its bounds.
#[test]
fn forged_bytes_never_panic() {
    for name in NAMES {
        let mut detector = alert(name);
        stream(detector.input()).into_iter().take(200).for_each(|value| {
            detector.update(value).unwrap();
        });
        let bytes = detector.to_bytes();
        let body = &bytes[..bytes.len() - 8];
        for at in 0..body.len() / 8 {
            for word in [0, 1, u64::MAX, 1 << 40, f64::NAN.to_bits()] {
                let mut forged = body.to_vec();
                forged[at * 8..][..8].copy_from_slice(&word.to_le_bytes());
                forged.extend_from_slice(&crate::detectors::bytes::checksum(&forged).to_le_bytes());
                if let Ok(mut restored) = Detector::from_bytes(&forged) {
                    (0..50).for_each(|i| drop(restored.update(f64::from(i % 2))));
                }
            }
        }
    }
}

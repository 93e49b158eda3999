//! River 0.26.1's alarms on its own test streams and on 1,000 random ones, exactly (`golden/detectors/river_golden.py`);
//! of CUSUM, which River lacks, those of a script of Page's definition.

use serde_json::Value;

use crate::detectors::stream::{Process, values};
use crate::detectors::{Detector, Parameters, Signal};

const STREAMS: &str = include_str!("../../../golden/detectors/streams.json");

/// Indices of drifts, and runs of warnings.
type Signals = (Vec<usize>, Vec<[usize; 2]>);

fn signals(parameters: Parameters, stream: &[f64]) -> Signals {
    let mut detector = Detector::new(parameters).unwrap();
    let (mut drifts, mut warnings): Signals = Default::default();
    for (i, value) in stream.iter().enumerate() {
        match detector.update(*value).unwrap() {
            Signal::Drift => drifts.push(i),
            Signal::Warning => match warnings.last_mut() {
                Some(run) if run[1] + 1 == i => run[1] = i,
                _ => warnings.push([i, i]),
            },
            Signal::None => {}
        }
    }
    (drifts, warnings)
}

/// Explicit parameters; of CUSUM the script's target and unit are the scale.
fn parameters(name: &str, given: &[(&str, &Value)]) -> Parameters {
    let mut parameters = Parameters::calibrated(name).unwrap();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let named = |name: &str| given.iter().find(|(parameter, _)| *parameter == name).map(|(_, v)| text(v));
    if parameters.entries().iter().any(|(parameter, _)| *parameter == "scale") {
        let scale = named("target").zip(named("unit")).map(|(mean, std)| format!("mean {mean} std {std}"));
        parameters.set("scale", scale.as_deref().unwrap_or("none")).unwrap();
    }
    // Thresholds that may not cross are set from the outside in.
    for (parameter, value) in given.iter().filter(|(name, _)| !["target", "unit"].contains(name)) {
        parameters.set(parameter, &text(value)).unwrap();
    }
    parameters
}

fn expected(drifts: &Value, warnings: &Value) -> Signals {
    (serde_json::from_value(drifts.clone()).unwrap(), serde_json::from_value(warnings.clone()).unwrap())
}

fn segment(json: &Value) -> (usize, Process) {
    let p = |i: usize| json[i].as_f64().unwrap();
    let process = match json[1].as_str().unwrap() {
        "gaussian" => Process::Gaussian { mean: p(2), std: p(3) },
        "pareto" => Process::Pareto { offset: p(2) },
        "autoregressive" => Process::Autoregressive { mean: p(2), correlation: p(3) },
        "bernoulli" => Process::Bernoulli { rate: p(2) },
        "uniform" => Process::Uniform { low: p(2), high: p(3) },
        other => panic!("unknown process {other}"),
    };
    (json[0].as_u64().unwrap() as usize, process)
}

/// All 1,000 streams; says how many cases differ and shows the first.
fn random_streams(name: &str, golden: &str) {
    let streams: Value = serde_json::from_str(STREAMS).unwrap();
    let golden: Value = serde_json::from_str(golden).unwrap();
    let kind = golden["stream"].as_str().unwrap();
    let names: Vec<&str> =
        golden["parameters"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 1000);
    let mut differing = Vec::new();
    for (seed, case) in cases.iter().enumerate() {
        let segments: Vec<_> =
            streams["streams"][seed][kind].as_array().unwrap().iter().map(segment).collect();
        let given: Vec<_> = names.iter().copied().zip(case[0].as_array().unwrap()).collect();
        let ours = signals(parameters(name, &given), &values(seed as u64, &segments));
        if ours != expected(&case[1], &case[2]) {
            differing.push(format!("seed {seed} {given:?}\nours {ours:?}\nnot  {} {}", case[1], case[2]));
        }
    }
    assert!(differing.is_empty(), "{} streams differ, such as {}", differing.len(), differing[0]);
}

macro_rules! random_streams_as_river {
    ($($name:ident),*) => { $(
        #[test]
        fn $name() {
            let name = stringify!($name);
            random_streams(name, include_str!(concat!("../../../golden/detectors/", stringify!($name), ".json")));
        }
    )* };
}

random_streams_as_river!(adwin, ddm, eddm, hddm_a, hddm_w, page_hinkley, kswin, cusum);

#[test]
fn on_rivers_own_streams_the_signals_are_rivers() {
    let golden: Value = serde_json::from_str(include_str!("../../../golden/detectors/own.json")).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert!(cases.len() > 20);
    for case in cases {
        let (name, stream) = (case["detector"].as_str().unwrap(), case["stream"].as_str().unwrap());
        let digits = golden["streams"][stream].as_str().unwrap();
        let stream: Vec<f64> = digits.bytes().map(|digit| f64::from(digit - b'0')).collect();
        let given: Vec<_> =
            case["parameters"].as_object().unwrap().iter().map(|(n, v)| (n.as_str(), v)).collect();
        let ours = signals(parameters(name, &given), &stream);
        assert_eq!(ours, expected(&case["drifts"], &case["warnings"]), "{case}");
    }
}

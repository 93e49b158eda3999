"""Writes what River's detectors signal: on River's own test streams (own.json), and on 1,000 random streams
(streams.json) with random parameters (<detector>.json).

    python -m venv venv && venv/bin/pip install river==0.26.1 numpy==2.4.6 scipy==1.17.1
    venv/bin/python services/statistics/golden/detectors/river_golden.py

CUSUM is not in River: here it is a script of Page's definition (page.py).
"""

import json
import random
import sys
from pathlib import Path

import numpy as np
from page import Cusum
from river import drift
from streams import Random, values

HERE = Path(__file__).parent
STREAMS = 1000

DETECTORS = {
    "adwin": drift.ADWIN,
    "ddm": drift.binary.DDM,
    "eddm": drift.binary.EDDM,
    "hddm_a": drift.binary.HDDMA,
    "hddm_w": drift.binary.HDDMW,
    "page_hinkley": drift.PageHinkley,
    "kswin": drift.KSWIN,
    "cusum": Cusum,
}

# Millrace's names of parameters where they differ from River's.
NAMES = {"two_sided_test": "two_sided", "lambda_val": "lambda", "mode": "direction"}

# What each parameter of the random streams may be.
CHOICES = {
    "adwin": {
        "delta": [0.002, 0.05, 0.3, 1e-4],
        "clock": [32, 1, 7],
        "max_buckets": [5, 2, 9],
        "min_window_length": [5, 1, 20],
        "grace_period": [10, 1, 100],
    },
    "ddm": {"warm_start": [30, 5, 100], "warning_threshold": [2.0, 1.0], "drift_threshold": [3.0, 2.0, 4.0]},
    "eddm": {"warm_start": [30, 5, 10], "alpha": [0.95, 0.9], "beta": [0.9, 0.8, 0.7]},
    "hddm_a": {
        "drift_confidence": [0.001, 0.01, 0.0001],
        "warning_confidence": [0.05, 0.01],
        "two_sided_test": [False, True],
    },
    "hddm_w": {
        "drift_confidence": [0.001, 0.01, 0.0001],
        "warning_confidence": [0.05, 0.01],
        "lambda_val": [0.05, 0.01, 0.2],
        "two_sided_test": [False, True],
    },
    "page_hinkley": {
        "min_instances": [30, 1, 100],
        "delta": [0.005, 0.1, 0.0],
        "threshold": [50.0, 10.0, 20.0],
        "alpha": [0.9999, 1.0, 0.99],
        "mode": ["both", "up", "down"],
    },
    "kswin": {
        "alpha": [0.0001, 0.001, 0.005],
        "window_size": [100, 60, 150],
        "stat_size": [30, 20],
        "seed": [42, 0, 7, 2**31 + 5],
    },
    "cusum": {
        "target": [0.5, 1.0],
        "unit": [1.0, 0.5],
        "slack": [0.5, 1.0],
        "threshold": [20.0, 40.0, 10.0],
        "direction": ["both", "up", "down"],
    },
}
BINARY = {"ddm", "eddm"}
UNIT = {"hddm_a", "hddm_w"}


def signals(detector, stream) -> list:
    """Indices of drifts, and runs [first, last] of warnings that are no drift."""
    drifts, warnings = [], []
    for i, x in enumerate(stream):
        detector.update(x)
        if detector.drift_detected:
            drifts.append(i)
        elif getattr(detector, "warning_detected", False):
            if warnings and warnings[-1][1] == i - 1:
                warnings[-1][1] = i
            else:
                warnings.append([i, i])
    return [drifts, warnings]


def random_segments(draw: Random, kind: str) -> list:
    segments = []
    for _ in range(3):
        rows = 150 + draw.below(300)
        rate = draw.one_of([0.008, 0.05, 0.2, 0.5, 0.8])
        if kind == "binary" or (kind == "unit" and draw.below(2)):
            segment = [rows, "bernoulli", rate]
        elif kind == "unit":
            segment = [rows, "uniform", *draw.one_of([(0.0, 1.0), (0.25, 0.5), (0.5, 1.0)])]
        else:
            process = draw.below(4)
            mean = draw.below(5) * 0.5
            segment = [
                [rows, "gaussian", mean, draw.one_of([0.5, 1.0, 2.0])],
                [rows, "pareto", mean],
                [rows, "autoregressive", mean, 0.5],
                [rows, "bernoulli", rate],
            ][process]
        segments.append(segment)
    return segments


def write_lines(name: str, head: dict, key: str, lines: list) -> None:
    body = ",\n".join(json.dumps(line, separators=(",", ":")) for line in lines)
    heads = "".join(f"{json.dumps(k)}: {json.dumps(v)},\n" for k, v in head.items())
    (HERE / name).write_text(f'{{{heads}"{key}": [\n{body}\n]}}\n')


def write_random(only: set) -> None:
    streams = []
    for seed in range(STREAMS):
        draw = Random(seed + 1_000_000)
        streams.append({kind: random_segments(draw, kind) for kind in ("binary", "unit", "real")})
    write_lines("streams.json", {}, "streams", streams)
    for name, make in DETECTORS.items():
        if only and name not in only:
            continue
        kind = "binary" if name in BINARY else "unit" if name in UNIT else "real"
        cases = []
        for seed in range(STREAMS):
            draw = Random(seed + 2_000_000)
            chosen = {parameter: draw.one_of(choices) for parameter, choices in CHOICES[name].items()}
            found = signals(make(**chosen), values(seed, streams[seed][kind]))
            cases.append([list(chosen.values()), *found])
        head = {"stream": kind, "parameters": [NAMES.get(p, p) for p in CHOICES[name]]}
        write_lines(f"{name}.json", head, "cases", cases)
        print(name, sum(len(c[1]) for c in cases), "drifts", sum(len(c[2]) for c in cases), "warnings", flush=True)


def own_streams() -> dict:
    """The streams of River's tests and docstrings: small whole numbers."""
    np.random.seed(12345)
    halves = np.concatenate((np.random.randint(2, size=1000), np.random.randint(8, size=1000)))
    np.random.seed(12345)
    rates = [np.random.binomial(1, rate) for rate in (0.2, 0.8) for _ in range(1000)]
    np.random.seed(12345)
    normal = [np.random.normal(mean, 0.1, 500) > 0 for mean in (0.0, 0.25, 0.0, 0.25)]
    docs = random.Random(12345)
    docs_binary = random.Random(42)
    steps = random.Random(42)
    return {
        "halves": halves.tolist(),
        "rates": [int(x) for x in rates],
        "normal": np.concatenate(normal).astype(int).tolist(),
        "ones": [1] * 1000,
        "docs": docs.choices([0, 1], k=1000) + docs.choices(range(4, 8), k=1000),
        "docs_binary": docs_binary.choices([0, 1], k=1000) + docs_binary.choices([0, 1], k=1000, weights=[0.3, 0.7]),
        "steps": [x for _ in range(2) for x in steps.choices([0, 1], k=1000) + steps.choices(range(4, 8), k=1000)],
    }


OWN = [
    ("halves", "adwin", dict(delta=0.002, clock=32, max_buckets=5, min_window_length=5, grace_period=10)),
    ("docs", "adwin", dict(delta=0.002, clock=32, max_buckets=5, min_window_length=5, grace_period=10)),
    ("steps", "adwin", dict(delta=0.002, clock=32, max_buckets=5, min_window_length=5, grace_period=10)),
    ("halves", "adwin", dict(delta=0.002, clock=1, max_buckets=5, min_window_length=5, grace_period=10)),
    ("ones", "adwin", dict(delta=0.002, clock=32, max_buckets=5, min_window_length=5, grace_period=10)),
    ("rates", "ddm", dict(warm_start=30, warning_threshold=2.0, drift_threshold=3.0)),
    ("ones", "ddm", dict(warm_start=30, warning_threshold=2.0, drift_threshold=3.0)),
    ("docs_binary", "ddm", dict(warm_start=30, warning_threshold=2.0, drift_threshold=3.0)),
    ("rates", "eddm", dict(warm_start=30, alpha=0.9, beta=0.8)),
    ("rates", "eddm", dict(warm_start=30, alpha=0.95, beta=0.9)),
    ("docs_binary", "eddm", dict(warm_start=30, alpha=0.8, beta=0.75)),
    ("rates", "hddm_a", dict(drift_confidence=0.001, warning_confidence=0.005, two_sided_test=False)),
    ("normal", "hddm_a", dict(drift_confidence=0.001, warning_confidence=0.005, two_sided_test=True)),
    ("docs_binary", "hddm_a", dict(drift_confidence=0.001, warning_confidence=0.005, two_sided_test=False)),
    ("rates", "hddm_w", dict(drift_confidence=0.001, warning_confidence=0.005, lambda_val=0.05, two_sided_test=False)),
    ("normal", "hddm_w", dict(drift_confidence=0.001, warning_confidence=0.005, lambda_val=0.05, two_sided_test=True)),
    ("docs_binary", "hddm_w", dict(drift_confidence=0.001, warning_confidence=0.005, lambda_val=0.05, two_sided_test=False)),
    ("normal", "page_hinkley", dict(min_instances=30, delta=0.005, threshold=50.0, alpha=0.9999, mode="up")),
    ("normal", "page_hinkley", dict(min_instances=30, delta=0.005, threshold=50.0, alpha=0.9999, mode="down")),
    ("normal", "page_hinkley", dict(min_instances=30, delta=0.005, threshold=50.0, alpha=0.9999, mode="both")),
    ("halves", "page_hinkley", dict(min_instances=30, delta=0.005, threshold=50.0, alpha=0.9999, mode="both")),
    ("docs", "page_hinkley", dict(min_instances=30, delta=0.005, threshold=50.0, alpha=0.9999, mode="both")),
    ("halves", "kswin", dict(alpha=0.0001, window_size=200, stat_size=100, seed=42)),
    ("docs", "kswin", dict(alpha=0.0001, window_size=100, stat_size=30, seed=42)),
    ("halves", "kswin", dict(alpha=0.005, window_size=1000, stat_size=100, seed=1)),
    ("halves", "kswin", dict(alpha=0.005, window_size=700, stat_size=5, seed=2)),
]


def write_own() -> None:
    streams = own_streams()
    cases = []
    for stream, name, parameters in OWN:
        drifts, warnings = signals(DETECTORS[name](**parameters), streams[stream])
        print(stream, name, drifts, flush=True)
        renamed = {NAMES.get(p, p): value for p, value in parameters.items()}
        cases.append(dict(stream=stream, detector=name, parameters=renamed, drifts=drifts, warnings=warnings))
    digits = {name: "".join(map(str, values)) for name, values in streams.items()}
    write_lines("own.json", {"streams": digits}, "cases", cases)


if __name__ == "__main__":
    write_own()
    write_random(set(sys.argv[1:]))

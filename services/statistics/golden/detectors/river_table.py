"""The table of false alarms and delays of `millrace-load detectors table`, for River's detectors with River's defaults and
for Evidently's drift test on windows, on the same streams: Markdown on standard output.

    python -m venv river && river/bin/pip install river==0.26.1 numpy==2.4.6 scipy==1.17.1
    river/bin/python services/statistics/golden/detectors/river_table.py
    python -m venv evidently && evidently/bin/pip install evidently==0.7.23 numpy==2.4.6 pandas==2.3.3
    evidently/bin/python services/statistics/golden/detectors/river_table.py evidently

Detectors of windows have no alarm per row: Evidently compares each 1,000 rows with the first 1,000 and alarms at the end of
a window; its defaults choose the test by rows and distinct values (K-S at p < 0.05, Wasserstein above 1,000 rows).
"""

import sys

from streams import PARETO_STD, values

ROWS, SEEDS = 10_000, 200

KINDS = [
    ("gaussian", ["gaussian", 0.0, 1.0], [("mean + 0.5 sd", ["gaussian", 0.5, 1.0]), ("mean + 1 sd", ["gaussian", 1.0, 1.0])]),
    ("pareto", ["pareto", 0.0], [("mean + 0.5 sd", ["pareto", 0.5 * PARETO_STD]), ("mean + 1 sd", ["pareto", PARETO_STD])]),
    *(
        (
            f"autoregressive {c}",
            ["autoregressive", 0.0, c],
            [("mean + 0.5 sd", ["autoregressive", 0.5, c]), ("mean + 1 sd", ["autoregressive", 1.0, c])],
        )
        for c in (0.5, 0.9)
    ),
    ("errors 20 %", ["bernoulli", 0.2], [("30 %", ["bernoulli", 0.3]), ("50 %", ["bernoulli", 0.5])]),
    ("errors 0.8 %", ["bernoulli", 0.008], [("2 %", ["bernoulli", 0.02]), ("5 %", ["bernoulli", 0.05])]),
]


def row_alarms(make):
    def alarms(stream):
        detector = make()
        out = []
        for i, x in enumerate(stream):
            detector.update(x)
            if detector.drift_detected:
                out.append(i)
        return out

    return alarms


def evidently_alarms(stream, window=1000):
    import pandas as pd
    from evidently import Dataset, Report
    from evidently.metrics import ValueDrift

    reference = Dataset.from_pandas(pd.DataFrame({"x": stream[:window]}))
    report = Report([ValueDrift(column="x")], include_tests=True)
    out = []
    for start in range(window, len(stream), window):
        current = Dataset.from_pandas(pd.DataFrame({"x": stream[start : start + window]}))
        if report.run(current, reference).dict()["tests"][0]["status"].name == "FAIL":
            out.append(start + window - 1)
    return out


def line(name, kind, alarms, seeds):
    stream_name, process, changes = kind
    found = sum(len(alarms(values(seed, [[ROWS, *process]]))) for seed in range(seeds))
    cells = [name, stream_name, f"{found * 1e4 / (seeds * ROWS):.3f}"]
    for change, after in changes:
        delays = []
        for seed in range(seeds, 2 * seeds):
            stream = values(seed, [[ROWS // 2, *process], [ROWS // 2, *after]])
            late = [i - ROWS // 2 for i in alarms(stream) if i >= ROWS // 2]
            delays += late[:1]
        mean = f"{sum(delays) / len(delays):.0f}" if delays else "-"
        cells += [change, mean, f"{100 * (1 - len(delays) / seeds):.1f} %"]
    print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    if "evidently" in sys.argv:
        for kind in KINDS:
            # A twentieth of a second per window: fewer seeds, those of the first streams.
            line("Evidently, windows of 1,000", kind, evidently_alarms, 40)
        return
    from river import drift

    river = {
        "adwin": (drift.ADWIN, SEEDS),
        "ddm": (drift.binary.DDM, SEEDS),
        "eddm": (drift.binary.EDDM, SEEDS),
        "hddm_a": (drift.binary.HDDMA, SEEDS),
        "hddm_w": (drift.binary.HDDMW, SEEDS),
        "page_hinkley": (drift.PageHinkley, SEEDS),
        # Seconds a stream: fewer seeds, those of the first streams.
        "kswin": (lambda: drift.KSWIN(seed=1), 2),
    }
    chosen = sys.argv[1:] or list(river)
    for name, (make, seeds) in river.items():
        for kind in KINDS:
            suits = kind[1][0] == "bernoulli" or name in ("adwin", "page_hinkley", "kswin")
            if name in chosen and suits:
                line(f"River {name}", kind, row_alarms(make), seeds)


if __name__ == "__main__":
    main()

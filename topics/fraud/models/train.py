"""Trains a fraud model on generated payments and writes fraud-gbdt/1: model.onnx and model.toml, and what the
drift service compares windows with: reference.parquet, quality.toml, thresholds.toml.

In the project's folder, with Python 3.11 or newer (about five minutes on two cores, with debug builds too):

    make release
    cargo build --release -p millrace-load
    python3 -m venv target/venv
    target/venv/bin/pip install -r topics/fraud/models/requirements.txt
    target/venv/bin/python topics/fraud/models/train.py

It overwrites the committed model, with the same bytes as long as SQL, generator and versions are the same; --output
writes elsewhere.

The payments are of other days (2017) and other seeds than any demo shows (2018-04-01 on, seed 42 by default); their
features come from `millrace backfill`, which runs the application's own SQL. The first 38 days are left out: their
windows are not full yet. The threshold is the score of greatest F1 on a second stream, of later days. Then the model
is measured on three fresh streams, as the demo measures it, and the handbook's single split is computed with the
same family of models. The printed differences between XGBoost and ONNX Runtime are over all rows of these streams.

`train.py --version 2` trains the second model in the same way, fraud-gbdt/2 with deeper trees: model.onnx and model.toml
alone, for experiments beside the first. `millrace drift reference fraud --model fraud-gbdt/2` makes what its windows are
compared with, should it become the champion.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort
import xgboost as xgb
from measures import measure, single_split
from payments import INPUTS, REPOSITORY, Payments, Stream, Tools, find
from reference import write_reference
from sklearn.metrics import precision_recall_curve
from tree_export import to_onnx

WARM = 38
TRAINING = Stream("2017-01-01", seed=1001)
VALIDATION = Stream("2017-07-03", seed=1002, days=120)
# What windows are compared with: a week each of the validation payments and of nine other streams, one after another. The
# customers and terminals of one stream happen to live where they do, and those of the next elsewhere: thresholds that are
# calibrated on one stream alone call every other one drifted.
WEEKS = [np.datetime64("2017-09-25") + 7 * week for week in range(10)]
REFERENCE = [(VALIDATION, WEEKS[0])] + [
    (Stream(str(week - 59), seed, days=66), week) for seed, week in enumerate(WEEKS[1:], start=2001)
]
TESTS = [Stream("2018-04-01", seed) for seed in (1, 2, 3)]
SINGLE_SPLIT_START = "2018-07-25"
PARAMETERS = {
    "objective": "binary:logistic",
    "tree_method": "hist",
    "max_depth": 5,
    "eta": 0.1,
    "min_child_weight": 10,
    "max_bin": 512,
    "seed": 1,
}
TREES = 100
# What a version has otherwise than the first.
VERSIONS = {"1": {}, "2": {"max_depth": 6, "seed": 2}}
# Rows in which an amount is missing go to the dead letters; in its windows (a NaN stays there for 30 days) a missing
# value is taken as the median of the training rows.
REJECTED_WHEN_MISSING = {"amount"}
PUBLISHED = [
    ("logistic regression", 0.871, 0.606, 0.291),
    ("decision tree, depth 2", 0.763, 0.496, 0.241),
    ("decision tree", 0.788, 0.309, 0.243),
    ("random forest", 0.867, 0.658, 0.287),
    ("XGBoost", 0.862, 0.639, 0.273),
]


def main() -> None:
    args = arguments()
    with tempfile.TemporaryDirectory() as scratch:
        work = args.work or Path(scratch)
        tools = Tools(args.load or find("millrace-load"), args.millrace or find("millrace"), args.topics, work)
        train = tools.payments(TRAINING).days(WARM, TRAINING.days)
        booster = xgb.train(PARAMETERS | VERSIONS[args.version], matrix(train), num_boost_round=TREES)
        onnx_bytes = to_onnx(booster, len(INPUTS)).SerializeToString()

        validation = tools.payments(VALIDATION).days(WARM, VALIDATION.days)
        threshold = greatest_f1(validation, score(onnx_bytes, validation))
        scores = score(onnx_bytes, validation)
        metrics = measure(validation, scores)
        alerts = scores >= threshold
        decided = {
            "precision": float(validation.fraud[alerts].mean()),
            "recall": float(alerts[validation.fraud].mean()),
        }
        title = "Gradient boosting (XGBoost) on generated payments" + (", deeper" if args.version == "2" else "")
        write(args.output, onnx_bytes, model_toml(title, onnx_bytes, train, threshold, metrics | decided))
        if args.version == "1":
            write_reference(tools, REFERENCE, lambda features: score(onnx_bytes, features), args.output)

        print(f"\n{'warm payments, none removed':38} {'AUC ROC':>8} {'AP':>8} {'CP@100':>8}")
        print_row(f"validation, seed {VALIDATION.seed}", metrics)
        if args.version != "1":
            return
        for stream in TESTS:
            report_on(stream, tools.payments(stream).days(WARM, stream.days), booster, onnx_bytes, threshold)
        report_single_split(tools.payments(TESTS[0]))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    where = "(default: the release build in CARGO_TARGET_DIR or target/, else the debug build there, else on PATH)"
    parser.add_argument("--millrace", type=Path, help=f"the binary millrace {where}")
    parser.add_argument("--load", type=Path, help="the binary millrace-load (default: found likewise)")
    parser.add_argument("--topics", type=Path, default=REPOSITORY / "topics", help="the folder of applications")
    parser.add_argument("--work", type=Path, help="a folder that keeps the generated files for the next run (0.6 GB)")
    parser.add_argument("--version", choices=VERSIONS, default="1", help="which model (default: 1)")
    parser.add_argument("--output", type=Path, help="the folder to write the model to (default: that of the version)")
    args = parser.parse_args()
    args.output = args.output or Path(__file__).resolve().parent / "fraud-gbdt" / args.version
    return args


def matrix(payments: Payments) -> xgb.DMatrix:
    return xgb.DMatrix(payments.features, payments.fraud, feature_names=INPUTS)


def score(onnx_bytes: bytes, payments: Payments | np.ndarray) -> np.ndarray:
    """The scores as ONNX Runtime computes them, in batches on one core."""
    features = payments.features if isinstance(payments, Payments) else payments
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(onnx_bytes, options, providers=["CPUExecutionProvider"])
    batches = np.array_split(features, len(features) // 1000 + 1)
    return np.concatenate([session.run(["score"], {"features": batch})[0][:, 0] for batch in batches])


def greatest_f1(payments: Payments, scores: np.ndarray) -> float:
    precision, recall, thresholds = precision_recall_curve(payments.fraud, scores)
    f1 = 2 * precision[:-1] * recall[:-1] / np.maximum(precision[:-1] + recall[:-1], 1e-12)
    return round(float(thresholds[np.argmax(f1)]), 4)


def model_toml(title: str, onnx_bytes: bytes, train: Payments, threshold: float, metrics: dict[str, float]) -> str:
    defaults = np.median(train.features, axis=0)
    policy = [
        f'    {{ name = "{name}", '
        + ('missing = "reject"' if name in REJECTED_WHEN_MISSING else f"default = {default:.6}")
        + " },"
        for name, default in zip(INPUTS, defaults.astype(float), strict=True)
    ]
    lines = [
        "# Written by train.py, beside the model's folder.",
        f'title = "{title}"',
        f'sha256 = "{hashlib.sha256(onnx_bytes).hexdigest()}"',
        "inputs = [",
        *policy,
        "]",
        "",
        "# The probability of fraud, one number per row.",
        "[output]",
        'name = "score"',
        "",
        "# The score of greatest F1 on the validation payments.",
        "[decision]",
        f"threshold = {threshold}",
        'above = "review"',
        'below = "approve"',
        "",
        "[training]",
        f"from = {TRAINING.day(WARM)}T00:00:00Z",
        f"to = {TRAINING.day(TRAINING.days)}T00:00:00Z",
        f"rows = {len(train.fraud)}",
        "",
        f"# On payments of {VALIDATION.day(WARM)} to {VALIDATION.day(VALIDATION.days - 1)}, of another seed.",
        "[metrics]",
        *[f"{name} = {value:.4f}" for name, value in metrics.items()],
    ]
    return "\n".join(lines) + "\n"


def write(folder: Path, onnx_bytes: bytes, toml: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(onnx_bytes)
    (folder / "model.toml").write_text(toml)
    print(f"wrote {folder}: model.onnx of {len(onnx_bytes) / 1000:.0f} kB, and model.toml")


def print_row(name: str, measures: dict[str, float]) -> None:
    print(f"{name:38} " + " ".join(f"{value:8.3f}" for value in measures.values()), flush=True)


def report_on(stream: Stream, test: Payments, booster: xgb.Booster, onnx_bytes: bytes, threshold: float) -> None:
    """Measures, and whether the exported model is the trained one."""
    started = time.process_time()
    scores = score(onnx_bytes, test)
    each_us = (time.process_time() - started) / len(scores) * 1e6
    print_row(f"seed {stream.seed}, {len(scores):,} payments", measure(test, scores))
    alerts = scores >= threshold
    difference = np.abs(scores - booster.predict(matrix(test))).max()
    print(
        f"    {each_us:.2f} us of CPU a row; largest difference to XGBoost {difference:.1e}; "
        f"precision {test.fraud[alerts].mean():.3f} and recall {alerts[test.fraud].mean():.3f} at {threshold}"
    )


def report_single_split(payments: Payments) -> None:
    first = TESTS[0].number(SINGLE_SPLIT_START)
    train, test = single_split(payments, first)
    classifier = xgb.XGBClassifier().fit(train.features, train.fraud)
    print(f"\n{'single split, library defaults':38} {'AUC ROC':>8} {'AP':>8} {'CP@100':>8}")
    print_row(f"XGBoost here, seed {TESTS[0].seed}", measure(test, classifier.predict_proba(test.features)[:, 1]))
    for name, *values in PUBLISHED:
        print_row(f"{name}, published", dict(zip(("auc", "ap", "cp"), values, strict=True)))
    print(
        f"Train {len(train.fraud):,} rows, {train.fraud.sum():,} frauds; test {len(test.fraud):,}, "
        f"{test.fraud.sum():,} (published: 67,240 and 598; 58,264 and 385). Payments of another random generator: "
        "the figures of one week vary by some hundredths between seeds."
    )


if __name__ == "__main__":
    main()

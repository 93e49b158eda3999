"""Golden figures of CBPE, written to cbpe.json.

    python3 -m venv venv
    venv/bin/pip install nannyml==0.13.1 statsmodels==0.15.0 numpy==2.4.6 pandas==3.1.1 scikit-learn==1.9.1 scipy==1.17.1
    venv/bin/python cbpe.py

nannyml on its own synthetic car-loan set, whole (its scores have two decimals, so that counts by score hold it), and on
a small seeded set with continuous scores. nannyml decides by random splits whether to calibrate; here it is told.
"""

import json
import os
import pathlib

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"

import nannyml  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from nannyml.performance_estimation.confidence_based import cbpe  # noqa: E402

METRICS = ["roc_auc", "average_precision", "precision", "recall", "f1", "accuracy", "confusion_matrix"]
FIGURES = METRICS[:-1] + ["true_positive", "false_positive", "true_negative", "false_negative"]


def estimates(reference, analysis, chunk_rows, calibrate):
    """Per chunk of the analysis set, every figure."""
    cbpe.needs_calibration = lambda *_, **__: calibrate
    estimator = nannyml.CBPE(y_true="label", y_pred="decision", y_pred_proba="score", metrics=METRICS,
                             problem_type="classification_binary", chunk_size=chunk_rows)
    frame = estimator.fit(reference).estimate(analysis).filter(period="analysis").to_df()
    return [{figure: float(row[(figure, "value")]) for figure in FIGURES} for _, row in frame.iterrows()]


def outcomes(frame):
    """(score, positives, negatives), scores ascending."""
    by_score = frame.groupby("score")["label"].agg(["sum", "count"])
    return [[float(score), int(row["sum"]), int(row["count"] - row["sum"])] for score, row in by_score.iterrows()]


def counts(frame):
    """(score, rows), scores ascending."""
    return [[float(score), int(rows)] for score, rows in frame["score"].value_counts().sort_index().items()]


def case(reference, analysis, threshold, chunk_rows):
    chunks = [analysis[at:at + chunk_rows] for at in range(0, len(analysis), chunk_rows)]
    return {
        "threshold": threshold, "reference": outcomes(reference), "chunks": [counts(chunk) for chunk in chunks],
        "calibrated": estimates(reference, analysis, chunk_rows, True),
        "uncalibrated": estimates(reference, analysis, chunk_rows, False),
    }


def car_loan():
    names = {"y_pred_proba": "score", "y_pred": "decision", "repaid": "label"}
    reference, analysis, _ = nannyml.load_synthetic_car_loan_dataset()
    reference, analysis = reference.rename(columns=names), analysis.rename(columns=names)
    assert ((reference["score"] >= 0.65) == (reference["decision"] == 1)).all()
    assert ((analysis["score"] >= 0.65) == (analysis["decision"] == 1)).all()
    return case(reference, analysis, 0.65, 5000)


def continuous():
    rng = np.random.default_rng(11)

    def rows(count, a):
        score = rng.beta(a, 3.0, count)
        label = (rng.random(count) < score**1.7).astype(int)
        return pd.DataFrame({"score": score, "label": label, "decision": (score >= 0.4).astype(int)})

    return case(rows(1500, 0.8), rows(1200, 1.2), 0.4, 400)


if __name__ == "__main__":
    golden = {"car_loan": car_loan(), "continuous": continuous()}
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")

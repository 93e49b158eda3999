"""Writes evaluation.json: scores and outcomes with the measures that scikit-learn and pandas compute of them.

    python -m venv venv && venv/bin/pip install numpy==2.4.6 pandas==3.1.1 scikit-learn==1.9.1
    venv/bin/python load/golden/evaluation.py
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score


def card_precision(rows: pd.DataFrame, k: int) -> float:
    """Per day the k customers of highest score, share of k with a fraud; detected ones are removed later."""
    detected: set[int] = set()
    precisions = []
    for _, day in rows.groupby("day", sort=True):
        cards = day.groupby("customer")[["score", "fraud"]].max()
        cards = cards[~cards.index.isin(detected)]
        top = cards.sort_values("score", ascending=False, kind="stable").head(k)
        hits = top.index[top.fraud]
        precisions.append(len(hits) / k)
        detected |= set(hits)
    return float(np.mean(precisions))


def case(name: str, rng: np.random.Generator, n: int, days: int, customers: int, rate: float, decimals: int) -> dict:
    fraud = rng.random(n) < rate
    fraud[:2] = [True, False]
    score = np.clip(rng.normal(np.where(fraud, 0.6, 0.4), 0.2), 0, 1).round(decimals)
    rows = pd.DataFrame(
        {
            "day": rng.integers(0, days, n),
            "customer": rng.integers(0, customers, n),
            "score": score,
            "fraud": fraud,
        }
    )
    return {
        "name": name,
        **{column: rows[column].tolist() for column in rows},
        "roc_auc": float(roc_auc_score(fraud, score)),
        "average_precision": float(average_precision_score(fraud, score)),
        "card_precision_5": card_precision(rows, 5),
    }


def main() -> None:
    rng = np.random.default_rng(1)
    cases = [
        case("distinct scores", rng, 300, 4, 60, 0.2, 9),
        case("many ties", rng, 300, 4, 60, 0.2, 1),
        case("rare frauds", rng, 400, 7, 50, 0.01, 3),
        case("mostly frauds", rng, 200, 3, 40, 0.9, 2),
        case("only two scores", rng, 100, 2, 100, 0.5, 0),
        case("fewer customers than five", rng, 60, 6, 4, 0.3, 3),
    ]
    text = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    Path(__file__).with_name("evaluation.json").write_text(f"[\n{text}\n]\n")


if __name__ == "__main__":
    main()

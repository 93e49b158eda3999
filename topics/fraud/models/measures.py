"""What the handbook measures (chapter 4), and its single split (chapter 3): train one week, a week's delay, test one
week, without customers known to be defrauded."""

from __future__ import annotations

import numpy as np
from payments import Payments
from sklearn.metrics import average_precision_score, roc_auc_score

DAYS = 7


def measure(payments: Payments, score: np.ndarray) -> dict[str, float]:
    """AUC ROC, average precision and card precision at 100."""
    return {
        "auc_roc": float(roc_auc_score(payments.fraud, score)),
        "average_precision": float(average_precision_score(payments.fraud, score)),
        "card_precision_100": card_precision(payments, score, 100),
    }


def card_precision(payments: Payments, score: np.ndarray, k: int) -> float:
    """Per day, the share of the k customers of highest score that have a fraud; those detected are removed on later
    days; the mean over days."""
    detected: set[int] = set()
    precisions = []
    for day in np.unique(payments.day):
        highest: dict[int, float] = {}
        defrauded: set[int] = set()
        rows = payments.day == day
        for customer, s, fraud in zip(payments.customer[rows], score[rows], payments.fraud[rows], strict=True):
            if customer not in detected:
                highest[customer] = max(s, highest.get(customer, -np.inf))
                if fraud:
                    defrauded.add(customer)
        top = sorted(highest, key=lambda customer: (-highest[customer], customer))[:k]
        hits = defrauded.intersection(top)
        precisions.append(len(hits) / k)
        detected |= hits
    return float(np.mean(precisions))


def single_split(payments: Payments, first: int) -> tuple[Payments, Payments]:
    """Training and test rows; `first` is the first day of training."""
    train = payments.days(first, first + DAYS - 1)
    known = set(train.customer[train.fraud])
    keep = np.zeros(len(payments.day), dtype=bool)
    for day in range(first + 2 * DAYS, first + 3 * DAYS):
        # What the last day of the delay has revealed by then.
        revealed = payments.days(day - DAYS - 1, day - DAYS - 1)
        known |= set(revealed.customer[revealed.fraud])
        keep |= (payments.day == day) & ~np.isin(payments.customer, list(known))
    return train, payments.where(keep)

"""Golden figures of `millrace_statistics::performance`, written to performance.json.

    python3 -m venv venv
    venv/bin/pip install scikit-learn==1.7.2 fairlearn==0.13.0 numpy==2.4.6 scipy==1.15.3 statsmodels==0.14.6
    venv/bin/python performance.py

scikit-learn and fairlearn are the reference where they have the metric; statsmodels for intervals of proportions; the
rest (AUC variance, ECE, cuts with ties, reciprocal rank with ties, delta-method variance) is computed here from the
definition, by enumeration or by numerical differences.
"""

import itertools
import json
import pathlib
import warnings

import numpy as np
from fairlearn import metrics as fair
from scipy.special import logit
from sklearn import metrics
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

Z = 1.959963984540054
warnings.filterwarnings("ignore")


def delong_variance(score, label):
    """Every pair of a positive and a negative, with the means by row and by column."""
    positive, negative = score[label == 1][:, None], score[label == 0][None, :]
    won = (positive > negative) + 0.5 * (positive == negative)
    return won.mean(1).var(ddof=1) / won.shape[0] + won.mean(0).var(ddof=1) / won.shape[1]


def ece(score, label, bins):
    at = np.minimum((score * bins).astype(int), bins - 1)
    return sum((at == b).mean() * abs(label[at == b].mean() - score[at == b].mean()) for b in set(at))


def hits_at(score, label, k):
    """Positives among the k highest scores, tied rows in proportion."""
    cut = np.sort(score)[::-1][k - 1]
    above, tied = score > cut, score == cut
    return label[above].sum() + (k - above.sum()) * label[tied].mean()


def logit_interval(value, error):
    half = Z * error / (value * (1 - value))
    return [float(1 / (1 + np.exp(-(logit(value) + sign * half)))) for sign in (-1, 1)]


def binary_case(rng, rows, share, decimals, threshold, k):
    label = (rng.random(rows) < share).astype(int)
    score = rng.beta(1 + 3 * label, 2 + 5 * share, rows)
    if decimals is not None:
        score = np.round(score, decimals)
    decision = score >= threshold
    tn, fp, fn, tp = metrics.confusion_matrix(label, decision).ravel()
    auc = metrics.roc_auc_score(label, score)
    ap = metrics.average_precision_score(label, score)
    positives = label.sum()
    return {
        "scores": score.tolist(), "labels": label.tolist(), "threshold": threshold, "k": k,
        "auc": auc, "auc_interval": logit_interval(auc, delong_variance(score, label) ** 0.5),
        "average_precision": ap,
        "average_precision_interval": logit_interval(ap, (ap * (1 - ap) / positives) ** 0.5),
        "log_loss": metrics.log_loss(label, score), "brier": metrics.brier_score_loss(label, score),
        "ece": ece(score, label, 10),
        "confusion": [int(tp), int(fp), int(tn), int(fn)],
        "precision": metrics.precision_score(label, decision), "recall": metrics.recall_score(label, decision),
        "f1": metrics.f1_score(label, decision), "accuracy": metrics.accuracy_score(label, decision),
        "recall_interval": proportion_confint(tp, positives, method="wilson"),
        "precision_at_k": hits_at(score, label, k) / k, "recall_at_k": hits_at(score, label, k) / positives,
    }


def class_figures(actual, predicted):
    figures = {"accuracy": metrics.accuracy_score(actual, predicted)}
    for average in ("macro", "weighted"):
        options = {"average": average, "zero_division": 0}
        figures[f"precision_{average}"] = metrics.precision_score(actual, predicted, **options)
        figures[f"recall_{average}"] = metrics.recall_score(actual, predicted, **options)
        figures[f"f1_{average}"] = metrics.f1_score(actual, predicted, **options)
    return figures


def f1_error(actual, predicted, classes, average):
    """Standard error of F1 by the delta method, with numerical derivatives by the shares of the table."""
    table = np.zeros((classes, classes))
    np.add.at(table, (actual, predicted), 1 / len(actual))

    def f1(shares):
        f = 2 * np.diag(shares) / (shares.sum(0) + shares.sum(1))
        return f.mean() if average == "macro" else (f * shares.sum(1)).sum()

    slopes = np.zeros_like(table)
    for at in itertools.product(range(classes), repeat=2):
        step = np.zeros_like(table)
        step[at] = 1e-6
        slopes[at] = (f1(table + step) - f1(table - step)) / 2e-6
    variance = (table * slopes**2).sum() - (table * slopes).sum() ** 2
    return (variance / len(actual)) ** 0.5


def multiclass_case(rng, rows, classes, sharpness):
    actual = rng.integers(0, classes, rows)
    raw = rng.gamma(1.0, 1.0, (rows, classes)) + sharpness * np.eye(classes)[actual] * rng.random((rows, 1))
    probabilities = raw / raw.sum(1, keepdims=True)
    predicted = probabilities.argmax(1)
    figures = class_figures(actual, predicted)
    # Rows of probabilities sum to one within rounding only: scikit-learn checks that, and uses them as they are.
    figures["log_loss"] = metrics.log_loss(actual, probabilities)
    for average in ("macro", "weighted"):
        figures[f"auc_{average}"] = metrics.roc_auc_score(actual, probabilities, multi_class="ovr", average=average)
        figures[f"f1_{average}_error"] = f1_error(actual, predicted, classes, average)
    return {"classes": classes, "actual": actual.tolist(), "predicted": predicted.tolist(),
            "probabilities": probabilities.tolist(), **figures}


def sparse_case():
    """Class 3 never occurs, class 2 is never predicted, class 4 is only predicted."""
    actual, predicted = [0, 0, 1, 1, 2, 2, 1], [0, 1, 1, 1, 0, 1, 4]
    return {"classes": 5, "actual": actual, "predicted": predicted, **class_figures(actual, predicted)}


def reciprocal_rank(score, relevance):
    """Mean over all orders that respect the scores."""
    ranks = []
    for order in itertools.permutations(range(len(score))):
        if all(score[a] >= score[b] for a, b in zip(order, order[1:])):
            first = [rank for rank, item in enumerate(order, 1) if relevance[item] > 0]
            ranks.append(1 / first[0] if first else 0)
    return float(np.mean(ranks))


def ranking_case(rng, items, levels, k, enumerate_orders):
    score = rng.integers(0, levels, items).astype(float)
    relevance = rng.choice([0, 0, 0, 1, 2, 3], items).astype(float)
    case = {"scores": score.tolist(), "relevances": relevance.tolist(), "k": k,
            "ndcg": metrics.ndcg_score([relevance], [score], k=k), "ndcg_whole": metrics.ndcg_score([relevance], [score])}
    if enumerate_orders:
        case["reciprocal_rank"] = reciprocal_rank(score, relevance)
    return case


def fairness_case(rng, rows, groups, lift):
    group = rng.integers(0, groups, rows)
    actual = (rng.random(rows) < 0.3 + 0.1 * group).astype(int)
    predicted = (rng.random(rows) < 0.2 + 0.5 * actual + lift * group).astype(int)
    return {
        "groups": [f"g{g}" for g in group], "actual": actual.tolist(), "predicted": predicted.tolist(),
        "demographic_parity": fair.demographic_parity_difference(actual, predicted, sensitive_features=group),
        "equal_opportunity": fair.equal_opportunity_difference(actual, predicted, sensitive_features=group),
        "equalised_odds": fair.equalized_odds_difference(actual, predicted, sensitive_features=group),
    }


def newcombe_cases():
    counts = [(56, 70, 48, 80), (9, 10, 3, 10), (10, 10, 0, 20), (5, 56, 0, 29), (120, 1000, 130, 1100)]
    return [{"counts": c, "interval": confint_proportions_2indep(*c, method="newcomb")} for c in counts]


def main():
    rng = np.random.default_rng(7)
    golden = {
        "binary": [
            binary_case(rng, rows, share, decimals, threshold, k)
            for rows, share, decimals, threshold, k in [
                (300, 0.5, None, 0.5, 30), (400, 0.1, 2, 0.6, 50), (200, 0.3, 1, 0.4, 70), (500, 0.05, 3, 0.5, 20),
                (60, 0.9, 1, 0.8, 10), (250, 0.4, 0, 0.5, 100),
            ]
        ],
        "multiclass": [multiclass_case(rng, 200, 3, 2.0), multiclass_case(rng, 300, 5, 6.0)],
        "sparse": sparse_case(),
        "ranking": [ranking_case(rng, items, levels, k, items <= 7)
                    for items, levels, k in [(5, 3, 3), (6, 2, 2), (7, 4, 5), (7, 1, 3), (30, 100, 10), (50, 6, 10)] * 3],
        "fairness": [fairness_case(rng, 400, 2, 0.1), fairness_case(rng, 600, 4, 0.05), fairness_case(rng, 300, 3, 0.0)],
        "newcombe": newcombe_cases(),
    }
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(golden, separators=(",", ":"), default=float) + "\n")


if __name__ == "__main__":
    main()

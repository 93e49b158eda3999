"""Writes two_sample.json: statistics and p-values of SciPy, and NumPy's of published formulas, over many shapes.

    python -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python two_sample.py
"""

import json
import pathlib
import warnings

import numpy as np
from scipy import stats
from scipy.spatial import distance

from recipes import sample

HERE = pathlib.Path(__file__).parent
warnings.simplefilter("ignore")


def quantile_edges(x, bins=10):
    edges = np.unique(np.quantile(x, np.arange(1, bins) / bins, method="inverted_cdf"))
    return edges[edges < x.max()]


def counts(x, edges):
    return np.bincount(np.searchsorted(edges, x, side="left"), minlength=len(edges) + 1)


def psi(p, q):
    p, q = (p + 0.5) / (p.sum() + 0.5 * len(p)), (q + 0.5) / (q.sum() + 0.5 * len(q))
    return float(np.sum((q - p) * np.log(q / p)))


def divergences(p, q):
    a, b = p / p.sum(), q / q.sum()
    return {
        "psi": [psi(p, q)],
        "js": [float(distance.jensenshannon(a, b, base=2))],
        "hellinger": [float(np.sqrt(np.sum((np.sqrt(a) - np.sqrt(b)) ** 2) / 2))],
        "total_variation": [float(np.abs(a - b).sum() / 2)],
    }


def tested(result):
    return [float(result.statistic), float(result.pvalue)]


def balanced(x, y):
    """Effects of Anderson-Darling and Cramer-von Mises: integrals over (F + G) / 2, ties counted half."""
    z = np.unique(np.concatenate([x, y]))
    x, y = np.sort(x), np.sort(y)
    at, mid = [], []
    for s in (x, y):
        low, high = np.searchsorted(s, z, "left"), np.searchsorted(s, z, "right")
        at.append((high - low) / len(s))
        mid.append((high + low) / (2 * len(s)))
    weight, h, d2 = (at[0] + at[1]) / 2, (mid[0] + mid[1]) / 2, (mid[0] - mid[1]) ** 2
    return float(np.sqrt(np.sum(weight * d2 / (h * (1 - h))))), float(np.sqrt(np.sum(weight * d2)))


def numeric(x, y):
    ks, mw = stats.ks_2samp(x, y), stats.mannwhitneyu(x, y)
    w = stats.wasserstein_distance(x, y)
    p_value = float(ks.pvalue)
    if len(x) == len(y) and round(ks.statistic * len(x)) == 1:
        # No smaller D than 1 / n is possible: P = 1. SciPy's sum may round to above 1, and then it goes asymptotic.
        p_value = 1.0
    found = {
        "ks": [float(ks.statistic), p_value, float(ks.statistic)],
        "mann_whitney": [*tested(mw), float(abs(2 * mw.statistic / (len(x) * len(y)) - 1))],
        "wasserstein": [float(w)],
        "energy": [float(stats.energy_distance(x, y))],
    }
    if np.std(x) > 0:
        found["wasserstein_normed"] = [float(w / np.std(x))]
    weighted, plain = balanced(x, y)
    if min(len(x), len(y)) >= 2:
        found["cvm"] = [*tested(stats.cramervonmises_2samp(x, y)), plain]
    if len(np.unique(np.concatenate([x, y]))) > 1 and len(x) + len(y) >= 4:
        found["ad"] = [*tested(stats.anderson_ksamp([x, y], variant="midrank")), weighted]
    edges = quantile_edges(x)
    binned = divergences(counts(x, edges), counts(y, edges))
    del binned["total_variation"]
    return found | binned


def values(*numbers):
    return {"shape": "values", "n": len(numbers), "seed": 0, "values": list(map(float, numbers))}


def pairs():
    """Pairs of recipes: tiny, edge cases by hand, then every shape against itself and moved, at many sizes."""
    yield values(1), values(2)
    yield values(1), values(1)
    yield values(1), values(0, 1, 2, 3)
    yield values(1, 2, 3), values(1, 2, 3)
    yield values(1, 2), values(3, 4)
    yield values(0, 0, 0, 1), values(0, 0, 1, 1, 1)
    yield values(5, 5, 5, 5), values(5, 5, 5)
    yield values(5, 5, 5, 5), values(6, 6, 6)
    yield values(-1e9, 0, 1e-9), values(1e9, 1e-9, 0, 0)
    yield values(*range(30)), values(*range(40, 75))
    seed = 0
    sizes = [(3, 5), (7, 7), (8, 40), (9, 9), (12, 20), (20, 20), (19, 18), (21, 30), (60, 60), (100, 137), (150, 141),
             (500, 300), (1000, 1000), (2500, 2400), (5, 10_500), (170, 12_000), (10_000, 10_000), (20_000, 15_000)]
    for m, n in sizes:
        for shape in ["uniform", "bell", "heavy", "integers", "binary", "constant"]:
            for scale, shift in [(1.0, 0.0), (1.25, 0.0), (1.0, 0.125), (0.5, 4.0)]:
                if m > 2500 and (scale, shift) == (0.5, 4.0) and shape != "bell":
                    continue
                seed += 1
                yield ({"shape": shape, "n": m, "seed": 2 * seed},
                       {"shape": shape, "n": n, "seed": 2 * seed + 1, "scale": scale, "shift": shift})


def categories():
    yield [10, 20, 30], [30, 20, 10]
    yield [10, 20, 30], [10, 20, 30]
    yield [500, 300, 200], [450, 350, 250]
    yield [50, 50], [40, 70]
    yield [5000, 5000, 40], [5100, 4900, 0]
    yield [5000, 5000, 0], [5100, 4900, 60]
    yield [1000, 10, 20, 30], [9, 200, 30, 2000]
    rng = np.random.default_rng(1)
    for cells in [2, 3, 5, 20, 100]:
        share = rng.dirichlet(np.full(cells, 5.0))
        for rows in [200, 5_000, 1_000_000]:
            yield rng.multinomial(rows, share).tolist(), rng.multinomial(rows // 2, share).tolist()


def chi_square(p, q):
    """None where a cell would be pooled: pooling has tests of its own."""
    table = np.array([p, q])
    table = table[:, table.sum(axis=0) > 0]
    if table.sum(axis=0).min() * min(table.sum(axis=1)) / table.sum() < 5:
        return None
    found = stats.chi2_contingency(table)
    a, b = table / table.sum(axis=1, keepdims=True)
    return [float(found.statistic), float(found.pvalue), float(np.sqrt(np.sum((a - b) ** 2 / (a + b)) / 2))]


def main():
    numbers = [{"x": x, "y": y, "is": numeric(sample(x), sample(y))} for x, y in pairs()]
    counted = []
    for p, q in categories():
        found = divergences(np.array(p), np.array(q))
        chi = chi_square(p, q)
        counted.append({"p": p, "q": q, "is": found | ({"chi_square": chi} if chi else {})})
    p_values = [[0.01, 0.04, 0.03, 0.005, 0.2], [1.0], [0.5, 0.5, 0.5], [1e-10, 0.9, 1e-3, 0.02, 0.021, 0.7]]
    bh = [{"p": p, "is": stats.false_discovery_control(p, method="bh").tolist()} for p in p_values]
    out = {"numeric": numbers, "counts": counted, "benjamini_hochberg": bh}
    (HERE / "two_sample.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")


main()

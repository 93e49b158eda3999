"""Writes analysis.json: what gbstats, ssrm-test and SciPy say of samples that the test makes alike. p-values of gbstats'
t tests are taken by SciPy's survival function where 1 - cdf would drop the tail."""

import json
import pathlib

import numpy as np

np.Inf = np.inf  # ssrm-test asks for it, newer NumPy has none

from gbstats.frequentist.tests import (
    FrequentistConfig, SequentialConfig, SequentialTwoSidedTTest, TwoSidedTTest,
)
from gbstats.models.statistics import (
    ProportionStatistic, RatioStatistic, RegressionAdjustedStatistic, SampleMeanStatistic,
)
from gbstats.utils import check_srm
from scipy import stats
from ssrm_test.ssrm_test import sequential_p_values
from statsmodels.stats.proportion import confint_proportions_2indep

HERE = pathlib.Path(__file__).parent


class Random:
    """SplitMix64."""

    def __init__(self, seed):
        self.state = seed

    def uniform(self):
        mask = (1 << 64) - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return ((z ^ (z >> 31)) >> 11) / (1 << 53)


def units(case, arm):
    """(y, x) per unit: x is a covariate or a denominator of at least 1."""
    random = Random(case["seed"] + arm)
    rows = []
    for _ in range(case["units"][arm]):
        u, v, w = random.uniform(), random.uniform(), random.uniform()
        if case["metric"] == "conversion":
            rows.append((1.0 if u < case["rates"][arm] else 0.0, 2.0 * v + u))
        elif case["metric"] == "ratio":
            x = 1.0 + np.floor(v * 6)
            rows.append((x * (u + case["shift"][arm]) + w, x))
        else:
            rows.append(((u + v - w) * case["scale"] + case["shift"][arm], v * 3.0))
    return rows


def statistic(case, rows):
    y, x = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    n = len(rows)
    if case["metric"] == "conversion":
        post = ProportionStatistic(n=n, sum=y.sum())
    else:
        post = SampleMeanStatistic(n=n, sum=y.sum(), sum_squares=(y * y).sum())
    pre = SampleMeanStatistic(n=n, sum=x.sum(), sum_squares=(x * x).sum())
    if case["metric"] == "ratio":
        return RatioStatistic(n=n, m_statistic=post, d_statistic=pre, m_d_sum_of_products=(x * y).sum()), None
    adjusted = RegressionAdjustedStatistic(n=n, post_statistic=post, pre_statistic=pre, post_pre_sum_of_products=(x * y).sum(), theta=0)
    return post, adjusted


def numbers(test):
    result = test.compute_result()
    assert result.error_message is None, result
    p = result.p_value
    if isinstance(test, TwoSidedTTest):
        p = 2 * stats.t.sf(abs(test.critical_value), test.dof)
        assert abs(p - result.p_value) < 1e-12
    return [float(v) for v in (result.expected, result.uplift.stddev, result.ci[0], result.ci[1], p)]


def compare(case):
    arms = [statistic(case, units(case, arm)) for arm in (0, 1)]
    out = {}
    for kind in (["raw"] if case["metric"] == "ratio" else ["raw", "cuped"]):
        for scale in ("absolute", "relative"):
            a, b = (arm[kind == "cuped"] for arm in arms)
            fixed = FrequentistConfig(difference_type=scale, alpha=case["alpha"], test_value=case["null"])
            sequential = SequentialConfig(difference_type=scale, alpha=case["alpha"], test_value=case["null"],
                                          sequential_tuning_parameter=case["tuning"])
            out[f"{kind}_{scale}_welch"] = numbers(TwoSidedTTest(a, b, fixed))
            out[f"{kind}_{scale}_sequence"] = numbers(SequentialTwoSidedTTest(a, b, sequential))
    return out


def two_proportions(case):
    (m, n), (c, t) = case["units"], [sum(r[0] for r in units(case, arm)) for arm in (0, 1)]
    table = [[c, m - c], [t, n - t]]
    return float(stats.chi2_contingency(table, correction=False).pvalue)


def msprt(m, n, var_a, var_b, difference, tau, alpha):
    """Johari et al. (2022): the normal mixture of likelihood ratios, integrated numerically."""
    from scipy.integrate import quad
    v = var_a / m + var_b / n
    def log_likelihood(theta):
        return stats.norm.logpdf(difference, theta, np.sqrt(v))
    def mixture(null):
        center = (difference * tau**2 + null * v) / (v + tau**2)
        spread = np.sqrt(v * tau**2 / (v + tau**2))
        f = lambda theta: np.exp(log_likelihood(theta) - log_likelihood(null)) * stats.norm.pdf(theta, null, tau)
        with np.errstate(over="ignore"):
            return quad(f, center - 12 * spread, center + 12 * spread, epsabs=0, epsrel=1e-12, limit=500)[0]
    ratio = mixture(0.0)
    from scipy.optimize import brentq
    width = brentq(lambda w: mixture(difference + w) - 1 / alpha, 0.01 * np.sqrt(v), 40 * np.sqrt(v), xtol=1e-14)
    return {"p_value": float(min(1, 1 / ratio)), "width": float(width)}


def paired(case):
    random = Random(case["seed"])
    labels, a, b = [], [], []
    for _ in range(case["rows"]):
        u, v, w, x = (random.uniform() for _ in range(4))
        label = u < case["rate"]
        base = (0.4 if label else 0.0) + 0.5 * v
        labels.append(label)
        a.append(np.floor((base + 0.1 * w) * case["levels"]) / case["levels"])
        b.append(np.floor((base + case["noise"] * x) * case["levels"]) / case["levels"])
    y, a, b = np.array(labels), np.array(a), np.array(b)
    def placed(s):
        pos, neg = s[y], s[~y]
        wins = (pos[:, None] > neg[None, :]) + 0.5 * (pos[:, None] == neg[None, :])
        return wins.mean(axis=1), wins.mean(axis=0)
    (va, wa), (vb, wb) = placed(a), placed(b)
    covariance = np.cov(np.stack([va, vb])) / len(va) + np.cov(np.stack([wa, wb])) / len(wa)
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    difference = vb.mean() - va.mean()
    out = {"auc": [float(va.mean()), float(vb.mean()), float(np.sqrt(variance)), float(2 * stats.norm.sf(abs(difference) / np.sqrt(variance)))]}
    def loss(s):
        return -np.log(np.clip(np.where(y, s, 1 - s), 1e-15, 1))
    for name, d in [("log_loss", loss(b) - loss(a)), ("brier", (b - y) ** 2 - (a - y) ** 2)]:
        found = stats.ttest_1samp(d, 0)
        interval = found.confidence_interval(0.95)
        out[name] = [float(d.mean()), float(interval.low), float(interval.high), float(found.pvalue)]
    return out


def off_policy(case):
    random = Random(case["seed"])
    rows = []
    for _ in range(case["rows"]):
        u, v, w, x = (random.uniform() for _ in range(4))
        propensity = 0.05 + 0.9 * u
        rows.append((w + x, propensity, 1.0 if v < propensity else 0.0, 0.9 * w, 0.4 + 0.1 * u))
    r, p, t, e, et = (np.array(c) for c in zip(*rows))
    weight = t / p
    def value(terms):
        return [float(terms.mean()), float(terms.std(ddof=1) / np.sqrt(len(terms)))]
    ratio = (weight * r).sum() / weight.sum()
    return {"ips": value(weight * r), "doubly_robust": value(et + weight * (r - e)),
            "self_normalised": [float(ratio), float(np.sqrt(((weight * (r - ratio)) ** 2).sum()) / weight.sum())]}


def evaluation(case):
    """Logged decisions of three arms with covariates: ridge regressions per arm, cross-fitted by unit, in NumPy."""
    random = Random(case["seed"])
    arms, unit, reward, propensity, x = [], [], [], [], []
    for at in range(case["rows"]):
        a, b, c, d, e = (random.uniform() for _ in range(5))
        p = np.array([1.0, 0.5 + a, 0.3 + b])
        p /= p.sum()
        arm = int(np.searchsorted(np.cumsum(p), c, side="right").clip(0, 2))
        arms.append(arm); unit.append(at // case["rows_of_unit"]); propensity.append(p[arm]); x.append([a, 1000 * b, 7.0])
        reward.append(a * arm + 0.5 * b + d - e)
    arms, unit, reward, propensity, x = map(np.array, (arms, unit, reward, propensity, x))
    z = x[:, x.std(axis=0) > 0]
    z = np.column_stack([np.ones(len(x)), (z - z.mean(axis=0)) / z.std(axis=0)])
    guesses = np.zeros((len(x), 3))
    for fold in range(case["folds"]):
        seen, held = unit % case["folds"] != fold, unit % case["folds"] == fold
        for arm in range(3):
            use = seen & (arms == arm)
            penalty = case["ridge"] * np.diag([0.0] + [1.0] * (z.shape[1] - 1))
            slopes = np.linalg.solve(z[use].T @ z[use] + penalty, z[use].T @ reward[use])
            guesses[held, arm] = z[held] @ slopes
    target = np.tile(case["target"], (len(x), 1))
    at = np.arange(len(x))
    weight = np.minimum(target[at, arms] / propensity, case["clip"] or np.inf)
    robust = (target * guesses).sum(axis=1) + weight * (reward - guesses[at, arms])
    def value(terms):
        """The mean of a row with units as clusters, by the delta method."""
        sums, rows = np.bincount(unit, terms), np.bincount(unit).astype(float)
        mean = sums.sum() / rows.sum()
        spread = np.cov(np.stack([sums, rows])) if len(sums) > 1 else np.zeros((2, 2))
        variance = (spread[0, 0] - 2 * mean * spread[0, 1] + mean**2 * spread[1, 1]) / rows.mean() ** 2
        return [float(mean), float(np.sqrt(variance / len(sums)))]
    ratio = (weight * reward).sum() / weight.sum()
    residual = np.bincount(unit, weight * (reward - ratio))
    return {"served": value(reward), "ips": value(weight * reward), "doubly_robust": value(robust), "gain": value(robust - reward),
            "self_normalised": [float(ratio), float(np.sqrt((residual**2).sum()) / weight.sum())],
            "effective_rows": float(weight.sum() ** 2 / (weight**2).sum()),
            "r_squared": float(1 - ((reward - guesses[at, arms]) ** 2).sum() / ((reward - reward.mean()) ** 2).sum())}


def share_interval(baseline, canary, alpha):
    """Newcombe (1998), method 10: canary less baseline."""
    found = confint_proportions_2indep(*canary, *baseline, method="newcomb", compare="diff", alpha=alpha)
    return [float(end) for end in found]


def cases():
    seed = 0
    for metric in ("mean", "conversion", "ratio"):
        for sizes in ([50, 40], [1000, 1200], [3000, 300]):
            for change in (0.0, 0.03, 0.2):
                seed += 100
                for alpha, tuning, null in ((0.05, 5000, 0.0), (0.01, 800, 0.02)):
                    case = {"metric": metric, "units": sizes, "seed": seed, "alpha": alpha, "tuning": tuning, "null": null}
                    case.update({"rates": [0.15, 0.15 + change]} if metric == "conversion" else {"shift": [1.0, 1.0 + change], "scale": 2.0})
                    yield case


def main():
    compared = [{**case, "expected": compare(case)} for case in cases()]
    proportions = [{**case, "p_value": two_proportions(case)} for case in cases() if case["metric"] == "conversion" and case["alpha"] == 0.05]
    ratios = [{"units": u, "shares": s, "p_value": float(check_srm(u, s))} for u, s in [
        ([5000, 5000], [0.5, 0.5]), ([5000, 5200], [0.5, 0.5]), ([5000, 5400], [0.5, 0.5]), ([890, 95, 130], [0.8, 0.1, 0.1]),
        ([100, 5, 5, 2], [9, 0.5, 0.5, 0.1]), ([0, 0], [1, 1]), ([1_000_000, 1_003_000], [1, 1])]]
    ratios += [{"units": u, "shares": s, "p_value": float(stats.chi2.sf(((np.array(u) - np.array(s) * sum(u)) ** 2 / (np.array(s) * sum(u))).sum(), len(u) - 1))}
               for u, s in [([9000, 10_000], [0.5, 0.5]), ([40_000, 60_000], [0.5, 0.5]), ([5000, 2600, 2000], [0.5, 0.25, 0.25])]]
    sequential = []
    for seed, shares, real, concentration in [(1, [0.5, 0.5], [0.5, 0.5], 10_000), (2, [0.5, 0.5], [0.46, 0.54], 10_000),
                                              (3, [0.7, 0.2, 0.1], [0.7, 0.2, 0.1], 500), (4, [0.7, 0.2, 0.1], [0.66, 0.21, 0.13], 10_000)]:
        rng = np.random.default_rng(seed)
        batches = [[int(v) for v in rng.multinomial(int(rng.integers(1, 900)), real)] for _ in range(40)]
        found = sequential_p_values(np.array(batches), np.array(shares), dirichlet_concentration=concentration)
        sequential.append({"shares": shares, "concentration": concentration, "batches": batches, "p_values": [float(p) for p in found]})
    mixture = [{"units": [m, n], "variances": [1.3, 0.7], "difference": d, "tau": tau, "alpha": alpha, **msprt(m, n, 1.3, 0.7, d, tau, alpha)}
               for m, n in [(50, 50), (1000, 400)] for d in [0.01, 0.15, 0.4] for tau in [0.05, 0.3] for alpha in [0.05, 0.001]]
    pairs = [{**case, "expected": paired(case)} for case in [
        {"seed": 11, "rows": 60, "rate": 0.4, "levels": 10, "noise": 0.2}, {"seed": 12, "rows": 900, "rate": 0.1, "levels": 1000, "noise": 0.3},
        {"seed": 13, "rows": 1500, "rate": 0.02, "levels": 100, "noise": 0.1}, {"seed": 14, "rows": 1500, "rate": 0.3, "levels": 100, "noise": 0.5}]]
    off = [{**case, "expected": off_policy(case)} for case in [{"seed": 21, "rows": 30}, {"seed": 22, "rows": 2000}]]
    evaluations = [{**case, "expected": evaluation(case)} for case in [
        {"seed": 31, "rows": 400, "rows_of_unit": 1, "folds": 5, "ridge": 1.0, "target": [0.0, 0.0, 1.0], "clip": None},
        {"seed": 32, "rows": 2000, "rows_of_unit": 4, "folds": 3, "ridge": 10.0, "target": [0.0, 0.4, 0.6], "clip": None},
        {"seed": 33, "rows": 2000, "rows_of_unit": 7, "folds": 2, "ridge": 0.01, "target": [0.0, 1.0, 0.0], "clip": 2.5}]]
    newcombe = [{"baseline": b, "canary": c, "alpha": alpha, "interval": share_interval(b, c, alpha)} for alpha in (0.05, 0.001)
                for b, c in [([0, 1000], [0, 900]), ([10, 1000], [30, 1000]), ([3, 50], [20, 5000]), ([0, 20], [20, 20])]]
    power = [[effect, error, alpha, float(stats.norm.sf(stats.norm.isf(alpha / 2) - effect / error) + stats.norm.cdf(-stats.norm.isf(alpha / 2) - effect / error))]
             for effect in (0.0, 0.1, 0.5) for error in (0.05, 0.2) for alpha in (0.05, 0.001)]
    out = {"compare": compared, "two_proportions": proportions, "sample_ratio": ratios, "sequential": sequential, "msprt": mixture,
           "paired": pairs, "off_policy": off, "power": power, "evaluation": evaluations, "newcombe": newcombe}
    (HERE / "analysis.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")


main()

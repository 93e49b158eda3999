"""Writes distribution.json: SciPy's survival functions over grids that reach far into the tails."""

import json
import pathlib

import numpy as np
from scipy import stats
from scipy.stats._hypotests import _cdf_cvm_inf

HERE = pathlib.Path(__file__).parent


def kolmogorov():
    """Statistics of n rows in units of 1 / sqrt(n), and at the ends of the range."""
    for n in [1, 2, 3, 5, 10, 20, 50, 139, 140, 141, 200, 500, 1000, 3999, 4001, 10_000, 50_000, 99_999, 100_001, 3_000_000]:
        for z in [0.15, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75, 0.868, 0.87, 1.0, 1.2, 1.4, 1.48, 1.49, 1.7, 1.99, 2.01, 3.0, 5.0, 8.0]:
            d = z / np.sqrt(n)
            if d < 1:
                yield [n, d, float(stats.kstwo.sf(d, n))]
        for d in [0.6 / n, 0.9 / n, 1 - 0.7 / n, 0.49, 0.5, 0.9]:
            yield [n, d, float(stats.kstwo.sf(d, n))]


def main():
    chi = [[x, df, float(stats.chi2.sf(x, df))]
           for df in [1, 2, 3, 4, 9, 30, 99, 1000] for x in [0, 1e-9, 0.01, 0.5, 1, 3.84, 10, 31, 95, 400, 990, 1200, 1500]]
    out = {
        "kolmogorov": [row for row in kolmogorov()],
        "chi_square": chi,
        "student_t": [[t, df, float(stats.t.sf(t, df))] for df in [1, 1.5, 2, 7.3, 39, 41, 300, 1e4, 123456.7, 1e6, 3e8]
                      for t in [-3, -0.2, 0, 1e-6, 0.1, 1, 1.96, 3, 6, 12, 35]],
        "student_t_isf": [[p, df, float(stats.t.isf(p, df))] for df in [1, 2.5, 30, 1000, 1e6]
                          for p in [0.5, 0.3, 0.025, 1e-3, 1e-8]],
        # From k successes on.
        "binomial": [[k, n, p, float(stats.binom.sf(k - 1, n, p))]
                     for n, p in [(1, 0.5), (12, 0.5), (100, 0.5), (1001, 0.5), (100, 0.008), (1_000_000, 0.5), (5000, 0.9)]
                     for k in sorted({0, 1, n // 10, int(n * p), int(n * p) + 1, int(n * p + 3 * (n * p * (1 - p)) ** 0.5), n})],
        "normal_isf": [[p, float(stats.norm.isf(p))] for p in [0.999, 0.5, 0.3, 0.025, 1e-3, 1e-12, 1e-100]],
        "normal": [[z, float(stats.norm.sf(z))] for z in [-9, -3, -0.5, 0, 1e-9, 0.3, 1, 1.96, 4, 8, 20, 37]],
        "cramer_von_mises": [[x, float(_cdf_cvm_inf(np.array([float(x)]))[0])]
                             for x in [0.003, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3473, 0.4614, 0.7435, 1.2, 2, 4, 9]],
    }
    (HERE / "distribution.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")


main()

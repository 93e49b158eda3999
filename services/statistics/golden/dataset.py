"""Writes dataset.json: the maximum mean discrepancy by its exact kernel (Gretton et al., 2012, equations 3 and 5)."""

import json
import pathlib

import numpy as np
from scipy.spatial.distance import cdist, pdist

from recipes import sample

HERE = pathlib.Path(__file__).parent


def standardise(x, y):
    columns = []
    for column in range(x.shape[1]):
        values = np.concatenate([x[:, column], y[:, column]])
        for one in (values, np.isnan(values).astype(float)):
            spread = np.nanstd(one)
            if spread > 0:
                columns.append(np.nan_to_num(np.clip((one - np.nanmean(one)) / spread, -10, 10)))
    z = np.stack(columns, axis=1)
    return z[: len(x)], z[len(x):]


def mmd(x, y, bandwidth):
    def kernel(a, b):
        return np.exp(-cdist(a, b, "sqeuclidean") / (2 * bandwidth**2))
    m, n = len(x), len(y)
    xx, yy, xy = kernel(x, x), kernel(y, y), kernel(x, y)
    biased = xx.mean() + yy.mean() - 2 * xy.mean()
    unbiased = (xx.sum() - m) / (m * (m - 1)) + (yy.sum() - n) / (n * (n - 1)) - 2 * xy.mean()
    return float(biased), float(unbiased)


def main():
    out = []
    shifts = [[0, 0, 0], [0.5, 0, 0], [0.3, 0.3, 0.3], [2, 0, 5]]
    for case, shift in enumerate(shifts):
        windows = []
        for window, rows in enumerate([300, 200]):
            windows.append([{"shape": shape, "n": rows, "seed": 1000 + 10 * case + 3 * window + column,
                             "shift": float(shift[column]) * window}
                            for column, shape in enumerate(["bell", "heavy", "integers"])])
        # Integers of 6 count as missing, in a shifted window those that were 6 before.
        x, y = (np.stack([sample(r) for r in w], axis=1) for w in windows)
        x[x[:, 2] == 6, 2] = np.nan
        y[y[:, 2] == 6 + shift[2], 2] = np.nan
        x, y = standardise(x, y)
        for bandwidth in [1.0, 3.0]:
            biased, unbiased = mmd(x, y, bandwidth)
            out.append({"x": windows[0], "y": windows[1], "missing": [6.0, 6.0 + shift[2]], "bandwidth": bandwidth,
                        "biased": biased, "unbiased": unbiased,
                        "median": float(np.median(pdist(np.concatenate([x, y]))))})
    (HERE / "dataset.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")


main()

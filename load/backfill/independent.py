"""The 15 features of the fraud application computed from their definition with NumPy, compared with what `millrace
backfill` wrote. Sums are of whole cents, so they are exact.

    python independent.py <folder with transactions.parquet, labels.parquet, features.parquet>

Needs numpy and pyarrow. Exit code 1 if a count differs, or an average or a risk by more than 1e-9 relative.
"""

import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

DAY = 86_400
DELAY = 7 * DAY
WINDOWS = (1, 7, 30)


def ints(table, column):
    return table[column].cast("int64").to_numpy()


def trailing(key, time, value, days, delay):
    """Count and sum of `value` over the rows of the same key in (t - delay - days, t - delay]. Rows are in the order of
    time; without a delay the row itself is the last that counts."""
    order = np.argsort(key, kind="stable")
    sorted_key, sorted_time = key[order], time[order]
    first = np.flatnonzero(np.r_[True, np.diff(sorted_key) != 0])
    count, total = np.empty(len(key), np.int64), np.empty(len(key), np.int64)
    for begin, end in zip(first, np.r_[first[1:], len(key)]):
        times, rows = sorted_time[begin:end], order[begin:end]
        prefix = np.r_[0, np.cumsum(value[rows])]
        last = np.searchsorted(times, times - delay, "right") if delay else np.arange(1, end - begin + 1)
        start = np.searchsorted(times, times - delay - days * DAY, "right")
        count[rows], total[rows] = last - start, prefix[last] - prefix[start]
    return count, total


def expected(transactions, labels):
    time = ints(transactions, "tx_time") // 1000
    amount = transactions["amount"].to_numpy()
    cents = np.rint(amount * 100).astype(np.int64)
    fraud = labels["fraud"].to_numpy(zero_copy_only=False)[np.argsort(ints(labels, "tx_id"))].astype(np.int64)
    # 1970-01-01 was a Thursday: day 2 was a Saturday.
    features = {
        "amount": amount,
        "weekend": (time // DAY % 7 >= 2) & (time // DAY % 7 <= 3),
        "night": time % DAY // 3600 <= 6,
    }
    for days in WINDOWS:
        count, total = trailing(ints(transactions, "customer_id"), time, cents, days, 0)
        features[f"customer_tx_{days}d"], features[f"customer_avg_{days}d"] = count, total / 100 / count
    for days in WINDOWS:
        count, total = trailing(ints(transactions, "terminal_id"), time, fraud, days, DELAY)
        features[f"terminal_tx_{days}d"] = count
        features[f"terminal_risk_{days}d"] = np.where(count > 0, total / np.maximum(count, 1), 0.0)
    return features


def main(folder):
    transactions, labels, written = (
        pq.read_table(folder / f"{name}.parquet") for name in ("transactions", "labels", "features")
    )
    assert len(written) == len(transactions) == len(labels), "a row for every payment"
    order = np.argsort(ints(written, "tx_id"))
    assert (ints(written, "tx_id")[order] == ints(transactions, "tx_id")).all(), "each payment once"
    wrong = 0
    for name, values in expected(transactions, labels).items():
        values = values.astype(np.float64)
        found = written[name].cast("float64").to_numpy(zero_copy_only=False)[order]
        relative = np.abs(found - values) / np.maximum(np.abs(values), 1e-300)
        relative[found == values] = 0.0
        exact = not any(part in name for part in ("avg", "risk"))
        differ = np.isnan(found) | (relative > (0.0 if exact else 1e-9))
        wrong += int(differ.sum())
        print(f"{name:18} rows that differ {differ.sum()}, largest relative difference {relative.max():.1e}")
    print(f"{len(transactions):,} payments, {wrong} differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

"""Two files of 100,000 rows each, of the 15 features alone, from days that are 20 days apart.

    python slices.py <folder with features.parquet>
"""

import sys
from pathlib import Path

import pyarrow.parquet as pq

ROWS = 100_000
FEATURES = 15

folder = Path(sys.argv[1])
table = pq.read_table(folder / "features.parquet")
names = table.column_names[-FEATURES:]
for name, first in (("reference", 500_000), ("current", 700_000)):
    pq.write_table(table.slice(first, ROWS).select(names), folder / f"{name}.parquet")

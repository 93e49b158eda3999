"""What Evidently needs for the same comparison: CPU-seconds, file reading included, imports excluded.

    python evidently_run.py reference.parquet current.parquet

Needs evidently 0.7.23, pandas, pyarrow. Prints CPU-seconds and the drift score of every column.
"""

import json
import sys
import time

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

begin = time.process_time()
reference, current = (pd.read_parquet(path) for path in sys.argv[1:3])
definition = DataDefinition(numerical_columns=list(reference.columns))
made = [Dataset.from_pandas(frame, data_definition=definition) for frame in (current, reference)]
result = Report([DataDriftPreset(num_method="wasserstein")]).run(*made)
found = result.dict()
seconds = time.process_time() - begin
scores = {}
for metric in found["metrics"]:
    name = metric.get("metric_name") or metric.get("metric_id", "")
    if "ValueDrift" in name:
        column = metric.get("config", {}).get("column") or name
        scores[column] = metric["value"]
print(json.dumps({"cpu_seconds": seconds, "scores": {k: float(v) for k, v in scores.items()}}))

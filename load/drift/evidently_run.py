"""Evidently's default drift report of two files: CPU-seconds, file reading included, imports excluded.

    python evidently_run.py reference.parquet current.parquet

Needs evidently 0.7.23, pandas, pyarrow. Prints CPU-seconds, and per column the method and the drift score.
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
result = Report([DataDriftPreset()]).run(*made)
found = result.dict()
seconds = time.process_time() - begin
columns = {}
for metric in found["metrics"]:
    config = metric.get("config", {})
    if "ValueDrift" in (metric.get("metric_name") or metric.get("metric_id", "")):
        columns[config.get("column")] = {"method": config.get("method"), "score": float(metric["value"])}
print(json.dumps({"cpu_seconds": seconds, "columns": columns}))

"""What windows of the live stream are compared with: a scored week of each of several streams, as `millrace drift reference`
and `millrace drift calibrate` make a reference and thresholds of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from payments import INPUTS, Stream, Tools, number, run

MODEL = "fraud-gbdt/1"
DAYS = 7
WRITTEN = ("reference.parquet", "quality.toml", "thresholds.toml")


def write_reference(
    tools: Tools, streams: list[tuple[Stream, np.datetime64]], score: Callable[[np.ndarray], np.ndarray], output: Path
) -> None:
    """Of each stream the days from the given one on. Streams share their payments' ids, so that rows get others."""
    files = []
    for stream, first in streams:
        tools.payments(stream)
        file = tools.work / f"reference-{stream.seed}.parquet"
        pq.write_table(scored(tools.folder(stream), first, stream.seed, score), file)
        files.append(file)
    # The commands write beside the model that the application deploys, from its own topic files.
    topics = tools.work / "topics"
    shutil.rmtree(topics, ignore_errors=True)
    shutil.copytree(tools.topics, topics / "topics")
    shutil.copytree(tools.topics.parent / "schemas", topics / "schemas", ignore=shutil.ignore_patterns("src", "tests"))
    beside = topics / "topics" / "fraud" / "models" / MODEL
    for name in WRITTEN:
        (beside / name).unlink(missing_ok=True)
    where = ["--topics", topics / "topics", "fraud", "--model", MODEL]
    inputs = [word for file in files for word in ("--input", file)]
    columns = ["--score", "score", "--label", "fraud", "--label-time", "label_time"]
    run(tools.millrace, "drift", "reference", *where, *inputs, *columns)
    run(tools.millrace, "drift", "calibrate", *where)
    for name in WRITTEN:
        shutil.copy(beside / name, output / name)
    print(f"wrote {output}: {', '.join(WRITTEN)}")


def scored(folder: Path, first: np.datetime64, seed: int, score: Callable[[np.ndarray], np.ndarray]) -> pa.Table:
    """The features of some days, with score, label and when the label came."""
    features = pq.read_table(folder / "features.parquet")
    labels = pq.read_table(folder / "labels.parquet", columns=["tx_id", "fraud", "label_time"])
    labels = labels.take(pa.array(np.argsort(number(labels["tx_id"]))))
    time = features["tx_time"]
    begin, end = (pa.scalar(day.astype("datetime64[ms]").item(), pa.timestamp("ms")).cast(time.type) for day in (first, first + DAYS))
    rows = features.filter(pc.and_(pc.greater_equal(time, begin), pc.less(time, end)))
    ids = pa.array(number(rows["tx_id"]))
    matrix = np.column_stack([rows[name].cast(pa.float64()).to_numpy().astype(np.float32) for name in INPUTS])
    rows = rows.append_column("score", pa.array(score(matrix).astype(np.float64)))
    for name in ("fraud", "label_time"):
        rows = rows.append_column(name, labels[name].take(ids))
    names = pa.array([f"{seed}-{tx_id}" for tx_id in ids.to_pylist()])
    return rows.set_column(rows.schema.get_field_index("tx_id"), "tx_id", names)

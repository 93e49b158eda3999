"""Generated payments with the features that the live system computes of them: `millrace-load` makes the payments,
`millrace backfill` runs the application's own feature SQL over them."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

INPUTS = [
    "amount",
    "weekend",
    "night",
    "customer_tx_1d",
    "customer_avg_1d",
    "customer_tx_7d",
    "customer_avg_7d",
    "customer_tx_30d",
    "customer_avg_30d",
    "terminal_tx_1d",
    "terminal_risk_1d",
    "terminal_tx_7d",
    "terminal_risk_7d",
    "terminal_tx_30d",
    "terminal_risk_30d",
]
REPOSITORY = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Stream:
    """A stream of the published size: a first day (UTC) and a seed."""

    start: str
    seed: int
    days: int = 183

    def day(self, day: int) -> np.datetime64:
        """The day that comes `day` days after the first."""
        return np.datetime64(self.start, "D") + day

    def number(self, date: str) -> int:
        """The inverse of `day`."""
        return int((np.datetime64(date, "D") - np.datetime64(self.start, "D")).astype(int))


@dataclass(frozen=True)
class Payments:
    """Rows by ascending time. features: float32 [rows, 15], as models take them; day counts from the stream's first."""

    features: np.ndarray
    fraud: np.ndarray
    day: np.ndarray
    customer: np.ndarray

    def where(self, mask: np.ndarray) -> Payments:
        return Payments(self.features[mask], self.fraud[mask], self.day[mask], self.customer[mask])

    def days(self, first: int, last: int) -> Payments:
        """The payments of days first..last, both included."""
        return self.where((self.day >= first) & (self.day <= last))


@dataclass(frozen=True)
class Tools:
    """The binaries, and a folder for what they write."""

    load: Path
    millrace: Path
    topics: Path
    work: Path

    def folder(self, stream: Stream) -> Path:
        """Where a stream's files are."""
        return self.work / f"{stream.start}-{stream.days}-{stream.seed}"

    def payments(self, stream: Stream) -> Payments:
        """Generates a stream, unless it is in the work folder, and reads its rows with their features."""
        folder = self.folder(stream)
        features = folder / "features.parquet"
        if not features.exists():
            sources = [folder / f"{source}.parquet" for source in ("transactions", "labels")]
            generate = ["generate", "--to", "parquet", "--dir", folder, "--start", stream.start]
            run(self.load, *generate, "--days", stream.days, "--seed", stream.seed)
            inputs = [word for source in sources for word in ("--input", f"{source.stem}={source}")]
            partial = folder / "features.partial"
            run(self.millrace, "backfill", "--topics", self.topics, "fraud", "features", *inputs, "--output", partial)
            partial.rename(features)
        return read(stream, features, folder / "labels.parquet")


def run(*command: object) -> None:
    print("+", *command, flush=True)
    subprocess.run([str(word) for word in command], check=True)


def find(name: str) -> Path:
    """A binary of the project: the release build, else the debug build, else on PATH."""
    target = REPOSITORY / (os.environ.get("CARGO_TARGET_DIR") or "target")
    built = [target / profile / name for profile in ("release", "debug")]
    on_path = shutil.which(name)
    for path in [*built, *([Path(on_path)] if on_path else [])]:
        if path.exists():
            return path
    raise SystemExit(f"there is no {name}: run `cargo build --release -p {name}`, or say where it is (--help)")


def read(stream: Stream, features: Path, labels: Path) -> Payments:
    table = pq.read_table(features, columns=["tx_id", "tx_time", "customer_id", *INPUTS])
    outcome = pq.read_table(labels, columns=["tx_id", "fraud"])
    tx_id = number(table["tx_id"])
    order = np.argsort(tx_id)
    by_id = np.argsort(number(outcome["tx_id"]))
    fraud = outcome["fraud"].to_numpy(zero_copy_only=False)[by_id]
    if len(fraud) != len(tx_id) or (tx_id[order] != np.arange(len(tx_id))).any():
        raise SystemExit(f"{features} does not hold each payment of {labels} once")
    matrix = np.column_stack([table[name].cast(pa.float64()).to_numpy() for name in INPUTS])
    day = table["tx_time"].cast(pa.int64()).to_numpy() // 86_400_000
    first = np.datetime64(stream.start, "D").astype(int)
    return Payments(
        features=matrix.astype(np.float32)[order],
        fraud=fraud,
        day=day[order] - first,
        customer=number(table["customer_id"])[order],
    )


def number(ids: pa.ChunkedArray) -> np.ndarray:
    return ids.cast(pa.int64()).to_numpy()

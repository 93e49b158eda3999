"""Millrace's window methods as they are without calibration, on the streams of `millrace-load detectors table`: each 1,000
rows against the first 1,000, as Evidently is measured by services/statistics/golden/detectors/river_table.py.

    cargo build --release -p millrace && python3 load/drift/windows.py [binary]        needs numpy

Prints rows of that table. A window alarms where `millrace drift compare` says that column x drifted.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(REPOSITORY / "services" / "statistics" / "golden" / "detectors"))

from river_table import KINDS, SEEDS, line  # noqa: E402

WINDOW = 1000


def alarms(binary: Path, folder: Path, stream: list[float]) -> list[int]:
    def write(name: str, values: list[float]) -> Path:
        path = folder / name
        path.write_text("x\n" + "".join(f"{value!r}\n" for value in values))
        return path

    reference, found = write("reference.csv", stream[:WINDOW]), []
    for start in range(WINDOW, len(stream), WINDOW):
        current = write("current.csv", stream[start : start + WINDOW])
        words = [binary, "drift", "compare", "--reference", reference, "--current", current, "--json"]
        said = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
        if "x" in said["drifted_columns"]:
            found.append(start + WINDOW - 1)
    return found


def main() -> None:
    binary = Path(sys.argv[1] if len(sys.argv) > 1 else REPOSITORY / "target" / "release" / "millrace")
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            line("Millrace, windows of 1,000, not calibrated", kind, lambda stream: alarms(binary, Path(folder), stream), SEEDS)


if __name__ == "__main__":
    main()

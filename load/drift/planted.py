"""What the drift service says of the fraud stream with planted changes, through the whole demo (no Kafka needed).

    cargo build --release -p millrace && python3 load/drift/planted.py            # all changes, seed 42; about ten minutes in a debug build
    python3 load/drift/planted.py --changes none --transactions 2000000 --seeds 1 2 3  # the unchanged stream, 183 days

Prints one row per run: from which day on the change can be seen in the log (labels come 6 days after their payment), what
the gravest cause was that names it, in which window after the change (1: the first one; outcomes are judged a week after
their window, when its labels have come), and causes that belong to no change. Each change must be named in window 1 or 2.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
START = datetime.date(2018, 4, 1)
# A payment's label comes so many days after it.
LABEL_DELAY = 6


@dataclass(frozen=True)
class Planted:
    """A change: what names it, what else comes of it, and after how many days it can be seen in the log."""

    named: str
    belongs: str
    delay: int = 0


OUTCOMES = r"|.* of predictions|score|average_precision|auc_roc|precision|recall"
# A root is written as the report says it: `amount in country=DE`, `arrivals of labels`.
CHANGES = {
    "amounts": Planted(r"amount in country=DE", r"(amount|customer_avg_\d+d)( in .*)?" + OUTCOMES),
    "terminals": Planted(r"terminal_id", r"(terminal_\w+)( in .*)?" + OUTCOMES),
    "pattern": Planted(
        r"average_precision|auc_roc|precision|recall", r"(terminal_risk_\d+d|amount|customer_avg_\d+d)( in .*)?" + OUTCOMES, LABEL_DELAY
    ),
    "labels": Planted(r"arrivals of labels", r"terminal_risk_\d+d( in .*)?" + OUTCOMES),
    "serving": Planted(r"customer_avg_7d( in country=DE)?", r"customer_avg_7d( in .*)?" + OUTCOMES),
    "none": Planted(r"(?!)", r"(?!)"),
}


def main() -> None:
    args = arguments()
    print("| change | seed | can be seen from | gravest cause | in window after the change | causes of no change | windows judged |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for change in args.changes:
        for seed in args.seeds:
            print(row(change, seed, run(args, change, seed), args.verbose), flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--changes", nargs="+", choices=list(CHANGES), default=list(CHANGES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[42])
    parser.add_argument("--transactions", type=int, default=660_000, help="payments a run: 9,600 a day")
    parser.add_argument("--millrace", type=Path, help="the binary (default: release, else debug, of CARGO_TARGET_DIR or target)")
    parser.add_argument("--keep", type=Path, help="a folder for what every run said, as JSON")
    parser.add_argument("--verbose", action="store_true", help="print every cause that belongs to no change")
    return parser.parse_args()


def binary(given: Path | None) -> Path:
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    found = [path for path in (given, target / "release" / "millrace", target / "debug" / "millrace") if path and path.exists()]
    if not found:
        raise SystemExit("no binary millrace: cargo build --release -p millrace")
    return found[0]


def run(args: argparse.Namespace, change: str, seed: int) -> dict:
    words = ["--topics", str(REPOSITORY / "topics"), "--transactions", str(args.transactions), "--seed", str(seed)]
    command = [str(binary(args.millrace)), "demo", *words, "--change", change, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    summary = json.loads(done.stdout.splitlines()[-1])
    said = {"change_day": summary.get("change_day"), **summary["drift"]}
    if args.keep:
        args.keep.mkdir(parents=True, exist_ok=True)
        (args.keep / f"{change}-{seed}.json").write_text(json.dumps(said, indent=1))
    return said


def day(text: str) -> int:
    return (datetime.date.fromisoformat(text) - START).days


def row(change: str, seed: int, said: dict, verbose: bool) -> str:
    planted, begins = CHANGES[change], said["change_day"]
    named = [root for root in said["roots"] if is_of(planted.named, root, begins) and root["rank"] == 1]
    first = min(named, key=lambda root: root["window"], default=None)
    others = other_causes(said["roots"], planted, begins)
    if verbose:
        for root in others:
            print("    ", change, seed, root["window"], root["rank"], root["what"], f"{root['severity']:.2f}", root["detail"])
    cells = [
        change,
        seed,
        "-" if begins is None else f"day {begins + planted.delay}",
        "-" if first is None else f"{first['what']} ({first['severity']:.1f} x threshold)",
        "-" if first is None else day(first["window"]) - begins + 1,
        "; ".join(f"{root['what']} (day {day(root['window'])})" for root in others) or "none",
        said["windows"],
    ]
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def is_of(pattern: str, root: dict, begins: int | None) -> bool:
    return begins is not None and day(root["window"]) >= begins and re.fullmatch(pattern, root["what"]) is not None


def other_causes(roots: list[dict], planted: Planted, begins: int | None) -> list[dict]:
    """Causes that belong to no planted change, each once, as an alarm is: two quiet windows close it."""
    found, known = [], {}
    for root in roots:
        at, about = day(root["window"]), (root["topic"], root["what"])
        if is_of(planted.named, root, begins) or is_of(planted.belongs, root, begins):
            continue
        if known.get(about, -9) < at - 2:
            found.append(root)
        known[about] = at
    return found


if __name__ == "__main__":
    main()

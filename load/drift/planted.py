"""What the drift service says of the fraud stream with planted changes, through the whole demo (no Kafka needed).

    cargo build --release -p millrace && python3 load/drift/planted.py            # all changes, seed 42; about ten minutes in a debug build
    python3 load/drift/planted.py --changes none --transactions 2000000 --seeds 1 2 3  # the unchanged stream, 183 days

Prints one row per run: when the change can be seen in the log, the first window whose gravest cause names it, how many
windows that is after it can be seen, and causes that belong to no change (of windows before it all, of windows after
it those that are not at rank 1 what was planted or go with it). The first two windows that end after the change can be
seen must have it at rank 1.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
START = datetime.date(2018, 4, 1)
JUDGED_FROM = 45
# A payment's label comes so many days after it; windows of outcomes are judged a week after their end.
LABEL_DELAY, MATURITY = 6, 7


def names_amounts(root: dict) -> bool:
    return root["what"] == "amount in country=DE"


def names_terminals(root: dict) -> bool:
    return root["what"].startswith("terminal_id")


def names_pattern(root: dict) -> bool:
    return root["subject"] in ("performance", "estimate")


def names_labels(root: dict) -> bool:
    return root["subject"] == "labels"


# Per change: what names it, after how many days it is visible in the log, and how long after a window's last row the
# window is judged, in days.
CHANGES = {
    "amounts": (names_amounts, 0),
    "terminals": (names_terminals, 0),
    "pattern": (names_pattern, LABEL_DELAY),
    "labels": (names_labels, 0),
    "none": (lambda root: False, 0),
}


def main() -> None:
    args = arguments()
    print("| change | seed | visible from | named by | in window | windows after | other causes | windows judged |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
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
    words = ["--topics", os.environ.get("MILLRACE_TOPICS", str(REPOSITORY / "topics")), "--transactions", str(args.transactions), "--seed", str(seed)]
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


def ended(root: dict) -> int:
    """The day at whose beginning the window was judged: outcomes wait for their labels."""
    waits = MATURITY if root["subject"] in ("performance", "estimate", "fairness") else 0
    return day(root["window"]) + 1 + waits


def row(change: str, seed: int, said: dict, verbose: bool) -> str:
    names, delay = CHANGES[change]
    begins = said["change_day"]
    visible = None if begins is None else begins + delay
    named = [root for root in said["roots"] if root["rank"] == 1 and names(root) and day(root["window"]) >= begins]
    first = min(named, key=ended, default=None)
    others = other_causes(said["roots"], names, begins)
    if verbose:
        for root in others:
            print("    ", change, seed, root["window"], root["rank"], root["what"], f"{root['severity']:.2f}", root["detail"])
    cells = [
        change,
        seed,
        "-" if visible is None else f"day {visible}",
        "-" if first is None else first["what"],
        "-" if first is None else f"day {ended(first) - 1}" + ("" if ended(first) == day(first["window"]) + 1 else f", of payments of day {day(first['window'])}"),
        "-" if first is None else ended(first) - visible,
        "; ".join(f"{root['what']} (day {day(root['window'])})" for root in others) or "none",
        said["windows"],
    ]
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def other_causes(roots: list[dict], names, begins: int | None) -> list[dict]:
    """Causes that belong to no planted change: each once, as an alarm is."""
    found, known = [], {}
    for root in roots:
        at, about = day(root["window"]), (root["topic"], root["what"])
        if begins is not None and at >= begins and names(root):
            continue
        if known.get(about, -9) < at - 2:
            found.append(root)
        known[about] = at
    return found


if __name__ == "__main__":
    main()

"""Millrace and Evidently on the same two files, three runs each.

    python beside.py <millrace> evidently_run.py reference.parquet current.parquet

CPU-seconds are user and system time. Of Millrace they are the whole process's, its start included.
"""

import json
import math
import os
import subprocess
import sys

RUNS = 3
METHODS = {"Wasserstein distance (normed)": "wasserstein_normed", "Jensen-Shannon distance": "js"}
# Evidently's logarithm is natural, Millrace's is to base 2, so that 1 is the most.
UNIT = {"js": math.sqrt(math.log(2))}

millrace, script, reference, current = sys.argv[1:5]
# Some machines choose kernels for NumPy that slow it down.
plain = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}


def run(*command):
    """What a command prints, and the CPU-seconds that it took."""
    before = os.times()
    out = subprocess.run(command, check=True, capture_output=True, text=True, env=plain).stdout
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return json.loads(out.splitlines()[-1]), spent


def ours(*options):
    command = (millrace, "drift", "compare", "--reference", reference, "--current", current, "--json")
    return run(*command, *options)


def shown(seconds):
    return f"{min(seconds):.3f} CPU-seconds ({', '.join(f'{s:.3f}' for s in seconds)})"


evidently = [run(sys.executable, script, reference, current)[0] for _ in range(RUNS)]
theirs = evidently[0]["columns"]
same = [ours("--only") for _ in range(RUNS)]
whole = [ours() for _ in range(RUNS)]

print(f"{'column':20} {'method':20} {'evidently':>14} {'millrace':>14} {'difference':>11}")
worst = 0.0
for figure in same[0][0]["columns"]:
    name, method = figure["column"], figure["method"]
    score = figure["statistic"] * UNIT.get(method, 1)
    their = theirs[name]
    assert METHODS.get(their["method"], their["method"]) == method, (name, their["method"], method)
    worst = max(worst, abs(score - their["score"]))
    print(f"{name:20} {method:20} {their['score']:14.10f} {score:14.10f} {abs(score - their['score']):11.1e}")
assert len(same[0][0]["columns"]) == len(theirs) and worst < 1e-9, worst

least = min(run["cpu_seconds"] for run in evidently)
print(f"\nEvidently, its default tests:       {shown([run['cpu_seconds'] for run in evidently])}")
for what, runs in (("Millrace, the same tests:           ", same), ("Millrace, its whole default set-up: ", whole)):
    seconds = [spent for _, spent in runs]
    print(f"{what}{shown(seconds)}, {least / min(seconds):.0f} times less")

"""Writes assignment.json: buckets and variations of the package `growthbook` for units that the test makes alike."""

import json
import pathlib

from growthbook.core import chooseVariation, gbhash, getBucketRanges

HERE = pathlib.Path(__file__).parent
SEEDS = ["", "checkout", "fraud/v3#1", "Größe", "実験", "🧪", "__ns"]
SHAPES = ["{}", "user-{}", "Zoë {}", "顧客{}", "👩‍🚀{}", "é́{}", "\u0000{}", "{} \t"]
RULES = [(2, 1.0, None), (3, 1.0, None), (2, 0.37, [0.9, 0.1]), (3, 0.5, [0.3333, 0.3333, 0.3334]), (4, 0.91, [0.7, 0.1, 0.1, 0.1])]


def units():
    for at in range(10_000):
        yield SEEDS[at % len(SEEDS)], SHAPES[at % len(SHAPES)].format(at * 7919)


def main():
    buckets = [round(gbhash(seed, unit, 2) * 10_000) for seed, unit in units()]
    # Enough to tell in which 500 units a difference lies.
    checksums = [sum((at + 1) * bucket for at, bucket in enumerate(buckets[start:start + 500])) for start in range(0, 10_000, 500)]
    arms = []
    for count, coverage, weights in RULES:
        ranges = getBucketRanges(count, coverage, weights)
        arms.append({"coverage": coverage, "weights": weights or [1 / count] * count,
                     "ends": [chooseVariation(bucket / 10_000, ranges) for bucket in range(0, 10_000, 7)],
                     "counts": [sum(chooseVariation(bucket / 10_000, ranges) == arm for bucket in range(10_000)) for arm in range(count)]})
    out = {"seeds": SEEDS, "shapes": SHAPES, "first": buckets[:500], "checksums": checksums, "arms": arms}
    (HERE / "assignment.json").write_text(json.dumps(out, separators=(",", ":"), ensure_ascii=True) + "\n")


main()

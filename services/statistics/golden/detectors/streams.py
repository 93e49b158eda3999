"""Seeded streams, the same bits as src/detectors/stream.rs: SplitMix64 and operations that IEEE 754 rounds exactly."""

import numpy as np

PARETO_STD = 0.4714045207910317
GAMMA = 0x9E3779B97F4A7C15


class Random:
    """SplitMix64, drawn in blocks: its n-th number depends on the seed and n alone."""

    def __init__(self, seed: int):
        self.state = seed

    def bits(self, n: int) -> np.ndarray:
        steps = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(GAMMA)
        z = np.uint64(self.state) + steps
        self.state = (self.state + n * GAMMA) % 2**64
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))

    def uniform(self, n: int) -> np.ndarray:
        return (self.bits(n) >> np.uint64(11)).astype(np.float64) / 2.0**53

    def normal(self, n: int) -> np.ndarray:
        draws = self.uniform(12 * n).reshape(n, 12)
        total = np.zeros(n)
        for column in range(12):
            total = total + draws[:, column]
        return total - 6.0

    def below(self, n: int) -> int:
        return int(self.bits(1)[0]) % n

    def one_of(self, choices):
        return choices[self.below(len(choices))]


def values(seed: int, segments: list) -> list[float]:
    """segments: [rows, process, parameters...] one after another."""
    random = Random(seed)
    before = None
    out: list[float] = []
    for rows, process, *p in segments:
        if process == "gaussian":
            drawn = random.normal(rows) * p[1] + p[0]
        elif process == "pareto":
            drawn = 1.0 / np.sqrt(np.sqrt(1.0 - random.uniform(rows))) + p[0]
        elif process == "bernoulli":
            drawn = (random.uniform(rows) < p[0]).astype(np.float64)
        elif process == "uniform":
            drawn = p[0] + (p[1] - p[0]) * random.uniform(rows)
        elif process == "autoregressive":
            drawn = []
            for fresh in random.normal(rows).tolist():
                before = fresh if before is None else p[1] * before + np.sqrt(1.0 - p[1] * p[1]).item() * fresh
                drawn.append(before + p[0])
        else:
            raise ValueError(process)
        out.extend(np.asarray(drawn).tolist())
    return out

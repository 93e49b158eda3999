"""Samples that Python and Rust (tests/common/recipes.rs) make alike, bit for bit, so that golden files hold no data."""

import numpy as np

MASK = (1 << 64) - 1


def uniforms(seed, n):
    """SplitMix64 (Steele, Lea and Flood, 2014), the upper 53 bits as a double in [0, 1)."""
    state = (np.uint64(seed) + np.uint64(0x9E3779B97F4A7C15) * np.arange(1, n + 1, dtype=np.uint64))
    z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53


def sample(recipe):
    """{shape, n, seed, scale, shift}: only operations whose result IEEE 754 fixes."""
    shape, n, seed = recipe["shape"], recipe["n"], recipe["seed"]
    if shape == "values":
        return np.array(recipe["values"], dtype=np.float64)
    u = uniforms(seed, 4 * n).reshape(n, 4)
    base = {
        "uniform": lambda: u[:, 0],
        "bell": lambda: ((u[:, 0] + u[:, 1]) + (u[:, 2] + u[:, 3])) - 2.0,
        "heavy": lambda: 1.0 / (1.0 - u[:, 0]),
        "integers": lambda: np.floor(u[:, 0] * 7.0),
        "binary": lambda: np.where(u[:, 0] < 0.3, 1.0, 0.0),
        "constant": lambda: np.zeros(n),
    }[shape]()
    return base * recipe.get("scale", 1.0) + recipe.get("shift", 0.0)

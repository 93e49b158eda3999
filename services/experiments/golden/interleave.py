"""Writes interleave.json: probabilities of interleaved lists by full enumeration of the published definitions, the
policy-aware credit of balanced lists, and the optimum of optimized interleaving by SciPy's linear programming."""

import itertools
import json
import pathlib
from collections import defaultdict
from fractions import Fraction
from math import log2

import numpy as np
from scipy.optimize import linprog

HERE = pathlib.Path(__file__).parent


def team_draft(rankings, length):
    """Radlinski et al. (2008); Schuth et al. (2014) for more rankers: {(items, teams): probability}."""
    out = defaultdict(Fraction)

    def go(shown, waiting, probability):
        if len(shown) == length:
            out[tuple(shown)] += probability
            return
        if not waiting:
            waiting = tuple(range(len(rankings)))
        for team in waiting:
            rest = tuple(t for t in waiting if t != team)
            left = [i for i in rankings[team] if i not in [s[0] for s in shown]]
            more = [(left[0], team)] if left else []
            go(shown + more, rest, probability / len(waiting))

    go([], (), Fraction(1))
    return out


def balanced(rankings, length):
    out = defaultdict(Fraction)
    a, b = rankings
    for first in (0, 1):
        shown, k = [], [0, 0]
        while len(shown) < length:
            turn = first if k[first] <= k[1 - first] else 1 - first
            if k[turn] >= len(rankings[turn]):
                turn = 1 - turn
            item = rankings[turn][k[turn]]
            k[turn] += 1
            if item not in shown:
                shown.append(item)
        out[tuple((i, None) for i in shown)] += Fraction(1, 2)
    return out


def debiased(rankings, length):
    """Oosterhuis and de Rijke (2020), policy-aware inverse propensity: a click on item d earns a ranker lambda(d) / rho(d),
    lambda the chance that d is looked at where the ranker puts it, rho the same over the lists that the policy shows,
    rho(d) = sum over lists R of P(R) P(looked at | position of d in R). Chances of positions are those of DCG.
    Counted are the first k of both rankings, k the greatest such that every list shows them all."""
    policy = {tuple(item for item, _ in key): float(p) for key, p in balanced(rankings, length).items()}
    items = sorted({item for ranking in rankings for item in ranking})
    looked = lambda position: 1 / np.log2(position + 2)
    places = np.array([[looked(shown.index(item)) if item in shown else 0.0 for item in items] for shown in policy])
    rho = np.array(list(policy.values())) @ places
    always = {item for item, chances in zip(items, places.T) if (chances > 0).all()}
    depth = min(sum(1 for _ in itertools.takewhile(always.__contains__, ranking)) for ranking in rankings)
    counted = [ranking[:depth] for ranking in rankings]
    own = np.array([[looked(r.index(item)) if item in r else 0.0 for r in counted] for item in items])
    credit = own / np.where(rho > 0, rho, 1.0)[:, None]
    # Whatever items are worth, looks in proportion to the positions' chances earn each ranker what it would have alone.
    assert np.allclose(credit * rho[:, None], own, rtol=0, atol=1e-15)
    return [[list(shown), [credit[items.index(item)].tolist() for item in shown]] for shown in sorted(policy)]


def probabilistic(rankings, length):
    """Hofmann et al. (2011), tau = 3; the team is summed out."""
    out, credit = defaultdict(Fraction), {}

    def softmax(ranking, shown):
        weights = {i: Fraction(1, (r + 1) ** 3) for r, i in enumerate(ranking) if i not in shown}
        total = sum(weights.values())
        return {i: w / total for i, w in weights.items()}

    def go(shown, probability, credits):
        if len(shown) == length:
            out[tuple((i, None) for i in shown)] += probability
            credit[tuple(shown)] = credits
            return
        tables = [softmax(r, shown) for r in rankings]
        able = [t for t in tables if t]
        for item in sorted({i for t in able for i in t}):
            given = [t.get(item, Fraction(0)) for t in tables]
            go(shown + [item], probability * sum(given) / len(able), credits + [[g / sum(given) for g in given]])

    go([], Fraction(1), [])
    return out, credit


def optimized(rankings, top):
    a, b = rankings

    def delta(item):
        inverse = [1 / ((r.index(item) if item in r else len(r)) + 1) for r in rankings]
        return inverse[0] - inverse[1]

    lists = [[]]
    for _ in range(top):
        lists = [l + [i] for l in lists for i in dict.fromkeys(next(x for x in r if x not in l) for r in rankings)]
    sensitivity = []
    for l in lists:
        f = np.array([1 / (i + 1) for i in range(top)])
        f /= f.sum()
        d = np.array([delta(i) for i in l])
        wins = [f[d > 0].sum(), f[d < 0].sum()]
        sensitivity.append(sum(-w * log2(w / sum(wins)) for w in wins if w > 0))
    equal = [[1.0] * len(lists)]
    for k in range(1, top + 1):
        equal.append([sum(delta(i) for i in l[:k]) for l in lists])
    found = linprog(-np.array(sensitivity), A_eq=equal, b_eq=[1.0] + [0.0] * top, bounds=(0, None), method="highs")
    assert found.success, (rankings, found.message)
    return {"lists": len(lists), "sensitivity": -found.fun}


def rows(distribution, teams):
    return [[[i for i, _ in key], [t for _, t in key] if teams else None, float(p)] for key, p in sorted(distribution.items(), key=str)]


CASES = [
    ([[1, 2, 3, 4], [2, 1, 4, 3]], 4),
    ([[1, 2, 3, 4], [1, 2, 4, 3]], 4),
    ([[1, 2, 3], [4, 5, 6]], 4),
    ([[1, 2, 3, 4, 5], [5, 2]], 5),
    ([[1, 2, 3], [3, 2, 1]], 2),
]
MANY = [([[1, 2, 3], [2, 3, 1], [3, 1, 2]], 3), ([[1, 2, 3, 4], [4], [2, 5, 1]], 5)]


def main():
    out = []
    for rankings, length in CASES + MANY:
        case = {"rankings": rankings, "length": length, "team_draft": rows(team_draft(rankings, length), True)}
        found, credit = probabilistic(rankings, length)
        case["probabilistic"] = rows(found, False)
        case["credit"] = [[list(k), [[float(x) for x in c] for c in v]] for k, v in sorted(credit.items())]
        if len(rankings) == 2:
            case["balanced"] = rows(balanced(rankings, length), False)
            case["debiased_balanced"] = debiased(rankings, length)
        out.append(case)
    rng = np.random.default_rng(7)
    best = []
    for case in range(24):
        size = int(rng.integers(3, 12))
        a = [int(x) for x in rng.permutation(size)]
        b = [int(x) for x in (rng.permutation(size) if case % 2 else np.argsort(np.argsort(a) + rng.normal(0, 2, size)))]
        best.append({"rankings": [a, b], **optimized([a, b], min(size, 8))})
    more, rng = [], np.random.default_rng(11)
    for _ in range(40):
        # Rankings of parts of one set, of other lengths, in lists that are shorter or longer than they are.
        size = int(rng.integers(2, 9))
        pair = [[int(x) for x in rng.permutation(size)[: int(rng.integers(1, size + 1))]] for _ in range(2)]
        length = int(rng.integers(1, len({x for ranking in pair for x in ranking}) + 1))
        more.append({"rankings": pair, "length": length, "debiased_balanced": debiased(pair, length)})
    golden = {"lists": out, "debiased": more, "optimized": best}
    (HERE / "interleave.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


main()

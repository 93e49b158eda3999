"""Trains the rankers of the ranking application and writes them beside this file: model.onnx and model.toml each.

In the project's folder, with Python 3.11 or newer (about a minute):

    cargo build --release -p millrace-load
    python3 -m venv target/venv
    target/venv/bin/pip install -r topics/ranking/models/requirements.txt
    target/venv/bin/python topics/ranking/models/train.py

It overwrites the committed models, with the same bytes as long as generator and versions are the same.

    popularity/1  what was chosen often lately, nothing else
    relevance/1   logistic regression on text match and popularity
    relevance/2   logistic regression on everything that is known, freshness in the evening on its own

The target is whether a judge finds a candidate relevant (grade 1 or 2), of requests of another seed than any demo shows
(42 by default). `ndcg_10` in model.toml is measured on requests of a third seed: the rankers' quality is known, so that
experiments between them have a right answer.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pyarrow.parquet as pq
from onnx import TensorProto, checker, helper, numpy_helper

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
TRAINING_SEED, TEST_SEED = 1001, 1002
SESSIONS = 20_000
EVENING = 18.0
PRICE = 20.0
K = 10


@dataclass
class Ranker:
    """A model version: its inputs, and whether freshness counts apart in the evening."""

    name: str
    title: str
    inputs: list[str]

    @property
    def evening(self) -> bool:
        return "hour" in self.inputs


RANKERS = [
    Ranker("popularity/1", "What was chosen often lately", ["popularity"]),
    Ranker("relevance/1", "Logistic regression on text match and popularity", ["text_match", "popularity"]),
    Ranker(
        "relevance/2",
        "Logistic regression on all that is known of a candidate",
        ["text_match", "popularity", "freshness", "price", "affinity", "hour"],
    ),
]


class Requests:
    """Candidates, one a row, request after request."""

    def __init__(self, load: Path, seed: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            # Visits of all hours: one in four minutes.
            flags = ["--judged", "--sessions", str(SESSIONS), "--seed", str(seed), "--gap-ms", "240000"]
            subprocess.run([load, "generate", "ranking", "--to", "parquet", "--dir", folder, *flags], check=True)
            table = pq.read_table(Path(folder) / "requests.parquet")
        lists = table.column("grade").combine_chunks()
        self.lengths = np.diff(lists.offsets.to_numpy())
        self.grades = lists.values.to_numpy()
        self.columns = {}
        for name in RANKERS[-1].inputs:
            column = table.column(name).combine_chunks()
            self.columns[name] = (
                np.repeat(column.to_numpy(), self.lengths) if name == "hour" else column.values.to_numpy()
            )
        items = table.column("items").combine_chunks().values
        self.items = np.array([text.as_py() for text in items])

    def matrix(self, ranker: Ranker) -> np.ndarray:
        return np.stack([self.columns[name] for name in ranker.inputs], axis=1).astype(np.float32)


def extended(ranker: Ranker, rows: np.ndarray) -> np.ndarray:
    """What the regression sees: the model's own first layer in NumPy. A price counts as 20 / (20 + price): a logarithm's
    last bit would depend on which candidates are scored together."""
    columns = {name: rows[:, place] for place, name in enumerate(ranker.inputs)}
    if "price" in columns:
        columns["price"] = np.float32(PRICE) / (np.float32(PRICE) + columns["price"])
    if ranker.evening:
        columns["hour"] = columns["freshness"] * (columns["hour"] >= EVENING)
    return np.stack(list(columns.values()), axis=1)


def fit(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """Logistic regression by Newton's method, with a trace of ridge."""
    x = np.hstack([x.astype(np.float64), np.ones((len(x), 1))])
    weights = np.zeros(x.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-x @ weights))
        gradient = x.T @ (y - p) - 1e-6 * weights
        hessian = (x * (p * (1 - p))[:, None]).T @ x + 1e-6 * np.eye(len(weights))
        step = np.linalg.solve(hessian, gradient)
        weights += step
        if np.abs(step).max() < 1e-12:
            break
    return weights[:-1], float(weights[-1])


def to_onnx(ranker: Ranker, weights: np.ndarray, bias: float) -> bytes:
    """x [rows, inputs] -> score [rows, 1]."""
    width = len(ranker.inputs)
    nodes, constants = [], {}

    def constant(name: str, values) -> str:
        constants[name] = numpy_helper.from_array(np.asarray(values), name)
        return name

    def column(name: str) -> str:
        place = ranker.inputs.index(name)
        index = constant(f"at_{name}", np.array([place], np.int64))
        nodes.append(helper.make_node("Gather", ["x", index], [name], axis=1))
        return name

    parts = []
    for name in ranker.inputs:
        out = column(name)
        if name == "price":
            usual = constant("usual_price", np.array([PRICE], np.float32))
            nodes.append(helper.make_node("Add", [usual, out], ["with_usual"]))
            nodes.append(helper.make_node("Div", [usual, "with_usual"], ["cheapness"]))
            out = "cheapness"
        elif name == "hour":
            least = constant("evening", np.array([EVENING], np.float32))
            nodes.append(helper.make_node("GreaterOrEqual", [out, least], ["is_evening"]))
            nodes.append(helper.make_node("Cast", ["is_evening"], ["as_number"], to=TensorProto.FLOAT))
            nodes.append(helper.make_node("Mul", ["as_number", "freshness"], ["new_this_evening"]))
            out = "new_this_evening"
        parts.append(out)
    nodes.append(helper.make_node("Concat", parts, ["seen"], axis=1))
    matrix = constant("weights", weights.astype(np.float32).reshape(width, 1))
    nodes.append(helper.make_node("MatMul", ["seen", matrix], ["product"]))
    nodes.append(helper.make_node("Add", ["product", constant("bias", np.array([bias], np.float32))], ["logit"]))
    nodes.append(helper.make_node("Sigmoid", ["logit"], ["score"]))
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        ranker.name.replace("/", "-"),
        [value("x", TensorProto.FLOAT, ["rows", width])],
        [value("score", TensorProto.FLOAT, ["rows", 1])],
        list(constants.values()),
    )
    opsets = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="train.py")
    checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def score(model: bytes, rows: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(["score"], {"x": rows})[0][:, 0]


def ndcg(requests: Requests, scores: np.ndarray) -> float:
    """Mean NDCG at 10 with the gain 2^grade - 1; requests without a relevant candidate are left out."""
    discounts = 1 / np.log2(np.arange(K) + 2)
    at, values = 0, []
    for length in requests.lengths:
        own = slice(at, at + length)
        at += length
        gains = 2.0 ** requests.grades[own] - 1
        best = np.sort(gains)[::-1][:K]
        if best[0] > 0:
            order = np.lexsort((requests.items[own], -scores[own]))[:K]
            values.append((gains[order] @ discounts[: len(order)]) / (best @ discounts[: len(best)]))
    return float(np.mean(values))


def model_toml(ranker: Ranker, model: bytes, requests: Requests, quality: float) -> str:
    medians = {name: float(np.median(requests.columns[name])) for name in ranker.inputs}
    # A candidate of which the text match is not known cannot be ranked; the rest is taken as the median.
    policy = [
        f'    {{ name = "{name}", '
        + ('missing = "reject"' if name == "text_match" else f"default = {medians[name]:.6}")
        + " },"
        for name in ranker.inputs
    ]
    lines = [
        "# Written by train.py, beside the models' folders.",
        f'title = "{ranker.title}"',
        f'sha256 = "{hashlib.sha256(model).hexdigest()}"',
        "# Arrays of a request, one entry a candidate; a single value is that of all its candidates.",
        "inputs = [",
        *policy,
        "]",
        "",
        "# How likely a judge finds the candidate relevant, one number per row.",
        "[output]",
        'name = "score"',
        "",
        "# Lists go by the score alone; what is decided of a single candidate is not used.",
        "[decision]",
        "threshold = 0.5",
        'above = "relevant"',
        'below = "irrelevant"',
        "",
        f"# On {len(requests.lengths)} requests of another seed than those it was trained on.",
        "[metrics]",
        f"ndcg_10 = {quality:.4f}",
    ]
    return "\n".join(lines) + "\n"


def find_load() -> Path:
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    for profile in ("release", "debug"):
        if (target / profile / "millrace-load").is_file():
            return target / profile / "millrace-load"
    found = shutil.which("millrace-load")
    if found is None:
        raise SystemExit("there is no millrace-load: cargo build --release -p millrace-load, or --load FILE")
    return Path(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--load", type=Path, help="the binary millrace-load (default: found in target/ or on PATH)")
    parser.add_argument("--output", type=Path, default=HERE, help="the folder to write the models to")
    args = parser.parse_args()
    load = args.load or find_load()
    training, test = Requests(load, TRAINING_SEED), Requests(load, TEST_SEED)
    relevant = (training.grades > 0).astype(np.float64)
    print(f"{len(training.grades)} candidates, {relevant.mean():.1%} of them relevant")
    for ranker in RANKERS:
        weights, bias = fit(extended(ranker, training.matrix(ranker)), relevant)
        model = to_onnx(ranker, weights, bias)
        rows = test.matrix(ranker)
        scores = score(model, rows)
        expected = 1 / (1 + np.exp(-(extended(ranker, rows) @ weights + bias)))
        quality = ndcg(test, scores)
        folder = args.output / ranker.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.onnx").write_bytes(model)
        (folder / "model.toml").write_text(model_toml(ranker, model, test, quality))
        print(
            f"{ranker.name:14} NDCG@{K} {quality:.4f}; {len(model)} bytes; largest difference to NumPy "
            f"{np.abs(scores - expected).max():.1e}; weights {np.round(weights, 3)}"
        )


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Makes the models of the tests, and golden scores computed without ONNX Runtime.

    pip install onnx==1.23.2 numpy && python3 make_models.py

Every model takes the columns amount, night and customer_tx_1d. `logistic`, `trees` and `linear` are what people bring;
`neighbours` has scores that depend on the other rows of a run, `overflow` some that are infinite, `slow` is `logistic` with layers that
take time and change nothing; the rest have a signature that must be refused.
"""

import hashlib
import json
import math
import pathlib

import numpy
from onnx import TensorProto, helper

INPUTS = ["amount", "night", "customer_tx_1d"]
HERE = pathlib.Path(__file__).parent
FLOAT = TensorProto.FLOAT


def tensor(name, shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def save(name, nodes, inputs, outputs, initializers=(), output="probabilities", labels=("genuine", "fraud"), missing=None):
    graph = helper.make_graph(nodes, name, inputs, outputs, list(initializers))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="make_models.py")
    data = model.SerializeToString(deterministic=True)
    folder = HERE / "models" / name / "1"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(data)
    policies = missing or {}
    lines = [f'title = "{name}, for tests"', f'sha256 = "{hashlib.sha256(data).hexdigest()}"', "inputs = ["]
    lines += [f'    {{ name = "{i}", {policies.get(i, "default = 0.0")} }},' for i in INPUTS]
    lines += ["]", "", "[output]", f'name = "{output}"']
    if labels:
        lines += [f"labels = {json.dumps(list(labels))}", f'positive = "{labels[-1]}"']
    lines += ["", "[decision]", "threshold = 0.5", 'above = "review"', 'below = "accept"', ""]
    (folder / "model.toml").write_text("\n".join(lines))


def linear_classifier(weights, intercept, output="probabilities"):
    return helper.make_node(
        "LinearClassifier", ["x"], ["label", output], domain="ai.onnx.ml", classlabels_ints=[0, 1],
        coefficients=[-w for w in weights] + list(weights), intercepts=[-intercept, intercept],
        multi_class=0, post_transform="LOGISTIC")


def make_trees(rng, count, depth):
    """Complete trees: node i has the children 2i+1 (value < threshold) and 2i+2; leaves are the last level."""
    trees = []
    for _ in range(count):
        nodes = []
        for i in range(2 ** (depth + 1) - 1):
            feature = int(rng.integers(3))
            threshold = numpy.float32([rng.uniform(0, 300), 0.5, rng.uniform(0, 12)][feature])
            weight = numpy.float32(rng.normal() * 0.3)
            nodes.append((feature, float(threshold), float(weight), i >= 2 ** depth - 1))
        trees.append(nodes)
    return trees


def tree_ensemble(trees):
    a = {k: [] for k in ("nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_values", "nodes_modes",
                         "nodes_truenodeids", "nodes_falsenodeids", "class_treeids", "class_nodeids", "class_ids",
                         "class_weights")}
    for t, nodes in enumerate(trees):
        for i, (feature, threshold, weight, leaf) in enumerate(nodes):
            a["nodes_treeids"].append(t)
            a["nodes_nodeids"].append(i)
            a["nodes_featureids"].append(0 if leaf else feature)
            a["nodes_values"].append(0.0 if leaf else threshold)
            a["nodes_modes"].append("LEAF" if leaf else "BRANCH_LT")
            a["nodes_truenodeids"].append(0 if leaf else 2 * i + 1)
            a["nodes_falsenodeids"].append(0 if leaf else 2 * i + 2)
            if leaf:
                a["class_treeids"].append(t)
                a["class_nodeids"].append(i)
                a["class_ids"].append(1)
                a["class_weights"].append(weight)
    return helper.make_node("TreeEnsembleClassifier", ["x"], ["label", "probabilities"], domain="ai.onnx.ml",
                            classlabels_int64s=[0, 1], post_transform="LOGISTIC", **a)


def score_trees(trees, row):
    margin = 0
    for nodes in trees:
        i = 0
        while not nodes[i][3]:
            feature, threshold = nodes[i][:2]
            i = 2 * i + 1 if row[feature] < threshold else 2 * i + 2
        margin += nodes[i][2]
    return sigmoid(margin)


def idle_layers(columns, width, layers):
    """Dense layers on x, their sum times 1e-30 added to the classifier's probabilities: lost in rounding, but not skipped.

    Weights are constants that the runtime makes when it loads the model, so that the file is small."""
    def constant(name, shape):
        value = helper.make_tensor("value", FLOAT, [1], [1 / width])
        dims = helper.make_tensor("dims", TensorProto.INT64, [2], shape)
        return [helper.make_node("Constant", [], [f"{name}_shape"], value=dims),
                helper.make_node("ConstantOfShape", [f"{name}_shape"], [name], value=value)]

    nodes = constant("first", [columns, width]) + constant("next", [width, width])
    nodes.append(helper.make_node("MatMul", ["x", "first"], ["layer0"]))
    nodes += [helper.make_node("MatMul", [f"layer{i}", "next"], [f"layer{i + 1}"]) for i in range(layers)]
    tiny = helper.make_tensor("tiny", FLOAT, [1], [1e-30])
    nodes += [helper.make_node("ReduceMean", [f"layer{layers}"], ["sum"], axes=[1], keepdims=1),
              helper.make_node("Constant", [], ["tiny"], value=tiny),
              helper.make_node("Mul", ["sum", "tiny"], ["nothing"]),
              helper.make_node("Add", ["own", "nothing"], ["probabilities"])]
    return nodes


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def main():
    rng = numpy.random.default_rng(20180401)
    x, p = tensor("x", [None, 3]), tensor("probabilities", [None, 2])
    label = tensor("label", [None], TensorProto.INT64)
    rows = [[float(numpy.float32(round(rng.uniform(0, 300), 2))), float(rng.integers(2)), float(rng.integers(12))]
            for _ in range(200)]
    golden = {"rows": rows}

    weights = [float(numpy.float32(w)) for w in (0.0113, 0.81, 0.173)]
    intercept = float(numpy.float32(-3.1))
    save("logistic", [linear_classifier(weights, intercept)], [x], [label, p],
         missing={"amount": 'missing = "reject"', "customer_tx_1d": "default = 1.0"})
    golden["logistic"] = [sigmoid(sum(w * v for w, v in zip(weights, row)) + intercept) for row in rows]

    trees = make_trees(rng, 40, 3)
    save("trees", [tree_ensemble(trees)], [x], [label, p])
    golden["trees"] = [score_trees(trees, row) for row in rows]

    save("slow", [linear_classifier(weights, intercept, "own"), *idle_layers(columns=3, width=512, layers=48)], [x], [label, p],
         missing={"amount": 'missing = "reject"', "customer_tx_1d": "default = 1.0"})

    w = helper.make_tensor("w", FLOAT, [3, 1], weights)
    b = helper.make_tensor("b", FLOAT, [1], [intercept])
    save("linear", [helper.make_node("Gemm", ["x", "w", "b"], ["y"])], [x], [tensor("y", [None, 1])], [w, b],
         output="y", labels=())
    golden["linear"] = [sum(w * v for w, v in zip(weights, row)) + intercept for row in rows]

    save("neighbours",
         [helper.make_node("ReduceMean", ["x"], ["mean"], axes=[0], keepdims=1),
          helper.make_node("Sub", ["x", "mean"], ["centred"]),
          helper.make_node("Gemm", ["centred", "w", "b"], ["y"])],
         [x], [tensor("y", [None, 1])], [w, b], output="y", labels=())

    # amount x 5, which overflows to infinity.
    save("overflow", [helper.make_node("Gemm", ["x", "w", "b"], ["y"])], [x], [tensor("y", [None, 1])],
         [helper.make_tensor("w", FLOAT, [3, 1], [5.0, 0.0, 0.0]), b], output="y", labels=())

    identity = [helper.make_node("Gemm", ["x", "w", "b"], ["y"])]
    y = tensor("y", [None, 1])
    save("fixed-rows", identity, [tensor("x", [1, 3])], [tensor("y", [1, 1])], [w, b], output="y", labels=())
    w4 = helper.make_tensor("w", FLOAT, [4, 1], weights + [1.0])
    save("four-inputs", identity, [tensor("x", [None, 4])], [y], [w4, b], output="y", labels=())
    save("three-classes", identity, [x], [tensor("y", [None, 3])],
         [helper.make_tensor("w", FLOAT, [3, 3], weights * 3), helper.make_tensor("b", FLOAT, [3], [0.0] * 3)], output="y")
    save("no-such-output", identity, [x], [y], [w, b], output="probabilities", labels=())
    double = TensorProto.DOUBLE
    save("doubles", identity, [tensor("x", [None, 3], double)], [tensor("y", [None, 1], double)],
         [helper.make_tensor("w", double, [3, 1], weights), helper.make_tensor("b", double, [1], [0.0])], output="y", labels=())
    save("column-inputs", [helper.make_node("Add", ["amount", "night"], ["y"])],
         [tensor("amount", [None, 1]), tensor("night", [None, 1])], [y], output="y", labels=())
    zipmap = helper.make_node("ZipMap", ["p"], ["probabilities"], domain="ai.onnx.ml", classlabels_int64s=[0, 1])
    classifier = linear_classifier(weights, intercept)
    classifier.output[1] = "p"
    maps = helper.make_sequence_type_proto(helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(FLOAT, [])))
    save("zipmap", [classifier, zipmap], [x], [label, helper.make_value_info("probabilities", maps)])

    (HERE / "golden.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()

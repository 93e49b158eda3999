"""XGBoost's binary classifier as ONNX: one input `features` [rows, inputs], one output `score` [rows, 1], the
probability of fraud.

Both XGBoost and ONNX Runtime compare float32 with float32 thresholds (`x < threshold`), so that every row takes the
same path; only the last bits of the sum over trees and of the logistic function may differ."""

from __future__ import annotations

import json

import numpy as np
import onnx
import xgboost as xgb
from onnx import TensorProto, helper


def to_onnx(booster: xgb.Booster, inputs: int) -> onnx.ModelProto:
    """The model, of trees that take no missing values."""
    model = json.loads(booster.save_raw("json"))["learner"]
    nodes: dict[str, list] = {name: [] for name in ATTRIBUTES}
    for number, tree in enumerate(model["gradient_booster"]["model"]["trees"]):
        add_tree(nodes, number, tree)
    trees = helper.make_node(
        "TreeEnsembleRegressor",
        ["features"],
        ["margin"],
        domain="ai.onnx.ml",
        n_targets=1,
        base_values=[base_margin(model)],
        **nodes,
    )
    graph = helper.make_graph(
        [trees, helper.make_node("Sigmoid", ["margin"], ["score"])],
        "fraud-gbdt",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["rows", inputs])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, ["rows", 1])],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    onnx_model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="millrace")
    onnx.checker.check_model(onnx_model)
    return onnx_model


ATTRIBUTES = [
    "nodes_treeids",
    "nodes_nodeids",
    "nodes_featureids",
    "nodes_values",
    "nodes_modes",
    "nodes_truenodeids",
    "nodes_falsenodeids",
    "target_treeids",
    "target_nodeids",
    "target_ids",
    "target_weights",
]


def add_tree(nodes: dict[str, list], number: int, tree: dict) -> None:
    """Appends one tree's nodes. XGBoost keeps a leaf's weight where a branch has its threshold."""
    for node, (left, right) in enumerate(zip(tree["left_children"], tree["right_children"], strict=True)):
        leaf = left == -1
        value = float(np.float32(tree["split_conditions"][node]))
        nodes["nodes_treeids"].append(number)
        nodes["nodes_nodeids"].append(node)
        nodes["nodes_featureids"].append(0 if leaf else tree["split_indices"][node])
        nodes["nodes_values"].append(0.0 if leaf else value)
        nodes["nodes_modes"].append("LEAF" if leaf else "BRANCH_LT")
        nodes["nodes_truenodeids"].append(0 if leaf else left)
        nodes["nodes_falsenodeids"].append(0 if leaf else right)
        if leaf:
            nodes["target_treeids"].append(number)
            nodes["target_nodeids"].append(node)
            nodes["target_ids"].append(0)
            nodes["target_weights"].append(value)


def base_margin(model: dict) -> float:
    """The log odds before any tree; newer versions of XGBoost write the probability as a list of one."""
    base = json.loads(model["learner_model_param"]["base_score"])
    probability = np.float32(base[0] if isinstance(base, list) else base)
    return float(np.log(probability / (np.float32(1) - probability)))

#!/usr/bin/env bash
# onnxruntime 1.32.0, CPU: the Sigmoid node is exactly 0 for moderately negative numbers, so the log
# loss of a logistic model is infinite. 1 / (1 + exp(-x)) in other nodes of the same runtime is right.
#
# Output seen on x86-64:
#   float32  x=-15  Sigmoid 3.576e-07  other nodes 3.059e-07  right 3.059e-07
#   float32  x=-20  Sigmoid 0.000e+00  other nodes 2.061e-09  right 2.061e-09
#   float64  x=-30  Sigmoid 9.348e-14  other nodes 9.358e-14  right 9.358e-14
#   float64  x=-40  Sigmoid 0.000e+00  other nodes 4.248e-18  right 4.248e-18
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet onnxruntime==1.32.0 onnx==1.23.2
"$folder/venv/bin/python" - <<'PYTHON'
import math

import numpy as np
import onnxruntime
from onnx import TensorProto, helper


def run(steps, x, element):
    nodes = [helper.make_node(op, inputs, [output]) for op, inputs, output in steps]
    ends = [helper.make_tensor_value_info(name, element, [1]) for name in "xy"]
    one = [helper.make_tensor("one", element, [1], [1])] if len(nodes) > 1 else []
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], one)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {"x": np.array([x], helper.tensor_dtype_to_np_dtype(element))})[0][0]


sigmoid = [("Sigmoid", ["x"], "y")]
other = [("Neg", ["x"], "n"), ("Exp", ["n"], "e"), ("Add", ["one", "e"], "d"), ("Div", ["one", "d"], "y")]
for element, x in (TensorProto.FLOAT, -15), (TensorProto.FLOAT, -20), (TensorProto.DOUBLE, -30), (TensorProto.DOUBLE, -40):
    one, two, right = run(sigmoid, x, element), run(other, x, element), 1 / (1 + math.exp(-x))
    print(f"{one.dtype}  x={x}  Sigmoid {one:.3e}  other nodes {two:.3e}  right {right:.3e}")
    assert abs(two / right - 1) < 1e-5
    assert (one == 0) == (x in (-20, -40)), "onnxruntime has changed"
PYTHON

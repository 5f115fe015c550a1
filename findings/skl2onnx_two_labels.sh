#!/usr/bin/env bash
# skl2onnx 1.20.0 with scikit-learn 1.9.1 converts three estimators to models with other results,
# without an error or a warning:
# - MLPClassifier with two labels (not classes): four columns, of which the first two are 1 - p, so
#   that the column of a label has the probability of its absence. With three labels it is right.
#   (onnxruntime logs "Error merging shape info" for both and runs them.)
# - LinearDiscriminantAnalysis with two classes: the sigmoid gets twice the decision function, so that
#   the classifier looks too sure. Issue 1116 (2024) describes it and is closed.
# - Normalizer(norm="max") with float32: it divides by the maximum, not by that of the absolute values,
#   so that a row of negative numbers changes its sign.
#
# Output seen (of one row):
#   MLP, 2 labels   scikit-learn [0.34 0.06]      ONNX [0.66 0.94 0.34 0.06]
#   MLP, 3 labels   scikit-learn [0.11 0.42 0.55] ONNX [0.11 0.42 0.55]
#   LDA, 2 classes  scikit-learn [0.68 0.32]      ONNX [0.82 0.18]
#   Normalizer max  scikit-learn [-0.5 -1. ]      ONNX [1. 2.]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet skl2onnx==1.20.0 onnxruntime==1.32.0 onnx==1.23.2 scikit-learn==1.9.1
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import numpy as np, onnxruntime, skl2onnx
from sklearn import discriminant_analysis, neural_network, preprocessing
X, row = np.random.default_rng(0).normal(size=(200, 2)).astype("float32"), np.array([[-0.25, -0.5]], "float32")
Y = np.c_[X.sum(axis=1) > 0, X[:, 1] > 0, X[:, 0] > 0].astype(int)
mlp = neural_network.MLPClassifier(5, activation="logistic", solver="lbfgs", max_iter=4, random_state=0)
lda, normalizer = discriminant_analysis.LinearDiscriminantAnalysis(), preprocessing.Normalizer(norm="max")
onnxruntime.set_default_logger_severity(3)
for name, model, y, seen in [("MLP, 2 labels", mlp, Y[:, :2], lambda P: np.c_[1 - P, P]),
                             ("MLP, 3 labels", mlp, Y, lambda P: P),
                             ("LDA, 2 classes", lda, np.arange(200) % 3 // 2, lambda P: P**2 / (P**2).sum()),
                             ("Normalizer max", normalizer, None, lambda P: -2 * P)]:
    onnx = skl2onnx.to_onnx(model.fit(X, y), X[:1], options=None if y is None else {"zipmap": False})
    P = onnxruntime.InferenceSession(onnx.SerializeToString()).run(None, {"X": row})[-1]
    right = model.transform(row) if y is None else model.predict_proba(row)
    print(f"{name:15} scikit-learn {right[0].round(2)!s:16} ONNX {P[0].round(2)}")
    assert np.allclose(P, seen(right), atol=1e-4), "skl2onnx has changed"
PYTHON

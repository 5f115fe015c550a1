#!/usr/bin/env bash
# skl2onnx 1.20.0 with scikit-learn 1.9.1 converts two common estimators to models that answer
# otherwise, without an error or a warning:
# - CalibratedClassifierCV of a pipeline: the sigmoids, fitted on decision_function, get
#   probabilities. With the classifier alone, without a pipeline, the model is right.
# - TunedThresholdClassifierCV: the tuned threshold is ignored; the labels are those of 0.5.
#
# Output seen:
#   calibrated classifier  100.0% of the labels agree, probabilities differ by 0.0000
#   calibrated pipeline      7.2% of the labels agree, probabilities differ by 0.4690
#   tuned threshold         91.3% of the labels agree, probabilities differ by 0.0000
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet skl2onnx==1.20.0 onnxruntime==1.32.0 onnx==1.23.2 scikit-learn==1.9.1
"$folder/venv/bin/python" - <<'PYTHON'
import onnxruntime
import skl2onnx
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

X, y = make_classification(600, 6, n_informative=4, weights=[0.8], flip_y=0.1, random_state=0)
for name, model, agrees in [
    ("calibrated classifier", CalibratedClassifierCV(LogisticRegression()), True),
    ("calibrated pipeline", CalibratedClassifierCV(make_pipeline(StandardScaler(), LogisticRegression())), False),
    ("tuned threshold", TunedThresholdClassifierCV(LogisticRegression()), False),
]:
    onnx = skl2onnx.to_onnx(model.fit(X, y), X[:1], options={"zipmap": False})
    label, P = onnxruntime.InferenceSession(onnx.SerializeToString()).run(None, {"X": X})
    same, error = (label == model.predict(X)).mean(), abs(P - model.predict_proba(X)).max()
    print(f"{name:22} {same:6.1%} of the labels agree, probabilities differ by {error:.4f}")
    assert (same == 1) == agrees, "skl2onnx has changed"
PYTHON

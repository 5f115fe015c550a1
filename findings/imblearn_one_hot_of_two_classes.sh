#!/usr/bin/env bash
# imbalanced-learn 0.14.2: a one-hot target of two classes, which a network with two softmax outputs
# needs, goes in with two columns and comes out with one, without an error or a warning. The column left
# is that of the second class. With three classes, the target comes out as it went in.
# The release notes of 0.4 say "Add support for one-vs-all encoded target to support keras" (issue 409),
# and its pull request 410 says that the target is converted back. Six samplers were tried, all alike.
# In NumPy, and so in a loss written with it, the one column then broadcasts against two outputs.
#
# Output seen:
#   2 classes  RandomOverSampler  (60, 2) -> (80, 1)
#   2 classes  SMOTE              (60, 2) -> (80, 1)
#   2 classes  RandomUnderSampler (60, 2) -> (40, 1)
#   3 classes  RandomOverSampler  (60, 3) -> (120, 3)
#   3 classes  SMOTE              (60, 3) -> (120, 3)
#   3 classes  RandomUnderSampler (60, 3) -> (30, 3)
#   squared error of perfect outputs: 0.5 (of the target itself 0.0)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet imbalanced-learn==0.14.2 scikit-learn==1.9.1
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler

X = np.random.default_rng(0).normal(size=(60, 3))
for classes, counts in (2, [40, 20]), (3, [40, 10, 10]):
    y = np.repeat(np.arange(classes), counts)
    for sampler in (RandomOverSampler(random_state=0), SMOTE(random_state=0), RandomUnderSampler(random_state=0)):
        one_hot = sampler.fit_resample(X, np.eye(classes)[y])[1]
        right = np.eye(classes)[sampler.fit_resample(X, y)[1]]
        print(f"{classes} classes  {type(sampler).__name__:18} {(len(y), classes)} -> {one_hot.shape}")
        assert np.array_equal(one_hot, right[:, 1:] if classes == 2 else right), "imbalanced-learn has changed"
        if classes == 2:
            errors = ((right - one_hot) ** 2).mean(), ((right - right) ** 2).mean()
print(f"squared error of perfect outputs: {errors[0]} (of the target itself {errors[1]})")
PYTHON

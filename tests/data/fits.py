"""Small fits by every solver, whose results must not change.

``python -m tests.data.fits`` writes ``fits.json``. Write it again only if a change of the results
is intended, and the changelog says so.
"""

import json
import warnings
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.datasets import make_blobs, make_moons

from two_layer_sigmoid import TwoLayerSigmoidClassifier

FILE = Path(__file__).with_suffix(".json")
X_MOONS, Y_MOONS = make_moons(100, noise=0.1, random_state=0)
X_BLOBS, CODES = make_blobs(120, centers=[[-2, 0], [2, 0], [0, 3]], random_state=0)
Y_BLOBS = np.array(["ash", "birch", "cedar"])[CODES]
Y_LABELS = (X_BLOBS @ [[1, 0, 1], [0, 1, 1]] > 0).astype(int)
DATA = {
    "moons": (X_MOONS, Y_MOONS),
    "blobs": (X_BLOBS, Y_BLOBS),
    "multilabel": (X_BLOBS, Y_LABELS),
    "sparse": (sparse.csr_array(np.where(X_MOONS > 0, X_MOONS, 0)), Y_MOONS),
}
SOLVERS = {
    "gd": {"learning_rate": 0.5},
    "momentum": {"learning_rate": 0.1, "momentum": 0.9},
    "mini-batches": {"learning_rate": 0.2, "batch_size": 16},
    "lbfgs": {"solver": "lbfgs"},
}
OPTIONS = {
    "plain": {},
    "penalty": {"alpha": 0.01},
    "small": {"init": "small", "n_h": 2},
    "weights": {"sample_weight": True},
    "balanced": {"class_weight": "balanced", "sample_weight": True},
    "early stopping": {"early_stopping": True},
    "starts": {"n_init": 3},
}
DEFAULTS = {
    "n_h": 4,
    "max_iter": 12,
    "tol": 0.0,
    "standardize": False,
    "alpha": 0.0,
    "init": "spread",
    "random_state": 0,
}
CASES = [
    (data, solver, option)
    for data in DATA
    for solver in SOLVERS
    for option in OPTIONS
    if not (data == "multilabel" and option == "balanced")
]


def fit(data, solver, option):
    """The losses and the weights of one case."""
    X, y = DATA[data]
    params = DEFAULTS | SOLVERS[solver] | OPTIONS[option]
    weighted = params.pop("sample_weight", False)
    sample_weight = np.arange(X.shape[0]) % 4 if weighted else None
    clf = TwoLayerSigmoidClassifier(**params)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clf.fit(X, y, sample_weight)
    weights = np.concatenate([W.ravel() for W in (clf.W1_, clf.b1_, clf.W2_, clf.b2_)])
    return {"losses": [*clf.loss_curve_, clf.loss_], "weights": weights.tolist()}


def rounded(values):
    return [float(f"{value:.12g}") for value in values]


if __name__ == "__main__":
    lines = []
    for case in CASES:
        result = {name: rounded(values) for name, values in fit(*case).items()}
        lines.append(f"{json.dumps('/'.join(case))}: {json.dumps(result)}")
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")

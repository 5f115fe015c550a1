"""How far fits differ between versions, BLAS kernels, threads and orders of the rows.

Save the fits of each environment, then compare them with those of the first::

    python -m benchmarks.reproducibility save here.npz
    OPENBLAS_CORETYPE=Prescott python -m benchmarks.reproducibility save prescott.npz
    python -m benchmarks.reproducibility save reversed.npz --reverse
    python -m benchmarks.reproducibility compare here.npz prescott.npz reversed.npz

NumPy and scikit-learn suffice. The table has the largest difference of a probability, and the
largest relative difference of a loss, over all data sets. 0 means equal bits.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, make_moons

from two_layer_sigmoid import TwoLayerSigmoidClassifier, TwoLayerSigmoidClassifierCV

DATA = {
    "moons": make_moons(200, noise=0.3, random_state=0),
    "iris": load_iris(return_X_y=True),
    "breast cancer": load_breast_cancer(return_X_y=True),
    "digits": load_digits(return_X_y=True),
    "many moons": make_moons(50_000, noise=0.3, random_state=0),  # on several threads
}
ESTIMATORS = {
    "gradient descent": TwoLayerSigmoidClassifier(batch_size=None),
    "momentum": TwoLayerSigmoidClassifier(batch_size=None, momentum=0.9, learning_rate=0.3),
    "mini-batches": TwoLayerSigmoidClassifier(batch_size=50, max_iter=50),
    "L-BFGS, 100 iterations": TwoLayerSigmoidClassifier(solver="lbfgs", max_iter=100),
    "L-BFGS": TwoLayerSigmoidClassifier(solver="lbfgs"),
    "L-BFGS, tol=1e-8": TwoLayerSigmoidClassifier(solver="lbfgs", tol=1e-8, max_iter=5000),
    "TwoLayerSigmoidClassifierCV": TwoLayerSigmoidClassifierCV(),
}
MANY_ROWS_ITERATIONS = 50
DRAW_ROWS = {"mini-batches", "TwoLayerSigmoidClassifierCV"}


def save(path, reverse):
    """The loss and the probabilities of every fit."""
    results = {}
    order = slice(None, None, -1 if reverse else None)
    for name, estimator in ESTIMATORS.items():
        for data, (X, y) in DATA.items():
            if name in DRAW_ROWS and (reverse or data == "many moons"):
                continue
            clf = clone(estimator).set_params(random_state=0)
            if data == "many moons":
                clf.set_params(max_iter=MANY_ROWS_ITERATIONS)
            clf.fit(X[order].copy(), y[order])
            loss = clf.loss_ if hasattr(clf, "loss_") else clf.held_out_loss_
            results[f"{name}/{data}/loss"] = loss
            results[f"{name}/{data}/P"] = clf.predict_proba(X)
            print(name, data, clf.n_iter_, clf.stop_reason_, repr(loss), sep=", ")
    np.savez(path, **results)


def compare(reference, paths):
    """A Markdown table of the differences from the reference."""
    first = np.load(reference)
    print("| environment |", " | ".join(ESTIMATORS), "|")
    print("|---" * (1 + len(ESTIMATORS)) + "|")
    for path in paths:
        other, cells = np.load(path), []
        for name in ESTIMATORS:
            found = [fit for fit in (f"{name}/{data}" for data in DATA) if f"{fit}/P" in other]
            P = [np.abs(first[f"{fit}/P"] - other[f"{fit}/P"]).max() for fit in found]
            losses = [abs(first[f"{fit}/loss"] / other[f"{fit}/loss"] - 1) for fit in found]
            cells.append(f"{max(P):.0e}, {max(losses):.0e}" if found else "")
        print("|", " | ".join([Path(path).stem, *cells]), "|")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["save", "compare"])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--reverse", action="store_true", help="fit the rows in reverse order")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # fits that end at max_iter
    if arguments.command == "save":
        save(arguments.files[0], arguments.reverse)
    else:
        compare(arguments.files[0], arguments.files[1:])

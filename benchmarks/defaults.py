"""The measurement by which the default parameters were chosen.

``python -m benchmarks.defaults`` trains gradient descent with the default rate on the data sets
``real_data.CHOICE`` and on made ones, for several ``n_h`` and penalties, and writes the log loss on
held-out rows after several numbers of iterations to ``benchmarks/results/defaults.csv``. It takes
ten minutes on two cores. Seconds are of the processor.
"""

from __future__ import annotations

import sys
import time
import warnings
from itertools import product

import pandas as pd
from joblib import Parallel, delayed
from sklearn.datasets import make_circles, make_classification, make_moons
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

from benchmarks import real_data
from benchmarks.machine import save
from two_layer_sigmoid import TwoLayerSigmoidClassifier

UNITS = (16, 32, 64)
PENALTIES = (0.1, 0.3, 1.0)  # times the number of rows
ITERATIONS = (500, 1000, 2000, 3000)
CV = StratifiedKFold(3, shuffle=True, random_state=0)


def made():
    """Made data sets: curved, noisy, wide, imbalanced and with many classes."""
    many = {"n_informative": 10, "random_state": 0}
    return {
        "circles": make_circles(500, noise=0.1, factor=0.5, random_state=0),
        "moons": make_moons(400, noise=0.25, random_state=0),
        "noisy": make_classification(600, 20, flip_y=0.3, **many),
        "wide": make_classification(150, 300, **many),
        "imbalanced": make_classification(1500, 20, weights=[0.95], **many),
        "ten classes": make_classification(1500, 20, n_classes=10, **many),
    }


def main() -> None:
    data = made() | {name: real_data.load(name) for name in real_data.CHOICE}
    settings = list(product(data.items(), UNITS, PENALTIES))
    measured = Parallel(n_jobs=-1, return_as="generator")(
        delayed(measure)(name, X, y, n_h, c) for (name, (X, y)), n_h, c in settings
    )
    rows = []
    for done, some in enumerate(measured, start=1):
        rows += some
        print(f"{done} of {len(settings)}: {some[-1]}", file=sys.stderr, flush=True)
    save(pd.DataFrame(rows), "defaults")


def measure(name, X, y, n_h, c):
    """The mean log loss and the time of the folds after each number of iterations."""
    warnings.simplefilter("ignore")  # ends on the plateau are among the results
    rows = {
        n: {"data": name, "n_h": n_h, "c": c, "iterations": n, "log loss": 0.0, "seconds": 0.0}
        for n in ITERATIONS
    }
    for train, test in CV.split(X, y):
        clf = TwoLayerSigmoidClassifier(
            n_h, alpha=c / len(train), warm_start=True, n_jobs=1, random_state=0
        )
        done, seconds = 0, 0.0
        for n in ITERATIONS:
            began = time.process_time()
            clf.set_params(max_iter=n - done).fit(X[train], y[train])
            seconds += time.process_time() - began
            done = n
            loss = log_loss(y[test], clf.predict_proba(X[test]), labels=clf.classes_)
            rows[n]["log loss"] += loss / CV.n_splits
            rows[n]["seconds"] += seconds / CV.n_splits
    return list(rows.values())


if __name__ == "__main__":
    main()

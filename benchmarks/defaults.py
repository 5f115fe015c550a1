"""The measurement by which the default parameters were chosen.

Gradient descent with the default rate trains on the data sets ``real_data.CHOICE`` and on made
ones, for several ``n_h`` and penalties. The log loss on held-out rows is computed after several
numbers of iterations. Seconds are of the processor.
"""

from __future__ import annotations

import time
import warnings
from itertools import chain, product

from joblib import Parallel, delayed
from sklearn.datasets import make_circles, make_classification, make_moons
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

from benchmarks import real_data
from benchmarks._harness import markdown
from two_layer_sigmoid import TwoLayerSigmoidClassifier

MINUTES = 10
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


def rows():
    data = made() | {name: real_data.load(name) for name in real_data.CHOICE}
    measured = Parallel(n_jobs=-1, return_as="generator")(
        delayed(measure)(name, X, y, n_h, c)
        for (name, (X, y)), n_h, c in product(data.items(), UNITS, PENALTIES)
    )
    return chain.from_iterable(measured)


def measure(name, X, y, n_h, c):
    """The mean log loss and the time of the folds, a row for each number of iterations."""
    warnings.simplefilter("ignore")  # ends on the plateau are among the results
    rows = {
        n: {"data": name, "n_h": n_h, "c": c, "iterations": n, "log loss": 0.0, "seconds": 0.0}
        for n in ITERATIONS
    }
    for train, test in CV.split(X, y):
        clf = TwoLayerSigmoidClassifier(
            n_h,
            batch_size=None,
            alpha=c / len(train),
            warm_start=True,
            n_jobs=1,
            random_state=0,
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


def table(results):
    """Log losses relative to the lowest of the same data: medians over the data sets."""
    lowest = results.groupby("data")["log loss"].transform("min")
    relative = results.assign(loss=results["log loss"] / lowest)
    medians = relative.pivot_table("loss", ["n_h", "iterations"], "c", aggfunc="median")
    rows = [[*map(str, key), *(f"{loss:.3f}" for loss in line)] for key, line in medians.iterrows()]
    return markdown(["n_h", "iterations", *(f"penalty {c} / rows" for c in medians)], rows)

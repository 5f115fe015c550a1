"""The measurement by which ``batch_size="auto"``, ``n_h="auto"`` and ``max_iter`` were chosen.

Gradient descent by all rows and by mini-batches, with the default rate, on the data sets
``real_data.CHOICE`` with up to 5000 rows, on samples of those with many classes, and on made ones,
in 3-fold cross-validation. The log loss on held-out rows and the seconds of the processor are
relative to MLPClassifier's.
"""

from __future__ import annotations

import warnings
from itertools import product

import numpy as np
from joblib import Parallel, delayed
from sklearn.datasets import make_classification
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier

from benchmarks import real_data
from benchmarks._harness import markdown
from benchmarks.held_out import each_fold, relative_to_mlp
from two_layer_sigmoid import TwoLayerSigmoidClassifier

MINUTES = 8
FEW_ROWS, MANY_ROWS = 2000, 5000
MANY_CLASSES = 5
CV = StratifiedKFold(3, shuffle=True, random_state=0)
MADE = {
    "imbalanced": {"weights": [0.95]},
    "noisy": {"flip_y": 0.3},
    "three classes": {"n_classes": 3},
    "five classes": {"n_classes": 5, "n_informative": 15},
    "ten classes": {"n_classes": 10},
    "ten classes, more informative": {"n_classes": 10, "n_informative": 15},
}
PROBLEMS = [
    *product((*real_data.CHOICE, *MADE), (MANY_ROWS,)),
    *product(("letter", "satimage", *MADE), (FEW_ROWS,)),
]


def ours(n_h, batch_size, max_iter):
    return TwoLayerSigmoidClassifier(
        n_h, batch_size=batch_size, max_iter=max_iter, n_jobs=1, random_state=0
    )


SETTINGS = {
    f"{n_h} units, all rows, {n} updates": ours(n_h, None, n)
    for n_h in (32, 64)
    for n in (500, 1000)
} | {
    f"{n_h} units, batches of {size}": ours(n_h, size, 500)
    for n_h, size in [(32, 200), (64, 50), (64, 100), (64, 200), (100, 200), (128, 200)]
}
ESTIMATORS = SETTINGS | {"MLPClassifier": MLPClassifier(random_state=0)}


def rows():
    return Parallel(n_jobs=-1, return_as="generator")(
        delayed(measure)(*problem, name) for problem, name in product(PROBLEMS, ESTIMATORS)
    )


def measure(data, max_rows, name):
    """``fall`` is the largest one of the loss in the last tenth of the updates.

    It is relative to the loss of a constant prediction.
    """
    warnings.simplefilter("ignore")  # ends at max_iter are among the results
    if data in MADE:
        options = {"n_informative": 10, "random_state": 0} | MADE[data]
        X, y = make_classification(MANY_ROWS, 20, **options)
        X, y = X[:max_rows], y[:max_rows]
    else:
        X, y = real_data.load(data, max_rows=max_rows)
    losses, falls, seconds = [], [], 0.0
    for clf, seconds_of_fit, P, train, test in each_fold(ESTIMATORS[name], X, y, CV):
        seconds += seconds_of_fit
        losses.append(log_loss(y[test], P, labels=clf.classes_))
        last = len(clf.loss_curve_) * 9 // 10
        fall = min(clf.loss_curve_[:last]) - min(clf.loss_curve_[last:])
        falls.append(fall / constant_loss(y[train]))
    row = {"data": data, "rows": len(y), "classes": len(clf.classes_), "estimator": name}
    return row | {"log loss": np.mean(losses), "seconds": seconds, "fall": max(falls)}


def constant_loss(y):
    """The loss of a constant prediction, summed over the outputs."""
    rates = np.bincount(y) / len(y)
    rates = rates[:1] if len(rates) == 2 else rates
    return -(rates * np.log(rates) + (1 - rates) * np.log(1 - rates)).sum()


def table(results):
    """Geometric means of the ratios to MLPClassifier, and ratios of all seconds."""
    few, many = results["rows"] <= FEW_ROWS, results["classes"] >= MANY_CLASSES
    parts = {
        f"up to {FEW_ROWS} rows": results[few & ~many],
        f"{FEW_ROWS} rows, {MANY_CLASSES} or more classes": results[few & many],
        f"up to {MANY_ROWS} rows": results[~few & ~many],
        f"{MANY_ROWS} rows, {MANY_CLASSES} or more classes": results[~few & many],
    }
    lines = []
    for name in ESTIMATORS:
        cells = [name]
        for part in parts.values():
            loss, time = relative_to_mlp(part, "estimator", name)
            cells.append(f"{loss:.3f} ({time:.2f})")
        fall = results.loc[results["estimator"] == name, "fall"].max()
        lines.append([*cells, f"{fall:.0%}" if name in SETTINGS else ""])
    return markdown(["loss (time)", *parts, "largest fall"], lines)

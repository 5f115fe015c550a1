"""The measurement by which ``batch_size="auto"``, ``n_h="auto"`` and ``max_iter`` were chosen.

Gradient descent by all rows and by mini-batches, with the default rate, on the data sets
``real_data.CHOICE`` with up to 5000 rows and on made ones, in 3-fold cross-validation. The log loss
on held-out rows and the seconds of the processor are relative to MLPClassifier's.
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
from sklearn.preprocessing import StandardScaler

from benchmarks import real_data
from benchmarks._harness import markdown
from benchmarks.held_out import fit
from two_layer_sigmoid import TwoLayerSigmoidClassifier

MINUTES = 8
FEW_ROWS, MANY_ROWS = 2000, 5000
CV = StratifiedKFold(3, shuffle=True, random_state=0)
MADE = {
    "many: ten classes": {"n_classes": 10},
    "many: imbalanced": {"weights": [0.95]},
    "many: noisy": {"flip_y": 0.3},
}


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
    for n_h in (32, 64)
    for size in (50, 100, 200)
}
ESTIMATORS = SETTINGS | {"MLPClassifier": MLPClassifier(random_state=0)}


def rows():
    data = [*real_data.CHOICE, *MADE]
    return Parallel(n_jobs=-1, return_as="generator")(
        delayed(measure)(*one) for one in product(data, ESTIMATORS)
    )


def measure(data, name):
    """``fall`` is the largest one of the loss in the last tenth of the updates.

    It is relative to the loss of a constant prediction.
    """
    warnings.simplefilter("ignore")  # ends at max_iter are among the results
    if data in MADE:
        X, y = make_classification(MANY_ROWS, 20, n_informative=10, random_state=0, **MADE[data])
    else:
        X, y = real_data.load(data, max_rows=MANY_ROWS)
    losses, falls, seconds = [], [], 0.0
    for train, test in CV.split(X, y):
        scaler = StandardScaler().fit(X[train])
        clf, seconds_of_fit = fit(ESTIMATORS[name], scaler.transform(X[train]), y[train])
        seconds += seconds_of_fit
        P = clf.predict_proba(scaler.transform(X[test]))
        losses.append(log_loss(y[test], P, labels=clf.classes_))
        last = len(clf.loss_curve_) * 9 // 10
        fall = min(clf.loss_curve_[:last]) - min(clf.loss_curve_[last:])
        falls.append(fall / constant_loss(y[train]))
    row = {"data": data, "rows": len(y), "estimator": name, "log loss": np.mean(losses)}
    return row | {"seconds": seconds, "fall": max(falls)}


def constant_loss(y):
    """The loss of a constant prediction, summed over the outputs."""
    rates = np.bincount(y) / len(y)
    rates = rates[:1] if len(rates) == 2 else rates
    return -(rates * np.log(rates) + (1 - rates) * np.log(1 - rates)).sum()


def table(results):
    """Geometric means of the ratios to MLPClassifier, and ratios of all seconds."""
    parts = {
        f"up to {FEW_ROWS} rows": results[results["rows"] <= FEW_ROWS],
        f"up to {MANY_ROWS} rows": results[results["rows"] > FEW_ROWS],
    }
    lines = []
    for name in ESTIMATORS:
        cells = [name]
        for part in parts.values():
            losses = part.pivot_table("log loss", "data", "estimator")
            ratio = np.exp(np.log(losses[name] / losses["MLPClassifier"]).mean())
            seconds = part.groupby("estimator")["seconds"].sum()
            time_ratio = seconds[name] / seconds["MLPClassifier"]
            fall = part.loc[part["estimator"] == name, "fall"].max()
            cells += [
                f"{ratio:.3f}",
                f"{time_ratio:.2f}",
                "" if name not in SETTINGS else f"{fall:.0%}",
            ]
        lines.append(cells)
    heads = [f"{what}, {part}" for part in parts for what in ("loss", "time", "largest fall")]
    return markdown(["setting", *heads], lines)

"""Folds, units and iterations of ``TwoLayerSigmoidClassifierCV``: what its defaults come from.

Log loss of 5-fold cross-validation on the data sets of ``real_data.CHOICE``, of which the largest
are sampled to 5000 rows. MLPClassifier is there for its time.
"""

from __future__ import annotations

import warnings
from itertools import product

import numpy as np
from joblib import Parallel, delayed
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from benchmarks import real_data
from benchmarks._harness import markdown
from benchmarks.held_out import fit
from two_layer_sigmoid import TwoLayerSigmoidClassifierCV

MINUTES = 6
FEW_ROWS, MANY_ROWS = 2000, 5000
SMALL_LOSS = 0.002  # the ratio of two such losses says nothing
CV = StratifiedKFold(5, shuffle=True, random_state=0)
SETTINGS = {
    f"{n_splits} folds, {n_h} units, {max_iter} iterations": (n_splits, n_h, max_iter)
    for n_splits, n_h, max_iter in [
        *product((3, 4, 5), (32, 48, 64), (30,)),
        (8, 32, 30),
        *product((4,), (32, 64), (15, 60)),
    ]
}


def estimator(name):
    if name not in SETTINGS:
        return MLPClassifier(random_state=0)
    n_splits, n_h, max_iter = SETTINGS[name]
    folds = StratifiedKFold(n_splits, shuffle=True, random_state=0)
    return TwoLayerSigmoidClassifierCV(n_h, cv=folds, max_iter=max_iter, random_state=0)


def rows():
    return Parallel(n_jobs=-1, return_as="generator")(
        delayed(measure)(data, name)
        for data, name in product(real_data.CHOICE, [*SETTINGS, "MLPClassifier"])
    )


def measure(data, name):
    """The mean over the folds; seconds are of the processor."""
    warnings.simplefilter("ignore")  # few rows of a class, and MLPClassifier's max_iter
    X, y = real_data.load(data, max_rows=MANY_ROWS)
    losses, seconds = [], 0.0
    for train, test in CV.split(X, y):
        scaler = StandardScaler().fit(X[train])
        clf, seconds_of_fit = fit(estimator(name), scaler.transform(X[train]), y[train])
        seconds += seconds_of_fit
        P = clf.predict_proba(scaler.transform(X[test]))
        losses.append(log_loss(y[test], P, labels=clf.classes_))
    row = {"data": data, "rows": len(y), "settings": name}
    return row | {"log loss": np.mean(losses), "seconds": seconds}


def table(results):
    """Geometric means of the losses relative to MLPClassifier's, and ratios of all seconds."""
    parts = {
        f"up to {FEW_ROWS} rows": results[results["rows"] <= FEW_ROWS],
        f"up to {MANY_ROWS} rows": results[results["rows"] > FEW_ROWS],
    }
    lines = []
    for name in [*SETTINGS, "MLPClassifier"]:
        cells = [name]
        for part in parts.values():
            losses = part.pivot_table("log loss", "data", "settings")
            losses = losses[losses.min(axis=1) > SMALL_LOSS]
            ratio = np.exp(np.log(losses[name] / losses["MLPClassifier"]).mean())
            seconds = part.groupby("settings")["seconds"].sum()
            cells += [f"{ratio:.3f}", f"{seconds[name] / seconds['MLPClassifier']:.2f}"]
        lines.append(cells)
    heads = [f"{what}, {part}" for part in parts for what in ("loss", "time")]
    return markdown(["settings", *heads], lines)

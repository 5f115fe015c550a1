"""Folds and iterations of ``TwoLayerSigmoidClassifierCV``: the measurement behind its defaults.

Log loss of 5-fold cross-validation on the data sets of ``real_data.CHOICE``, of which the largest
are sampled to 1000 rows. MLPClassifier is there for its time.
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

MINUTES = 3
CV = StratifiedKFold(5, shuffle=True, random_state=0)
SETTINGS = {
    f"{n_splits} folds, {max_iter} iterations": (n_splits, max_iter)
    for n_splits, max_iter in product((5, 8), (15, 30, 60))
}


def estimator(name):
    if name not in SETTINGS:
        return MLPClassifier(random_state=0)
    n_splits, max_iter = SETTINGS[name]
    folds = StratifiedKFold(n_splits, shuffle=True, random_state=0)
    return TwoLayerSigmoidClassifierCV(cv=folds, max_iter=max_iter, random_state=0)


def rows():
    return Parallel(n_jobs=-1, return_as="generator")(
        delayed(measure)(data, name)
        for data, name in product(real_data.CHOICE, [*SETTINGS, "MLPClassifier"])
    )


def measure(data, name):
    """The mean over the folds; seconds are of the processor."""
    warnings.simplefilter("ignore")  # few rows of a class, and MLPClassifier's max_iter
    X, y = real_data.load(data)
    losses, seconds = [], 0.0
    for train, test in CV.split(X, y):
        scaler = StandardScaler().fit(X[train])
        clf, seconds_of_fit = fit(estimator(name), scaler.transform(X[train]), y[train])
        seconds += seconds_of_fit
        P = clf.predict_proba(scaler.transform(X[test]))
        losses.append(log_loss(y[test], P, labels=clf.classes_))
    return {"data": data, "settings": name, "log loss": np.mean(losses), "seconds": seconds}


def table(results):
    losses = results.pivot_table("log loss", "data", "settings", sort=False)
    seconds = results.groupby("settings")["seconds"].sum()
    logarithms = np.log(losses[losses.min(axis=1) > 1e-3]).mean()  # not of a loss of 0
    rows = [
        [name, f"{np.exp(logarithms[name]):.4f}", f"{seconds[name] / seconds['MLPClassifier']:.2f}"]
        for name in losses
    ]
    return markdown(["settings", "geometric mean of the log loss", "time"], rows)

"""Log loss and time of ``TwoLayerSigmoidClassifierCV``, and of estimators that are tuned.

The data sets, rows and folds are those of ``benchmarks/held_out.py``. LogisticRegressionCV and the
grid search choose by log loss, because their default is accuracy. RealMLP is the network of
pytabkit with its tuned defaults for small data, validated by cross entropy. It needs pytabkit, in
an environment of its own because it installs PyTorch; without it the column is left out.
"""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from itertools import product

import numpy as np
from joblib import Parallel, delayed
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from benchmarks import real_data
from benchmarks._harness import markdown
from benchmarks.held_out import CV, MAX_ROWS, fit
from two_layer_sigmoid import TwoLayerSigmoidClassifierCV

MINUTES = 40
AVERAGE, GRID, REAL_MLP = "ours, CV", "GridSearchCV(MLPClassifier)", "RealMLP"
ALPHAS = np.logspace(-4, 0, 9)


def estimator(name):
    if name == AVERAGE:
        return TwoLayerSigmoidClassifierCV(random_state=0)
    if name == "MLPClassifier":
        return MLPClassifier(random_state=0)
    if name == GRID:
        mlp = MLPClassifier(random_state=0)
        return GridSearchCV(mlp, {"alpha": ALPHAS}, cv=5, scoring="neg_log_loss")
    if name == "LogisticRegressionCV":
        return LogisticRegressionCV(
            scoring="neg_log_loss", l1_ratios=(0,), use_legacy_attributes=False
        )
    from pytabkit import RealMLP_TD_S_Classifier  # noqa: PLC0415 - absent from most environments

    return RealMLP_TD_S_Classifier(
        device="cpu", n_threads=1, random_state=0, val_metric_name="cross_entropy"
    )


NAMES = [AVERAGE, "MLPClassifier", "LogisticRegressionCV", GRID]
NAMES += [REAL_MLP] if find_spec("pytabkit") else []


def rows():
    return Parallel(n_jobs=-1, return_as="generator")(
        delayed(measure)(data, name) for data, name in product(real_data.EVALUATION, NAMES)
    )


def measure(data, name):
    """The mean over the folds; seconds are of the processor."""
    warnings.simplefilter("ignore")  # iteration limits, and few rows of a class
    X, y = real_data.load(data, max_rows=MAX_ROWS)
    losses, seconds = [], 0.0
    for train, test in CV.split(X, y):
        scaler = StandardScaler().fit(X[train])
        clf, seconds_of_fit = fit(estimator(name), scaler.transform(X[train]), y[train])
        seconds += seconds_of_fit
        P = clf.predict_proba(scaler.transform(X[test])).astype(np.float64)
        losses.append(log_loss(y[test], P / P.sum(axis=1, keepdims=True), labels=clf.classes_))
    return {"data": data, "estimator": name, "log loss": np.mean(losses), "seconds": seconds}


def table(results):
    losses = results.pivot_table("log loss", "data", "estimator", sort=False)
    seconds = results.pivot_table("seconds", "data", "estimator", sort=False)
    lines = []
    for data, line in losses.iterrows():
        best = line.min()
        cells = [
            f"**{loss:.3f}** ({seconds.loc[data, name]:.1f})"
            if loss == best
            else f"{loss:.3f} ({seconds.loc[data, name]:.1f})"
            for name, loss in line.items()
        ]
        lines.append([data, *cells])
    ranks = losses.rank(axis=1).mean()
    lines.append(["mean rank", *(f"{ranks[name]:.2f}" for name in losses)])
    lines.append(["seconds of all fits", *(f"{seconds[name].sum():.0f}" for name in losses)])
    return markdown(["log loss (seconds)", *losses], lines)

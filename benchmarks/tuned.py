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
from sklearn.model_selection import GridSearchCV

from benchmarks import real_data
from benchmarks._harness import lowest_bold, markdown
from benchmarks.held_out import AVERAGE, CV, ESTIMATORS, MAX_ROWS, mean_over_folds

MINUTES = 40
GRID, REAL_MLP = "GridSearchCV(MLPClassifier)", "RealMLP"
ALPHAS = np.logspace(-4, 0, 9)
NAMES = [AVERAGE, "MLPClassifier", "LogisticRegressionCV", GRID]
NAMES += [REAL_MLP] if find_spec("pytabkit") else []


def estimator(name):
    if name in ESTIMATORS:
        return ESTIMATORS[name]
    if name == GRID:
        mlp = ESTIMATORS["MLPClassifier"]
        return GridSearchCV(mlp, {"alpha": ALPHAS}, cv=5, scoring="neg_log_loss")
    if name == "LogisticRegressionCV":
        return LogisticRegressionCV(
            scoring="neg_log_loss", l1_ratios=(0,), use_legacy_attributes=False
        )
    from pytabkit import RealMLP_TD_S_Classifier  # noqa: PLC0415 - absent from most environments

    return RealMLP_TD_S_Classifier(
        device="cpu", n_threads=1, random_state=0, val_metric_name="cross_entropy"
    )


def rows():
    return Parallel(n_jobs=-1, return_as="generator")(
        delayed(measure)(data, name) for data, name in product(real_data.EVALUATION, NAMES)
    )


def measure(data, name):
    """The mean over the folds; seconds are of the processor."""
    warnings.simplefilter("ignore")  # iteration limits, and few rows of a class
    X, y = real_data.load(data, max_rows=MAX_ROWS)
    return {"data": data, "estimator": name} | mean_over_folds(estimator(name), X, y, CV)


def table(results):
    losses, seconds = (
        results.pivot_table(column, "data", "estimator", sort=False)
        for column in ("log loss", "seconds")
    )
    lines = []
    for data, line in losses.iterrows():
        times = seconds.loc[data]
        cells = (f"{loss} ({s:.1f})" for loss, s in zip(lowest_bold(line), times, strict=True))
        lines.append([data, *cells])
    ranks = losses.rank(axis=1).mean()
    lines.append(["mean rank", *(f"{ranks[name]:.2f}" for name in losses)])
    lines.append(["seconds of all fits", *(f"{seconds[name].sum():.0f}" for name in losses)])
    return markdown(["log loss (seconds)", *losses], lines)

"""Log loss on held-out rows of real data sets, every estimator with its default settings.

Ours is compared with MLPClassifier, LogisticRegression and HistGradientBoostingClassifier in 5-fold
cross-validation. All get standardised features, which LogisticRegression and MLPClassifier need.
The default parameters were chosen on other data sets (``benchmarks/defaults.py``): the data sets of
``real_data.EVALUATION`` had no part in it.
"""

from __future__ import annotations

import time
import warnings
from itertools import chain, product

import numpy as np
from joblib import Parallel, delayed
from matplotlib.figure import Figure
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from benchmarks import real_data
from benchmarks._harness import BASELINE, OURS, lowest_bold, markdown
from two_layer_sigmoid import TwoLayerSigmoidClassifier, TwoLayerSigmoidClassifierCV

MINUTES = 12
MAX_ROWS = 5000
CV = StratifiedKFold(5, shuffle=True, random_state=0)
AVERAGE = "ours, CV"
ESTIMATORS = {
    "ours": TwoLayerSigmoidClassifier(random_state=0),
    AVERAGE: TwoLayerSigmoidClassifierCV(random_state=0),
    "MLPClassifier": MLPClassifier(random_state=0),
    "LogisticRegression": LogisticRegression(),
    "HistGradientBoosting": HistGradientBoostingClassifier(random_state=0),
}
OURS_NAMES = ["ours", AVERAGE]
STYLES = {  # colour and marker in figures
    "ours": (OURS, "o"),
    AVERAGE: ("#CC79A7", "*"),
    "MLPClassifier": (BASELINE, "s"),
    "LogisticRegression": ("0.35", "x"),
    "HistGradientBoosting": ("#009E73", "^"),
}


def rows():
    measured = Parallel(n_jobs=-1, return_as="generator")(
        delayed(measure)(data, name) for data, name in product(real_data.EVALUATION, ESTIMATORS)
    )
    return chain.from_iterable(measured)


def measure(data, name):
    """A row for each fold; seconds are of the processor."""
    warnings.simplefilter("ignore")  # MLPClassifier and LogisticRegression reach max_iter
    X, y = real_data.load(data, max_rows=MAX_ROWS)
    rows = []
    for fold, (clf, seconds, P, _, test) in enumerate(each_fold(ESTIMATORS[name], X, y, CV)):
        row = {"data": data, "estimator": name, "fold": fold}
        row["log loss"] = log_loss(y[test], P, labels=clf.classes_)
        row["accuracy"] = accuracy_score(y[test], clf.classes_[P.argmax(axis=1)])
        rows.append(row | {"seconds": seconds})
    return rows


def each_fold(estimator, X, y, cv):
    """A fitted clone, the seconds, the probabilities of the held-out rows, and the rows of both."""
    for train, test in cv.split(X, y):
        scaler = StandardScaler().fit(X[train])
        clf, seconds = fit(estimator, scaler.transform(X[train]), y[train])
        P = clf.predict_proba(scaler.transform(X[test])).astype(np.float64)
        yield clf, seconds, P / P.sum(axis=1, keepdims=True), train, test


def mean_over_folds(estimator, X, y, cv):
    """The columns with the mean log loss and the seconds of all fits."""
    folds = list(each_fold(estimator, X, y, cv))
    losses = [log_loss(y[test], P, labels=clf.classes_) for clf, _, P, _, test in folds]
    return {"log loss": np.mean(losses), "seconds": sum(seconds for _, seconds, *_ in folds)}


def fit(estimator, X, y):
    """A fitted clone of the estimator, and the seconds of the processor."""
    clf = clone(estimator)
    began = time.process_time()
    clf.fit(X, y)
    return clf, time.process_time() - began


def table(results):
    losses = results.pivot_table("log loss", "data", "estimator", sort=False)
    rows = []
    for data, line in losses.iterrows():
        rows.append([data, *lowest_bold(line)])
    for ours in OURS_NAMES:
        ranks = (
            losses.drop(columns=[name for name in OURS_NAMES if name != ours]).rank(axis=1).mean()
        )
        cells = [f"{ranks[name]:.2f}" if name in ranks else "" for name in losses]
        rows.append([f"mean rank, with {ours}", *cells])
    seconds = results.groupby("estimator")["seconds"].sum()
    rows.append(["seconds of all fits", *(f"{seconds[name]:.0f}" for name in losses)])
    return markdown(["log loss", *losses], rows)


def relative_to_mlp(results, column, name, min_loss=0.0):
    """The geometric mean of the losses relative to MLPClassifier's, and the ratio of all seconds.

    ``column`` has the name. Data sets on which a loss is not above ``min_loss`` are left out.
    """
    losses = results.pivot_table("log loss", ["data", "rows"], column)
    losses = losses[losses.min(axis=1) > min_loss]
    ratio = np.exp(np.log(losses[name] / losses["MLPClassifier"]).mean())
    seconds = results.groupby(column)["seconds"].sum()
    return ratio, seconds[name] / seconds["MLPClassifier"]


def figures(results):
    losses = results.pivot_table("log loss", "data", "estimator", sort=False)
    relative = losses.div(losses["LogisticRegression"], axis=0).sort_values("ours")
    figure = Figure(figsize=(9, 6), layout="constrained")
    ax = figure.subplots()
    for name in relative.columns.drop("LogisticRegression"):
        colour, marker = STYLES[name]
        ax.scatter(relative[name], range(len(relative)), c=colour, marker=marker, s=40, label=name)
    ax.axvline(1, color="k", linewidth=0.8)
    ax.set_yticks(range(len(relative)), relative.index)
    ax.set(xscale="log", xlabel="log loss on held-out rows, relative to LogisticRegression")
    ax.set_xticks([0.1, 0.2, 0.5, 1, 2], ["0.1", "0.2", "0.5", "1", "2"], minor=False)
    ax.minorticks_off()
    ax.grid(alpha=0.3)
    ax.set_axisbelow(True)
    ax.legend()
    return {"held_out": figure}

"""The held-out loss of ``TwoLayerSigmoidClassifierCV``, as an estimate of the loss of new rows.

``held_out_loss_`` is compared with the log loss of thousands of other rows. Some rows of real data
sets are drawn, and the rest of them is new. The made problems are clean and noisy.
"""

from __future__ import annotations

import warnings
from itertools import product

import numpy as np
from joblib import Parallel, delayed
from sklearn.datasets import make_classification, make_hastie_10_2, make_moons
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from benchmarks import real_data
from benchmarks._harness import markdown
from two_layer_sigmoid import TwoLayerSigmoidClassifierCV

MINUTES = 3
N_NEW = 4000
SIZES = (100, 300, 1000)
DRAWS = range(10)
MADE = {
    "moons, noise 0.1": lambda n, seed: make_moons(n, noise=0.1, random_state=seed),
    "moons, noise 0.4": lambda n, seed: make_moons(n, noise=0.4, random_state=seed),
    "Hastie's 10.2": lambda n, seed: make_hastie_10_2(n, random_state=seed),
    "5 classes of 20 features": lambda n, seed: make_classification(
        n, 20, n_informative=8, n_classes=5, flip_y=0.05, random_state=seed
    ),
    "no information": lambda n, seed: (
        np.random.RandomState(seed).normal(size=(n, 10)),
        np.arange(n) % 2,
    ),
}
REAL = ("banana", "magic", "marketing", "penbased", "texture", "phoneme", "spambase", "satimage")


def rows():
    problems = product([*MADE, *REAL], SIZES, DRAWS)
    return Parallel(n_jobs=-1, return_as="generator")(delayed(measure)(*one) for one in problems)


def measure(problem, size, draw):
    """One draw of the training rows."""
    warnings.simplefilter("ignore")  # classes with fewer rows than folds
    X, y = data(problem, size, draw)
    X, X_new, y, y_new = train_test_split(X, y, train_size=size, stratify=y, random_state=draw)
    scaler = StandardScaler().fit(X)
    clf = TwoLayerSigmoidClassifierCV(random_state=draw).fit(scaler.transform(X), y)
    P = clf.predict_proba(scaler.transform(X_new))
    row = {"problem": problem, "rows": size, "draw": draw, "estimate": clf.held_out_loss_}
    return row | {"new rows": log_loss(y_new, P, labels=clf.classes_)}


def data(problem, size, draw):
    if problem in MADE:
        return MADE[problem](size + N_NEW, draw)
    return real_data.load(problem, max_rows=None)


def table(results):
    lines = []
    for problem, part in results.groupby("problem", sort=False):
        cells = [cell(few) for _, few in part.groupby("rows")]
        lines.append([problem, *cells])
    lines.append(["all", *(cell(few) for _, few in results.groupby("rows"))])
    return markdown(["estimate / loss of new rows", *(f"{size} rows" for size in SIZES)], lines)


def cell(draws):
    """The median of the ratio, and how often the estimate is not more than 20 % too low."""
    ratio = draws["estimate"] / draws["new rows"]
    return f"{ratio.median():.2f} ({(ratio >= 0.8).mean():.0%})"

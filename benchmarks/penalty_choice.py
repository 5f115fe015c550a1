"""How good the penalty of ``alpha="loo"`` is, compared with the best of its path in hindsight.

Networks are fitted by L-BFGS to made problems of 300 rows, with and without noise, and to the real
data sets of ``real_data.CHOICE``. ``alpha="loo"`` is compared with a fit for each penalty of its
path, by the log loss on new rows: 5000 made ones, or the rows of two folds. Each fit of
``alpha="loo"`` is a row.
"""

from __future__ import annotations

import warnings

import numpy as np
from joblib import Parallel, delayed
from sklearn.datasets import make_blobs, make_classification, make_moons
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

from benchmarks import problems, real_data
from benchmarks._harness import markdown, percent
from two_layer_sigmoid import TwoLayerSigmoidClassifier

MINUTES = 6
N_ROWS, N_NEW = 300, 5000
N_SEEDS = 3
UNITS = 16, 32
CV = StratifiedKFold(5, shuffle=True, random_state=0)
N_FOLDS = 2  # of the five


def labelled(label, n_features=2):
    """A problem without noise: rows from a normal distribution, and a function that labels them."""

    def make(seed):
        X = np.random.RandomState(seed).standard_normal((N_ROWS + N_NEW, n_features))
        return X, label(X).astype(int)

    return make


def moons(noise):
    return lambda seed: make_moons(N_ROWS + N_NEW, noise=noise, random_state=seed)


def classification(n_classes):
    return lambda seed: make_classification(
        N_ROWS + N_NEW, n_informative=6, n_classes=n_classes, flip_y=0.1, random_state=seed
    )


def blobs(seed):
    return make_blobs(
        N_ROWS + N_NEW, centers=problems.LECTURE_CENTERS, cluster_std=2, random_state=seed
    )


MADE = {
    "made, without noise": {
        "checkerboard": labelled(lambda X: np.floor(1.5 * X).sum(axis=1) % 2),
        "hyperplane": labelled(lambda X: X @ np.arange(1, 11) > 0, n_features=10),
        "parabola": labelled(lambda X: X[:, 0] + X[:, 1] ** 2 > 1),
        "rings": labelled(lambda X: np.digitize(np.hypot(*X.T), [0.8, 1.5])),
        "signs": labelled(lambda X: X[:, 0] * X[:, 1] > 0),
    },
    "made, with noise": {
        "blobs": blobs,
        "classification, 2 classes": classification(2),
        "classification, 3 classes": classification(3),
        "moons, 0.2": moons(0.2),
        "moons, 0.3": moons(0.3),
    },
}


def rows():
    tasks = [
        (group, name, n_h, seed)
        for group, makers in MADE.items()
        for name in makers
        for n_h in UNITS
        for seed in range(N_SEEDS)
    ]
    tasks += [("real", name, 32, fold) for name in real_data.CHOICE for fold in range(N_FOLDS)]
    measured = Parallel(n_jobs=-1, return_as="generator")(delayed(measure)(*t) for t in tasks)
    return filter(None, measured)


def measure(group, name, n_h, number):
    """The losses of a fit with ``alpha="loo"``; None if it is too expensive."""
    warnings.simplefilter("ignore")
    X, y, X_new, y_new = data(group, name, number)

    def fit(alpha):
        clf = TwoLayerSigmoidClassifier(n_h, solver="lbfgs", alpha=alpha, random_state=0, n_jobs=1)
        clf.fit(X, y)
        return clf, log_loss(y_new, clf.predict_proba(X_new), labels=clf.classes_)

    try:
        clf, loss = fit("loo")
    except ValueError as error:
        if "too expensive" not in str(error):
            raise
        return None
    best = min(loss, *(fit(alpha)[1] for alpha in clf.loo_path_["alpha"]))
    case = {"group": group, "data": name, "n_h": n_h, "number": number}
    return case | {"alpha": clf.alpha_, "loo": clf.loo_loss_, "new": loss, "best": best}


def data(group, name, number):
    """The rows and labels of training, and the new ones."""
    if group in MADE:
        X, y = MADE[group][name](number)
        return X[:N_ROWS], y[:N_ROWS], X[N_ROWS:], y[N_ROWS:]
    X, y = real_data.load(name)
    train, new = list(CV.split(X, y))[number]
    return X[train], y[train], X[new], y[new]


def table(results):
    rows = []
    for group, fits in results.groupby("group", sort=False):
        regret, estimate = fits["new"] / fits["best"] - 1, fits["loo"] / fits["new"]
        near, accurate = (regret <= 0.1).mean(), ((estimate - 1).abs() <= 0.15).mean()
        figures = percent(regret.median()), percent(regret.quantile(0.9)), percent(near)
        rows.append(
            [group, str(len(fits)), *figures, f"{estimate.median():.2f}", percent(accurate)]
        )
    regret = "regret: median", "9 of 10 below", "at most 10 %"
    estimate = "estimate / new loss: median", "within 15 %"
    return markdown(["", "fits", *regret, *estimate], rows)

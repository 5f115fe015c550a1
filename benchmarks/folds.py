"""Folds, units and iterations of ``TwoLayerSigmoidClassifierCV``: what its defaults come from.

Log loss of 5-fold cross-validation on the data sets of ``real_data.CHOICE``, of which the largest
are sampled to 5000 rows. MLPClassifier is there for its time.
"""

from __future__ import annotations

import warnings
from itertools import product

from joblib import Parallel, delayed
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier

from benchmarks import real_data
from benchmarks._harness import markdown
from benchmarks.held_out import mean_over_folds, relative_to_mlp
from two_layer_sigmoid import TwoLayerSigmoidClassifierCV

MINUTES = 6
FEW_ROWS, MANY_ROWS = 2000, 5000
SMALL_LOSS = 0.002  # the ratio of two such losses says nothing
CV = StratifiedKFold(5, shuffle=True, random_state=0)
SETTINGS = {
    f"{n_splits} folds, {n_h} units, {max_iter} iterations": TwoLayerSigmoidClassifierCV(
        n_h,
        cv=StratifiedKFold(n_splits, shuffle=True, random_state=0),
        max_iter=max_iter,
        random_state=0,
    )
    for n_splits, n_h, max_iter in [
        *product((3, 4, 5), (32, 48, 64), (30,)),
        (8, 32, 30),
        *product((4,), (32, 64), (15, 60)),
    ]
}
ESTIMATORS = SETTINGS | {"MLPClassifier": MLPClassifier(random_state=0)}


def rows():
    return Parallel(n_jobs=-1, return_as="generator")(
        delayed(measure)(data, name) for data, name in product(real_data.CHOICE, ESTIMATORS)
    )


def measure(data, name):
    """The mean over the folds; seconds are of the processor."""
    warnings.simplefilter("ignore")  # few rows of a class, and MLPClassifier's max_iter
    X, y = real_data.load(data, max_rows=MANY_ROWS)
    row = {"data": data, "rows": len(y), "settings": name}
    return row | mean_over_folds(ESTIMATORS[name], X, y, CV)


def table(results):
    """Geometric means of the losses relative to MLPClassifier's, and ratios of all seconds."""
    parts = {
        f"up to {FEW_ROWS} rows": results[results["rows"] <= FEW_ROWS],
        f"up to {MANY_ROWS} rows": results[results["rows"] > FEW_ROWS],
    }
    lines = []
    for name in ESTIMATORS:
        cells = [name]
        for part in parts.values():
            loss, time = relative_to_mlp(part, "settings", name, min_loss=SMALL_LOSS)
            cells += [f"{loss:.3f}", f"{time:.2f}"]
        lines.append(cells)
    heads = [f"{what}, {part}" for part in parts for what in ("loss", "time")]
    return markdown(["settings", *heads], lines)

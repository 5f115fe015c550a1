"""Log loss and accuracy on held-out rows of fits with and without regularisation.

The fits of ``benchmarks/reliability.py``, and ours with a penalty or early stopping, in 5-fold
cross-validation.
"""

from __future__ import annotations

from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

from benchmarks import reliability
from benchmarks._harness import markdown
from benchmarks.baselines import loss_of
from benchmarks.reliability import PROBLEMS, measure, ours
from two_layer_sigmoid import _network

MINUTES = 15
CV = StratifiedKFold(5, shuffle=True, random_state=0)
FITS = reliability.FITS | {
    "ours, alpha": ours(alpha=1e-3),
    "ours, early stopping": ours(early_stopping=True),
    "ours, L-BFGS, alpha": ours(solver="lbfgs", alpha=1e-3),
    "ours, L-BFGS, early stopping": ours(solver="lbfgs", early_stopping=True),
}


def rows():
    larger = [problem for problem in PROBLEMS if "parity" not in problem]  # 16 rows have no folds
    return measure(held_out, larger, FITS, range(CV.n_splits))


def held_out(problem, name, fold):
    make, standardise, n_h = PROBLEMS[problem]
    X, y = make()
    train, test = list(CV.split(X, y))[fold]
    if standardise:
        X = StandardScaler().fit(X[train]).transform(X)
    params, _ = FITS[name](X[train], y[train], n_h, 0)
    A2, _ = _network.forward_propagation(X[test].T, params)
    return {
        "fold": fold,
        "accuracy": accuracy_score(y[test], A2[0] > 0.5),
        "log loss": loss_of(params, X[test], y[test]),
    }


def table(results):
    names = results["problem"].unique()
    rows = []
    for estimator, group in results.groupby("estimator", sort=False):
        means = group.groupby("problem")[["log loss", "accuracy"]].mean().loc[names]
        cells = zip(means["log loss"], means["accuracy"], strict=True)
        rows.append([estimator, *(f"{loss:.3f}, {accuracy:.3f}" for loss, accuracy in cells)])
    return markdown(["", *names], rows)

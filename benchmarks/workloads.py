"""Time of L-BFGS evaluations, epochs, grid searches and predictions, compared with MLPClassifier.

Both estimators have sigmoid units and do the same work on the same data.
"""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np
from joblib import Parallel, delayed
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier

from benchmarks import problems
from benchmarks._harness import markdown
from benchmarks.baselines import LECTURE
from benchmarks.timing import cell, compare, duration, each_of, note, timed
from two_layer_sigmoid import TwoLayerSigmoidClassifier
from two_layer_sigmoid._blocks import row_blocks

MINUTES = 4
ALPHA = 1e-3  # of L-BFGS; without it training ends after few iterations


def rows():
    for workload, (implementations, n_rounds) in workloads():
        for row in compare(implementations, n_rounds):
            yield {"workload": workload} | row


def table(results):
    rows = []
    for workload, part in results.groupby("workload", sort=False):
        ours, baseline = part.iloc[0], part.iloc[1]
        times = (note(row) or duration(row["us"]) for row in (ours, baseline))
        rows.append([workload, *times, cell(baseline)])
    return markdown(["workload", "ours", "MLPClassifier", "MLPClassifier / ours"], rows)


def workloads():
    """Name, implementations and number of rounds of each workload."""
    for name, (X, y), n_h, max_iter, n_rounds in [
        ("A: lecture, 2 units", problems.load(problems.lecture, True), 2, 50, 15),
        ("B: breast cancer, 16 units", problems.load(problems.breast_cancer, True), 16, 100, 15),
        ("E: 500000 x 20, 32 units", problems.noise(500_000, 20), 32, 8, 3),
    ]:
        yield f"evaluation of L-BFGS, {name}", (evaluations(X, y, n_h, max_iter), n_rounds)
    for dtype in "float64", "float32":
        X, y = problems.noise(100_000, 20, dtype)
        yield f"epoch of mini-batches, 100000 x 20, {dtype}", (epochs(X, y), 5)
    for problem in problems.lecture, problems.breast_cancer:
        for n_jobs in 1, 2:
            name = f"grid search, {problem.__name__}, n_jobs={n_jobs}"
            yield name, (searches(*problems.load(problem, True), n_jobs), 3)
    X, _ = problems.noise(1_000_000, 20)
    for n_rows, n_classes in itertools.product((1, 10, 100), (2, 3)):
        rows = "1 row" if n_rows == 1 else f"{n_rows} rows"
        name = f"predict_proba, {rows}, {n_classes} classes"
        yield name, (predictions(X[:n_rows], 1000, n_classes=n_classes), 9)
    yield "predict, 1 row, 2 classes", (predictions(X[:1], 1000, method="predict"), 9)
    yield "predict_proba, 1000000 rows, float64", (predictions(X, 1), 9)
    yield "predict_proba, 1000000 rows, float32", (predictions(X.astype("float32"), 1), 9)


def evaluations(X, y, n_h, max_iter):
    """One evaluation of L-BFGS, with the work of the optimiser between two evaluations."""
    params = {"solver": "lbfgs", "max_iter": max_iter, "tol": 0}
    seeds, seeds_of_mlp = itertools.count(), itertools.count()

    def ours():
        settings = LECTURE | {"alpha": ALPHA, "random_state": next(seeds)} | params
        clf = TwoLayerSigmoidClassifier(n_h, **settings)
        clf._backward, calls = counted(clf._backward)
        seconds, _ = timed(lambda: clf.fit(X, y))
        return seconds / (next(calls) / len(row_blocks(X, n_h))), clf.loss_

    def mlp_classifier():
        mlp = MLPClassifier((n_h,), alpha=ALPHA * len(X), random_state=next(seeds_of_mlp), **params)
        mlp.set_params(activation="logistic")
        mlp._loss_grad_lbfgs, calls = counted(mlp._loss_grad_lbfgs)
        seconds, _ = timed(lambda: mlp.fit(X, y))
        return seconds / next(calls), mlp.loss_

    return {"ours": lambda: ours, "MLPClassifier": lambda: mlp_classifier}


def counted(function):
    """The function, and an iterator whose next value is the number of calls."""
    calls = itertools.count()

    def counting(*args, **options):
        next(calls)
        return function(*args, **options)

    return counting, calls


def epochs(X, y):
    """One epoch of gradient descent in batches of 200."""
    params = {"batch_size": 200, "tol": 0, "random_state": 0, "alpha": 0.0}

    def ours(n):
        clf = TwoLayerSigmoidClassifier(32, 0.1, max_iter=n, **LECTURE | params)
        return clf.fit(X, y).loss_

    def mlp_classifier(n):
        mlp = MLPClassifier((32,), learning_rate_init=0.1, max_iter=n, **params)
        mlp.set_params(activation="logistic", solver="sgd", momentum=0, n_iter_no_change=10**9)
        return mlp.fit(X, y).loss_

    def prepared(fit):
        return lambda: lambda: each_of(2, partial(fit, 3), partial(fit, 1))

    return {"ours": prepared(ours), "MLPClassifier": prepared(mlp_classifier)}


def searches(X, y, n_jobs):
    """5 rates, 4 numbers of units, 5 folds, 300 iterations; the result is the best score."""
    rates, numbers = [0.15, 0.3, 0.6, 1.2, 2.4], [2, 4, 8, 16]
    ours = TwoLayerSigmoidClassifier(max_iter=300, tol=0, random_state=0, **LECTURE)
    mlp = MLPClassifier(activation="logistic", solver="sgd", momentum=0, alpha=0, max_iter=300)
    mlp.set_params(batch_size=10**9, tol=0, n_iter_no_change=10**9, shuffle=False, random_state=0)

    def prepared(estimator, grid):
        search = GridSearchCV(estimator, grid, scoring="neg_log_loss", n_jobs=n_jobs)
        return lambda: lambda: timed(lambda: search.fit(X, y).best_score_)

    Parallel(n_jobs)(delayed(log_loss)([0, 1], [0.1, 0.9]) for _ in range(2))  # start processes
    return {
        "ours": prepared(ours, {"learning_rate": rates, "n_h": numbers}),
        "MLPClassifier": prepared(
            mlp, {"learning_rate_init": rates, "hidden_layer_sizes": [(n,) for n in numbers]}
        ),
    }


def predictions(X, n_calls, *, method="predict_proba", n_classes=2):
    """Predictions with 32 units; the result is the last number predicted."""
    X_train, _ = problems.noise(2000, 20, X.dtype)
    y_train = np.arange(2000) % n_classes

    def prepared(estimator):
        def work():
            for _ in range(n_calls):
                predicted = getattr(estimator, method)(X)
            return predicted.ravel()[-1]

        def prepare():
            estimator.fit(X_train, y_train)
            return lambda: np.divide(timed(work), (n_calls, 1))

        return prepare

    return {
        "ours": prepared(TwoLayerSigmoidClassifier(32, max_iter=20, random_state=0)),
        "MLPClassifier": prepared(
            MLPClassifier((32,), activation="logistic", max_iter=5, random_state=0)
        ),
    }

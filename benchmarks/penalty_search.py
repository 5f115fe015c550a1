"""Time of ``alpha="loo"``, compared with one fit and with a grid search over the same penalties.

All are fits by L-BFGS with 8 and 32 hidden units on one thread, interleaved in one process. The
single fit has the weakest penalty of the path. The grid search is a ``GridSearchCV`` with 5 folds
and log loss over the penalties that the path tried, with a fit of the best one on all rows.
"""

from __future__ import annotations

from functools import partial

from sklearn.datasets import load_iris, load_wine
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits

from benchmarks import problems
from benchmarks._harness import markdown, three_digits
from benchmarks.timing import compare, timed
from two_layer_sigmoid import TwoLayerSigmoidClassifier

MINUTES = 7
DATA = {
    "breast cancer": problems.breast_cancer,
    "classification": problems.classification,
    "iris": partial(load_iris, return_X_y=True),
    "lecture": problems.lecture,
    "moons": problems.moons,
    "parabola": problems.parabola,
    "wine": partial(load_wine, return_X_y=True),
}
UNITS = 8, 32
N_ROUNDS = 3


def rows():
    with threadpool_limits(1):
        for data in DATA:
            for n_h in UNITS:
                yield from measure(data, n_h)


def measure(data, n_h):
    """A row for each way to choose the penalty; the result is the training loss with penalty."""
    X, y = DATA[data]()
    clf = TwoLayerSigmoidClassifier(n_h, solver="lbfgs", n_jobs=1, random_state=0)
    loo = clf.set_params(alpha="loo").fit(X, y)
    alphas = loo.loo_path_["alpha"]
    size = sum(weights.size for weights in (loo.W1_, loo.b1_, loo.W2_, loo.b2_))

    def fit(alpha):
        return clf.set_params(alpha=alpha).fit(X, y).loss_

    def search():
        grid = GridSearchCV(clf, {"alpha": alphas}, scoring="neg_log_loss", cv=5)
        return grid.fit(X, y).best_estimator_.loss_

    ways = {
        "loo": partial(fit, "loo"),
        "one fit": partial(fit, alphas[0]),
        "GridSearchCV": search,
    }
    prepared = {name: lambda way=way: lambda: timed(way) for name, way in ways.items()}
    for row in compare(prepared, N_ROUNDS):
        yield {"data": data, "n_h": n_h, "parameters": size, "penalties": len(alphas)} | row


def table(results):
    rows = []
    ratio = "relative to ours"
    for (data, n_h), group in results.groupby(["data", "n_h"], sort=False):
        found = group.set_index("implementation")
        loo, one, grid = (found.loc[name] for name in ("loo", "one fit", "GridSearchCV"))
        size, seconds = str(loo["parameters"]), f"{loo['us'] / 1e6:.2g}"
        rows.append(
            [data, str(n_h), size, seconds, *map(three_digits, (1 / one[ratio], grid[ratio]))]
        )
    ratios = "time / one fit", "GridSearchCV / time"
    return markdown(["alpha='loo'", "n_h", "parameters", "seconds", *ratios], rows)

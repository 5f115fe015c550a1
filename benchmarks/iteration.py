"""Time of one iteration of full-batch gradient descent, loss included, compared with baselines.

``python -m benchmarks.iteration`` measures five sizes, in float64 and float32. A time is the
difference of two runs, so the overhead of a fit is not in it. Our loss is computed for the final
parameters of all. It prints a table and writes ``benchmarks/results/iteration.csv``.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from benchmarks import problems
from benchmarks.baselines import BASELINES, ours, start_of
from benchmarks.machine import save
from benchmarks.timing import compare, each_of
from two_layer_sigmoid import _network

SIZES = {  # m, n_x, n_h; iterations in a round, rounds
    "A": (2000, 2, 2, 500, 9),
    "B": (569, 30, 16, 500, 9),
    "C": (20000, 20, 32, 50, 9),
    "D": (60000, 784, 64, 2, 5),
    "E": (500000, 20, 32, 3, 5),
}
THREADS_PAY = ("C", "D", "E")
LEARNING_RATE = 0.5


def main() -> None:
    table = pd.DataFrame(
        [row for size in SIZES for dtype in ("float64", "float32") for row in measure(size, dtype)]
    )
    print(table.to_string(index=False, float_format="{:.4g}".format))
    save(table, "iteration")


def measure(size, dtype):
    """One row for each implementation at one size."""
    m, n_x, n_h, n_iter, n_rounds = SIZES[size]
    X, y = problems.noise(m, n_x, dtype)
    start = start_of(n_x, n_h, dtype)
    implementations = dict(BASELINES)
    if size in THREADS_PAY:
        implementations["ours, n_jobs=1"] = partial(ours, n_jobs=1)
    prepared = {
        name: partial(prepare, implementation, X, y, start, n_iter)
        for name, implementation in implementations.items()
    }
    for row in compare(prepared, n_rounds):
        yield {"size": size, "m": m, "n_x": n_x, "n_h": n_h, "dtype": dtype} | row


def prepare(implementation, X, y, start, n_iter):
    fewer, more = (implementation(X, y, start, LEARNING_RATE, n) for n in (1, 1 + n_iter))

    def work():
        seconds, params = each_of(n_iter, more, fewer)
        return seconds, score(params, X, y)

    return work


def score(params, X, y):
    """Our loss of any parameters; NaN for the lower bound, which has none."""
    if params is None:
        return np.nan
    _, cache = _network.forward(X.T, params)
    return _network.cost(cache, y[np.newaxis])


if __name__ == "__main__":
    main()

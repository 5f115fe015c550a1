"""Time of one gradient-descent iteration, cost included: ours against its rivals.

``python -m benchmarks.run`` times all rivals interleaved in one process, so that whatever else the
machine does meets them alike, and reports medians over the rounds, of times and of ratios to ours
in the same round. Every rival's parameters are re-scored by our cost: who is fast but wrong shows.
It prints a table and writes ``benchmarks/results/iteration.csv``.
"""

from __future__ import annotations

import time
import warnings

import numpy as np
import pandas as pd

from benchmarks import problems
from benchmarks.machine import save
from benchmarks.rivals import RIVALS
from two_layer_sigmoid import _network

SIZES = [  # m, n_x, n_h, iterations in a round
    (2000, 2, 2, 1000),
    (569, 30, 16, 1000),
    (20000, 20, 32, 50),
]
N_ROUNDS = 11
LEARNING_RATE = 0.5


def main() -> None:
    warnings.simplefilter("ignore")  # MLPClassifier's, about the iterations it was allowed
    table = pd.DataFrame([row for size in SIZES for row in measure(*size)])
    print(table.to_string(index=False, float_format="{:.4g}".format))
    save(table, "iteration")


def measure(m, n_x, n_h, n_iter):
    """One row for each rival at one size."""
    X, y = problems.noise(m, n_x)
    random_state = np.random.RandomState(0)
    start = _network.initialize_spread(n_x, n_h, 1, random_state=random_state)
    seconds = {name: [] for name in RIVALS}
    costs, failures = {}, {}
    for _ in range(N_ROUNDS):
        for name, rival in RIVALS.items():
            if name in failures:
                continue
            try:
                run = rival(X, y, start, LEARNING_RATE, n_iter)
            except ImportError as error:
                failures[name] = str(error)
                continue
            began = time.perf_counter()
            params = run()
            seconds[name].append((time.perf_counter() - began) / n_iter)
            costs[name] = score(params, X, y)
    for name in RIVALS:
        row = {"m": m, "n_x": n_x, "n_h": n_h, "rival": name}
        if name in failures:
            yield row | {"note": failures[name]}
            continue
        ratios = np.divide(seconds[name], seconds["ours"])
        yield row | {
            "us": 1e6 * np.median(seconds[name]),
            "times ours": np.median(ratios),
            "least": ratios.min(),
            "most": ratios.max(),
            "cost": costs[name],
            "note": "",
        }


def score(params, X, y):
    """The cost of any rival's parameters, by our formula."""
    _, cache = _network.forward(X.T, params)
    return _network.cost(cache, y[np.newaxis])


if __name__ == "__main__":
    main()

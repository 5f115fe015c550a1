"""Time of ``TwoLayerSigmoidClassifierCV`` with one and with two jobs.

The data sets are those of ``benchmarks/held_out.py``. The fits are interleaved in one process,
after a first one that starts the processes of joblib.
"""

from __future__ import annotations

import time

import numpy as np
from sklearn.preprocessing import StandardScaler

from benchmarks import real_data
from benchmarks._harness import markdown
from benchmarks.held_out import MAX_ROWS
from two_layer_sigmoid import TwoLayerSigmoidClassifierCV

MINUTES = 1
N_ROUNDS = 3


def rows():
    for data in real_data.EVALUATION:
        X, y = real_data.load(data, max_rows=MAX_ROWS)
        X = StandardScaler().fit_transform(X)
        seconds_of_fit(X, y, n_jobs=2)
        for _ in range(N_ROUNDS):
            one, two = (seconds_of_fit(X, y, n_jobs=n_jobs) for n_jobs in (1, 2))
            yield {"data": data, "rows": len(y), "one job": one, "two jobs": two}


def seconds_of_fit(X, y, *, n_jobs):
    began = time.perf_counter()
    TwoLayerSigmoidClassifierCV(random_state=0, n_jobs=n_jobs).fit(X, y)
    return time.perf_counter() - began


def table(results):
    lines = []
    for (data, n_rows), part in results.groupby(["data", "rows"], sort=False):
        lines.append([data, str(n_rows), *cells(part["one job"], part["two jobs"])])
    totals = results.assign(round=results.groupby("data").cumcount()).groupby("round")
    totals = totals[["one job", "two jobs"]].sum()
    lines.append(["all", "", *cells(totals["one job"], totals["two jobs"])])
    return markdown(["data", "rows", "seconds with one job", "two jobs / one job"], lines)


def cells(one, two):
    return f"{one.median():.2f}", f"{np.median(two / one):.2f}"

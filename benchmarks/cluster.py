"""Time and network traffic of an iteration on a Dask cluster, by workers and rows.

Clusters of 1, 2 and 4 processes on this machine, with one thread each, are compared with the same
rows in memory and as many threads (at most one for each processor). The workers draw the rows. With
256 rows the time is the overhead of the cluster; a wider network shows how traffic grows with the
parameters. Traffic is measured at the loopback interface (Linux).
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import dask.array as da
import numpy as np
from distributed import Client, LocalCluster

from benchmarks._harness import markdown, three_digits
from two_layer_sigmoid import TwoLayerSigmoidClassifier
from two_layer_sigmoid.distributed import DaskTwoLayerSigmoidClassifier

MINUTES = 6
WORKERS = (1, 2, 4)
FEW = 256  # rows
CASES = [  # m, n_x, n_h, chunks
    (FEW, 20, 32, 4),
    (FEW, 20, 32, 16),
    (FEW, 20, 32, 64),
    (FEW, 200, 200, 16),
    (10**6, 20, 32, 16),
    (10**7, 20, 32, 16),
]
WARM_UP = 2  # updates that are not measured


class Timed:
    """Records the time and the traffic before each update."""

    def _update(self, params, grads, learning_rate):
        self.records = [*getattr(self, "records", []), (time.perf_counter(), traffic())]
        return super()._update(params, grads, learning_rate)


class InMemory(Timed, TwoLayerSigmoidClassifier):
    """In the threads of this process."""


class OnDask(Timed, DaskTwoLayerSigmoidClassifier):
    """On the workers of a cluster."""


def rows():
    for case in CASES:
        for n_workers in WORKERS:
            yield from compare(*case, n_workers)


def compare(m, n_x, n_h, n_chunks, n_workers):
    """A row for a cluster, and one for as many threads in memory."""
    n_iter = WARM_UP + (60 if m == FEW else 7)
    params = {"n_h": n_h, "learning_rate": 0.5, "max_iter": n_iter, "tol": 0, "random_state": 0}
    X = da.random.RandomState(0).standard_normal((m, n_x), chunks=(m // n_chunks, n_x))
    y = (X[:, 0] > 0).astype(int)
    case = {"m": m, "n_x": n_x, "n_h": n_h, "chunks": n_chunks, "workers": n_workers}
    cluster = LocalCluster(
        n_workers=n_workers, threads_per_worker=1, dashboard_address=":0", memory_limit=0
    )
    with cluster, Client(cluster):
        X, y = X.persist(), y.persist()
        yield case | {"where": "cluster"} | measured(OnDask(**params).fit(X, y))
        X, y = X.compute(), y.compute()
    threads = min(n_workers, os.cpu_count())
    yield case | {"where": "memory"} | measured(InMemory(**params, n_jobs=threads).fit(X, y))


def measured(clf):
    seconds, n_bytes = np.diff(np.array(clf.records)[WARM_UP:], axis=0).T
    return {"ms": 1e3 * np.median(seconds), "KiB": np.median(n_bytes) / 1024}


def traffic():
    """Bytes through the loopback interface so far."""
    for line in Path("/proc/net/dev").read_text().splitlines():
        if line.strip().startswith("lo:"):
            return int(line.split()[1])
    return 0


def table(results):
    rows = []
    keys = ["m", "n_x", "n_h", "chunks", "workers"]
    for case, group in results.groupby(keys, sort=False):
        found = group.set_index("where")
        ms, KiB = found["ms"], found["KiB"]
        figures = ms["memory"], ms["cluster"], KiB["cluster"]
        rows.append([*(f"{number:,}" for number in case), *map(three_digits, figures)])
    header = "rows", "features", "units", "chunks", "workers"
    return markdown([*header, "in memory, ms", "cluster, ms", "traffic, KiB"], rows)

"""Time and network traffic of an iteration on a Dask cluster, by workers and rows.

``python -m benchmarks.cluster`` trains on clusters of 1, 2 and 4 processes on this machine, with
one thread each, and on the same rows in memory with as many threads (at most one for each
processor). It takes six minutes and writes ``results/cluster.csv``. The workers draw the rows. With
256 rows the time is the overhead of the cluster; a wider network shows how traffic grows with the
parameters. Traffic is measured at the loopback interface (Linux).
"""

from __future__ import annotations

import os
import time
import warnings
from pathlib import Path

import dask.array as da
import numpy as np
import pandas as pd
from distributed import Client, LocalCluster

from benchmarks.machine import save
from two_layer_sigmoid import TwoLayerSigmoidClassifier
from two_layer_sigmoid.distributed import DaskTwoLayerSigmoidClassifier

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


def main() -> None:
    warnings.simplefilter("ignore")
    table = pd.DataFrame([row for case in CASES for n in WORKERS for row in compare(*case, n)])
    print(table.to_string(index=False, float_format="{:.4g}".format))
    save(table, "cluster")


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


if __name__ == "__main__":
    main()

"""Growth of time with the number of rows, for each layout of X, y and the weights in memory.

Training is by mini-batches of 200 rows (``fit`` and ``partial_fit``). In training and prediction
one of the arrays has each layout and the others are C-contiguous, for 20,000 and 200,000 rows. The
time grows tenfold if it is linear, and up to a hundredfold if a mini-batch copies the whole array.
"""

from __future__ import annotations

import tempfile
from functools import partial

import numpy as np

from benchmarks import problems
from benchmarks._harness import markdown
from benchmarks.timing import compare, timed
from two_layer_sigmoid import TwoLayerSigmoidClassifier

MINUTES = 2
ROWS = (20_000, 200_000)
N_X, N_ROUNDS = 20, 3
PARAMS = {"n_h": 8, "batch_size": 200, "max_iter": 2, "random_state": 0}


def rows():
    for layout in LAYOUTS:
        for array, methods in METHODS.items():
            for method in methods:
                yield from measure(array, layout, method)


def measure(array, layout, method):
    """A row for each number of rows; ratios are relative to the smaller one."""
    prepared = {m: partial(prepare, array, layout, method, m) for m in ROWS}
    for row in compare(prepared, N_ROUNDS):
        yield {
            "array": array,
            "layout": layout,
            "method": method,
            "m": row.pop("implementation"),
        } | row


def prepare(array, layout, method, m):
    X, y = problems.noise(m, N_X)
    data = {"X": X, "y": y, "sample_weight": 0.5 + y}
    clf = TwoLayerSigmoidClassifier(**PARAMS).fit(**data)
    data[array] = LAYOUTS[layout](data[array])
    if method == "predict_proba":
        del data["y"], data["sample_weight"]

    def work():
        seconds, _ = timed(partial(getattr(clf, method), **data))
        return seconds, clf.loss_

    return work


def every_second_row(A):
    return np.repeat(A, 2, axis=0)[::2]


def reversed_rows(A):
    return A[::-1].copy()[::-1]


def read_only(A):
    A = A.copy()
    A.flags.writeable = False
    return A


def unaligned(A):
    return np.frombuffer(b"-" + A.tobytes(), A.dtype, offset=1).reshape(A.shape)


def memory_mapped(A, offset=0):
    with tempfile.TemporaryFile() as file:
        file.write(offset * b"-" + A.tobytes())
        return np.memmap(file, A.dtype, "r", offset, A.shape)


LAYOUTS = {  # functions of a C-contiguous array
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "every second row": every_second_row,
    "reversed": reversed_rows,
    "read-only": read_only,
    "unaligned": unaligned,
    "memory-mapped": memory_mapped,
    "memory-mapped, unaligned": partial(memory_mapped, offset=1),
}
METHODS = {
    "X": ("fit", "partial_fit", "predict_proba"),
    "y": ("fit", "partial_fit"),
    "sample_weight": ("fit", "partial_fit"),
}


def table(results):
    results = results.assign(work=results["array"] + ", " + results["method"])
    growth = results[results["m"] == results["m"].max()]
    growth = growth.pivot_table("relative to ours", "layout", "work", sort=False)
    rows = [[layout, *(f"{ratio:.1f}" for ratio in line)] for layout, line in growth.iterrows()]
    return markdown(["layout of the array", *growth], rows)

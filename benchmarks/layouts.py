"""Growth of time with the number of rows, for each layout of X, y and the weights in memory.

``python -m benchmarks.layouts`` trains by mini-batches of 200 rows (``fit`` and ``partial_fit``)
and predicts, with one of the arrays in each layout and the others C-contiguous, for 20,000 and
200,000 rows. The time grows tenfold if it is linear, and up to a hundredfold if a mini-batch copies
the whole array. It takes two minutes, prints a table and writes ``results/layouts.csv``.
"""

from __future__ import annotations

import tempfile
from functools import partial

import numpy as np
import pandas as pd

from benchmarks import problems
from benchmarks.machine import save
from benchmarks.timing import compare, timed
from two_layer_sigmoid import TwoLayerSigmoidClassifier

ROWS = (20_000, 200_000)
N_X, N_ROUNDS = 20, 3
PARAMS = {"n_h": 8, "batch_size": 200, "max_iter": 2, "random_state": 0}


def main() -> None:
    table = pd.DataFrame(
        [
            row
            for layout in LAYOUTS
            for array, methods in METHODS.items()
            for method in methods
            for row in measure(array, layout, method)
        ]
    )
    print(table.to_string(index=False, float_format="{:.4g}".format))
    save(table, "layouts")


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

if __name__ == "__main__":
    main()

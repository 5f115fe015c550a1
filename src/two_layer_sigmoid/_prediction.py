"""Prediction: the logits of rows, in blocks."""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import get_ident
from typing import Any

import numpy as np

from . import _blocks
from ._network import Array, Cache, Parameters, Workspace
from ._parallel import ThreadPool, single_blas_thread, small_ufunc_buffer


def logits(X: Any, params: Parameters, *, forward: Callable[..., Any], n_jobs: int | None) -> Array:
    """Z2.T ``(m, n_y)`` of the rows of X, block by block; NaN for a row if W1 x + b1 overflows."""
    if X.shape[0] <= _blocks.MIN_BLOCK_ROWS:  # fast path for few rows
        return _checked_logits(forward(X.T, params)[1])
    n_h, n_y = len(params.b1), len(params.b2)
    Z2 = np.empty((X.shape[0], n_y), X.dtype)
    workspaces: dict[tuple[int, int], Workspace] = {}  # by thread and number of rows

    def predict_block(rows: slice) -> None:
        key = get_ident(), rows.stop - rows.start
        if key not in workspaces:
            workspace = Workspace.allocate(n_h, n_y, key[1], X.dtype)
            # Z1 has a buffer of its own, not that of A1, because _checked_logits reads it.
            cache = workspace.cache._replace(Z1=workspace.dZ1)
            workspaces[key] = workspace._replace(cache=cache)
        Z2[rows] = _checked_logits(forward(X[rows].T, params, workspace=workspaces[key])[1])

    with single_blas_thread, ThreadPool(n_jobs) as pool, small_ufunc_buffer():
        pool.map(predict_block, _blocks.row_blocks(X, n_h))
    return Z2


def _checked_logits(cache: Cache) -> Array:
    entries = cache.Z1.ravel()
    # The cheaper test comes first. A sum of squares is finite unless an entry is very large.
    if not math.isfinite(entries.dot(entries)):
        cache.Z2[:, ~np.isfinite(cache.Z1).all(axis=0)] = np.nan
    return cache.Z2.T

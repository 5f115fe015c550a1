"""Prediction: the logits of rows, in blocks."""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import get_ident
from typing import Any

import numpy as np

from . import _blocks
from ._network import Array, Cache, Parameters
from ._parallel import map_in_threads, single_blas_thread, small_ufunc_buffer


def logits(X: Any, params: Parameters, *, forward: Callable[..., Any], n_jobs: int | None) -> Array:
    """Z2.T ``(m, n_y)`` of the rows of X, block by block; NaN for a row if W1 x + b1 overflows."""
    if X.shape[0] <= _blocks.MIN_BLOCK_ROWS:  # fast path for few rows
        return _checked_logits(forward(X.T, params)[1])
    n_h, n_y = len(params.b1), len(params.b2)
    Z2 = np.empty((X.shape[0], n_y), X.dtype)
    caches: dict[tuple[int, int], Cache] = {}  # by thread and number of rows

    def predict_block(rows: slice) -> None:
        key = get_ident(), rows.stop - rows.start
        if key not in caches:
            cache = Cache.allocate(n_h, n_y, key[1], X.dtype)
            assert cache.buffers is not None
            # Z1 and A1 must not share an array, because _checked_logits reads Z1. No backward
            # propagation needs the buffer of dZ1.
            caches[key] = cache._replace(Z1=cache.buffers[0])
        Z2[rows] = _checked_logits(forward(X[rows].T, params, out=caches[key])[1])

    with single_blas_thread, small_ufunc_buffer():
        map_in_threads(predict_block, _blocks.row_blocks(X, n_h), n_jobs)
    return Z2


def _checked_logits(cache: Cache) -> Array:
    entries = cache.Z1.ravel()
    # The cheaper test comes first. A sum of squares is finite unless an entry is very large.
    if not math.isfinite(entries.dot(entries)):
        cache.Z2[:, ~np.isfinite(cache.Z1).all(axis=0)] = np.nan
    return cache.Z2.T

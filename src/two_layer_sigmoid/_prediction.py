"""Prediction: logits in blocks of rows, and labels and probabilities from logits."""

from __future__ import annotations

import math
from collections.abc import Callable
from threading import get_ident
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, log_expit

from . import _blocks
from ._network import Array, Cache, Parameters, Workspace
from ._parallel import ThreadPool, single_blas_thread, small_ufunc_buffer


def logits(X: Any, params: Parameters, *, forward: Callable[..., Any], n_jobs: int | None) -> Array:
    """Z2.T ``(m, n_y)`` of the rows of X, block by block; NaN where W1 x + b1 overflows."""
    if X.shape[0] <= _blocks.MIN_BLOCK_ROWS:  # fast path for few rows
        return _checked_logits(forward(X.T, params)[1])
    n_h, n_y = len(params.b1), len(params.b2)
    Z2 = np.empty((X.shape[0], n_y), X.dtype)
    workspaces: dict[tuple[int, int], Workspace] = {}  # by thread and number of rows

    def predict_block(rows: slice) -> None:
        key = get_ident(), rows.stop - rows.start
        if key not in workspaces:
            workspace = Workspace.allocate(n_h, n_y, key[1], X.dtype)
            # Z1 is needed to find overflows, so it does not share the buffer of A1.
            cache = workspace.cache._replace(Z1=workspace.dZ1)
            workspaces[key] = workspace._replace(cache=cache)
        Z2[rows] = _checked_logits(forward(X[rows].T, params, workspace=workspaces[key])[1])

    with single_blas_thread, ThreadPool(n_jobs) as pool, small_ufunc_buffer():
        pool.map(predict_block, _blocks.row_blocks(X, n_h))
    return Z2


def _checked_logits(cache: Cache) -> Array:
    entries = cache.Z1.ravel()
    # A sum of squares is finite if nothing has overflowed, and takes half of the time to compute.
    if not math.isfinite(entries.dot(entries)):
        cache.Z2[:, ~np.isfinite(cache.Z1).all(axis=0)] = np.nan
    return cache.Z2.T


def decisions(Z2: Array, classes: npt.NDArray[Any], multilabel: bool) -> Array:
    """The logits, one-dimensional for two classes."""
    return Z2[:, 0] if Z2.shape[1] == 1 else Z2


def labels(Z2: Array, classes: npt.NDArray[Any], multilabel: bool) -> npt.NDArray[Any]:
    """The predicted labels for the logits ``Z2`` ``(m, n_y)``.

    An output is 1 if a2 > 0.5, strictly. This is z2 > 0, without the rounding error of a2.
    """
    if multilabel:
        return (Z2 > 0).astype(int)
    codes = (Z2[:, 0] > 0).astype(int) if Z2.shape[1] == 1 else Z2.argmax(axis=1)
    predicted: npt.NDArray[Any] = classes[codes]
    return predicted


def probabilities(Z2: Array, classes: npt.NDArray[Any], multilabel: bool) -> Array:
    """The probabilities of the classes (of each label if multilabel), inside (0, 1)."""
    if _is_multiclass(Z2, multilabel):
        P = np.exp(log_probabilities(Z2, classes, multilabel))
    else:
        P = _two_class_logits(Z2)
        expit(P, out=P)
    limits = np.finfo(P.dtype)
    return P.clip(limits.tiny, 1 - limits.eps, out=P)  # faster than np.clip


def log_probabilities(Z2: Array, classes: npt.NDArray[Any], multilabel: bool) -> Array:
    """The logarithms of the probabilities, from the logits: never -inf.

    L-BFGS can give weights and logits of any size. For more than two classes the logarithms end at
    that of the smallest probability, so both sort the classes alike. Otherwise they end at 8 times
    it, which scikit-learn's checks still accept as the logarithm of its smallest probability.
    """
    log_P = _two_class_logits(Z2)
    log_expit(log_P, out=log_P)
    lowest = np.log(np.finfo(log_P.dtype).tiny)
    if _is_multiclass(Z2, multilabel):
        # log(sum(exp)): for one row scipy.special.logsumexp takes ten times as long.
        log_P -= log_P.max(axis=1, keepdims=True)
        log_P -= np.log(np.exp(log_P).sum(axis=1, keepdims=True))
    else:
        lowest *= 8
    np.maximum(log_P, lowest, out=log_P)
    return log_P


def _is_multiclass(Z2: Array, multilabel: bool) -> bool:
    """Whether there are more than two classes, of which each row has one."""
    return Z2.shape[1] > 1 and not multilabel


def _two_class_logits(Z2: Array) -> Array:
    """A copy; for one output with the logits of both classes, -z2 and z2."""
    if Z2.shape[1] > 1:
        return Z2.copy()
    both = np.empty((len(Z2), 2), Z2.dtype)
    np.negative(Z2[:, 0], out=both[:, 0])
    both[:, 1] = Z2[:, 0]
    return both

"""Cost and gradient of a data set, as an ordered sum over blocks of rows.

This is the only module that knows about blocks. A block is small enough for the processor's cache,
so the elementwise passes of the network never wait for main memory, and the memory that training
needs beside dense X, Y and weights does not grow with the number of rows. (Blocks of sparse X are
copies, made once: SciPy has no views of rows.)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.utils.sparsefuncs import mean_variance_axis, min_max_axis
from threadpoolctl import OpenBLASController, ThreadpoolController

from ._network import Array, Parameters, Workspace, parameter_shapes

# Bytes of a block's X and hidden layer in float64. Measured: 1 to 4 MiB are equally fast; with
# less, calls cost more than the arithmetic, with more, the passes wait for memory.
BLOCK_BYTES = 2**21
SMALLEST_BLOCK = 256  # rows, however many features
N_SHARDS = 16
ROUNDING = 1e-12  # spreads below this share of the mean are rounding errors of a constant


class Block(NamedTuple):
    """Some consecutive rows of the data, as the lecture's columns, with memory to work in."""

    X: Array  # (n_x, b), a view where X is dense
    Y: Array  # (n_y, b), a view
    weights: Array | None  # (b,)
    work: Workspace


class Objective:
    """The function that training minimises.

    With L_i the log loss of row i (lecture, equation 8) and w_i its weight (1 without weights)::

        cost = sum_i w_i L_i / sum_i w_i  +  alpha / 2 * (||W1||^2 + ||W2||^2)

    The shape of the data alone fixes the blocks, and groups consecutive blocks into at most
    ``N_SHARDS`` shards. The blocks of a shard are added in order, then the shards are. That one
    order of summation is part of the contract: it makes results independent of who computes which
    shard.

    Parameters
    ----------
    X : ndarray or CSR array of shape (m, n_x)
        Rows are examples, as in scikit-learn.
    Y : ndarray of shape (n_y, m)
        Targets in {0, 1}, one row for each output.
    n_h : int
        Number of hidden units.
    forward, cost, backward : callable
        The steps of the network, with the signatures of those in ``_network``.
    sample_weight : ndarray of shape (m,), default=None
    alpha : float, default=0.0
        Strength of the L2 penalty. It does not depend on the number of rows.
    total : float, default=None
        What to divide by instead of sum_i w_i.
    """

    def __init__(
        self,
        X: Any,
        Y: Array,
        n_h: int,
        *,
        forward: Callable[..., Any],
        cost: Callable[..., float],
        backward: Callable[..., Parameters],
        sample_weight: Array | None = None,
        alpha: float = 0.0,
        total: float | None = None,
    ) -> None:
        n_y, m = Y.shape
        self.layer_sizes = X.shape[1], n_h, n_y
        self.alpha = alpha
        self.total = total or float(m if sample_weight is None else sample_weight.sum())
        weights = None if sample_weight is None else sample_weight.astype(X.dtype, copy=False)
        self._X, self._Y, self._weights = X, Y, weights
        self._forward, self._cost, self._backward = forward, cost, backward
        self._shards = _shards(X, Y, n_h, weights)
        self._batches: dict[int, Objective] = {}
        n_theta = sum(rows * columns for rows, columns in parameter_shapes(*self.layer_sizes))
        self._shard_grads, self._block_grads = (
            self.views(theta) for theta in np.empty((2, n_theta), X.dtype)
        )

    @property
    def n_rows(self) -> int:
        """Number of examples, m."""
        return int(self._Y.shape[1])

    def views(self, theta: Array) -> Parameters:
        """The four arrays of the network as views of the flat vector ``theta``."""
        return Parameters.views(theta, *self.layer_sizes)

    def __call__(self, params: Parameters, grads: Parameters | None = None) -> float:
        """The cost at ``params``; ``grads``, if given, receives its gradient."""
        first, *others = self._shards
        cost = self._of_shard(first, params, grads)
        for shard in others:
            cost += self._of_shard(shard, params, grads and self._shard_grads)
            _add(grads, self._shard_grads)
        if self.alpha and grads is not None:
            np.add(grads.W1, self.alpha * params.W1, out=grads.W1)
            np.add(grads.W2, self.alpha * params.W2, out=grads.W2)
        return cost + self.penalty(params)

    def penalty(self, params: Parameters) -> float:
        """The second term of the cost."""
        if not self.alpha:
            return 0.0
        return self.alpha / 2 * sum(float(np.vdot(W, W)) for W in (params.W1, params.W2))

    def batches(
        self, size: int, random_state: np.random.RandomState
    ) -> Iterator[tuple[Objective, float]]:
        """One epoch: all rows in random order, ``size`` at a time.

        Yields the objective of each batch, good until the next is asked for, and its share of the
        rows. With m rows in all and b in the batch, the cost is::

            m/b sum_{i in batch} w_i L_i / sum_i w_i  +  alpha / 2 * (||W1||^2 + ||W2||^2)

        so that its mean over the batches, by their shares, is the cost of all rows, whatever the
        size of the batches and however the weights fall.
        """
        order = random_state.permutation(self.n_rows)
        for start in range(0, self.n_rows, size):
            rows = order[start : start + size]
            yield self._batch(rows), len(rows) / self.n_rows

    def _batch(self, rows: npt.NDArray[np.intp]) -> Objective:
        """The objective of some rows, in memory that the next batch as large overwrites."""
        X, Y = self._X[rows], self._Y[:, rows]
        weights = None if self._weights is None else self._weights[rows]
        batch = self._batches.get(len(rows))
        if batch is not None and not sparse.issparse(X):
            batch._X[...], batch._Y[...] = X, Y
            if batch._weights is not None:
                batch._weights[...] = weights
            return batch
        batch = Objective(
            X,
            Y,
            self.layer_sizes[1],
            forward=self._forward,
            cost=self._cost,
            backward=self._backward,
            sample_weight=weights,
            alpha=self.alpha,
            total=self.total * len(rows) / self.n_rows,
        )
        self._batches[len(rows)] = batch
        return batch

    def _of_shard(self, shard: list[Block], params: Parameters, out: Parameters | None) -> float:
        """The shard's share of the cost; ``out`` receives its share of the gradient."""
        first, *others = shard
        cost = self._of_block(first, params, out)
        for block in others:
            cost += self._of_block(block, params, out and self._block_grads)
            _add(out, self._block_grads)
        return cost

    def _of_block(self, block: Block, params: Parameters, out: Parameters | None) -> float:
        X, Y, weights, work = block
        _, cache = self._forward(X, params, work=work)
        cost = self._cost(cache, Y, weights=weights, total=self.total, work=work)
        if out is not None:
            grads = self._backward(
                params, cache, X, Y, weights=weights, total=self.total, work=work, out=out
            )
            out.assign(grads)  # a subclass may return arrays of its own
        return cost


def row_blocks(X: Any, n_h: int) -> list[slice]:
    """Cut the rows of X into blocks of one size, the last perhaps smaller."""
    m, n_x = X.shape
    if sparse.issparse(X):
        n_x = 0  # takes no room in a block, and adding up gradients of many features costs
    size = max(SMALLEST_BLOCK, BLOCK_BYTES // (8 * (n_x + 2 * n_h)))
    return [slice(start, min(start + size, m)) for start in range(0, m, size)]


def moments(X: Any, sample_weight: Array | None) -> tuple[Array, Array]:
    """Weighted mean and standard deviation of each column of X, in float64.

    A standard deviation that is but the rounding error of the mean is returned as zero.
    """
    if sparse.issparse(X):
        mean, variance = mean_variance_axis(X.astype(np.float64), axis=0, weights=sample_weight)
    else:
        mean = _average(X, sample_weight, lambda rows: rows)
        variance = _average(X, sample_weight, lambda rows: np.square(rows - mean))
    spread = np.sqrt(variance)
    spread[spread <= ROUNDING * np.abs(mean)] = 0.0
    return mean, spread


def largest_entries(X: Any) -> Array:
    """The largest absolute value in each column of X, without a copy of X."""
    low, high = min_max_axis(X, axis=0) if sparse.issparse(X) else (X.min(axis=0), X.max(axis=0))
    largest: Array = np.maximum(-low, high)
    return largest


class _SingleThread:
    """Let BLAS use one thread inside: with two its results differ in the last bits.

    The limit is global to the process, so fits that overlap in threads share one: the first to
    enter sets it and the last to leave lifts it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_inside = 0

    @cached_property
    def _controller(self) -> ThreadpoolController:
        # Finding the libraries takes a hundred times as long as limiting them.
        return ThreadpoolController()

    def __enter__(self) -> None:
        with self._lock:
            if self._n_inside == 0:
                _let_any_thread_limit()
                self._limit = self._controller.limit(limits=1, user_api="blas")
            self._n_inside += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._n_inside -= 1
            if self._n_inside == 0:
                _let_any_thread_limit()
                self._limit.restore_original_limits()
                _let_any_thread_limit()


def _let_any_thread_limit() -> None:
    """From threadpoolctl 3.8 on, the first thread to limit OpenBLAS keeps the others from it."""
    if hasattr(OpenBLASController, "clear_controlling_thread"):
        OpenBLASController.clear_controlling_thread(force=True)


single_blas_thread = _SingleThread()


def _average(X: Array, sample_weight: Array | None, of_rows: Callable[[Array], Array]) -> Array:
    """Weighted average of ``of_rows(block)`` over the rows of X, in float64."""
    total, weight = np.zeros(X.shape[1]), 0.0
    for rows in row_blocks(X, 0):
        w = np.ones(rows.stop - rows.start) if sample_weight is None else sample_weight[rows]
        total += w @ of_rows(X[rows].astype(np.float64, copy=False))
        weight += float(w.sum())
    return total / weight


def _shards(X: Any, Y: Array, n_h: int, weights: Array | None) -> list[list[Block]]:
    """All blocks of the data, in at most ``N_SHARDS`` groups of consecutive ones."""
    works: dict[int, Workspace] = {}  # blocks of one size share their memory
    blocks = []
    for rows in row_blocks(X, n_h):
        b = rows.stop - rows.start
        if b not in works:
            works[b] = Workspace.allocate(n_h, len(Y), b, X.dtype)
        w = None if weights is None else weights[rows]
        blocks.append(Block(X[rows].T, Y[:, rows], w, works[b]))
    n_shards = min(N_SHARDS, len(blocks))
    bounds = [len(blocks) * i // n_shards for i in range(n_shards + 1)]
    return [blocks[start:stop] for start, stop in pairwise(bounds)]


def _add(total: Parameters | None, part: Parameters) -> None:
    if total is None:
        return
    for mine, theirs in zip(total, part, strict=True):
        np.add(mine, theirs, out=mine)

"""Cost and gradient of a data set, as an ordered sum over blocks of rows.

This is the only module that knows about blocks. A block is small enough for the processor's cache,
so the elementwise passes of the network never wait for main memory, and the memory that training
needs beside dense X, Y and weights does not grow with the number of rows. (Blocks of sparse X are
copies, made once: SciPy has no views of rows.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, reduce
from itertools import pairwise
from operator import add
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.utils.sparsefuncs import mean_variance_axis, min_max_axis

from ._network import Array, Cache, Parameters, Workspace, parameter_shapes
from ._threads import Team, single_blas_thread

# Bytes of a block's X and hidden layer. Measured: with more, the passes wait for memory; with less,
# two threads wait for each other, since each call to NumPy ends by asking for the interpreter.
BLOCK_BYTES = 2**21
SMALLEST_BLOCK = 1024  # rows, however many features: products of wide matrices want no fewer
WHOLE_LINES = 16  # rows: so many numbers of float32 are a line of cache, float64 two
N_SHARDS = 16
SMALLEST_BUFFER = 16  # numbers that NumPy buffers, at least
ROUNDING = 1e-12  # spreads below this share of the mean are rounding errors of a constant


T = TypeVar("T")
Shards = list[range]  # of each, where its blocks begin


class Block(NamedTuple):
    """Some consecutive rows of the data, as the lecture's columns."""

    X: Array  # (n_x, b), a view where X is dense
    Y: Array  # (n_y, b), a view
    weights: Array | None  # (b,)


class Rows:
    """Rows of a data set in memory, cut into blocks and groups of blocks, the shards.

    The shape of the data alone fixes the blocks, and groups consecutive blocks into at most
    ``N_SHARDS`` shards. Whatever is added up over the rows, the cost, its gradient or a mean, is
    added over the blocks of a shard in order, then over the shards. That one order of summation is
    part of the contract: it makes results independent of who computes which shard, and so of the
    number of threads and of machines.

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
    team : Team, default=None
        The threads to share out the shards to; by default the calling one.
    shards : list of range, default=None
        Where the blocks of each shard begin, where these rows are a part of the data.
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
        team: Team | None = None,
        shards: Shards | None = None,
    ) -> None:
        self.layer_sizes = X.shape[1], n_h, len(Y)
        self.X, self.Y, self.dtype = X, Y, X.dtype
        self.weights = None if sample_weight is None else sample_weight.astype(X.dtype, copy=False)
        self._forward, self._cost, self._backward = forward, cost, backward
        self._shards = [
            [
                Block(X[rows].T, Y[:, rows], None if self.weights is None else self.weights[rows])
                for rows in blocks_of(shard)
            ]
            for shard in shards or row_shards(X, n_h)
        ]
        self._team = team or Team(1)
        self._shard_grads = [self._new_grads() for _ in self._shards[1:]]
        self._desks: dict[int, _Desk] = {}  # one for each thread

    @property
    def is_sparse(self) -> bool:
        """Whether X is a sparse array."""
        return bool(sparse.issparse(self.X))

    @property
    def n_rows(self) -> int:
        """Number of examples, m."""
        return int(self.Y.shape[1])

    def fold(self, of_block: Callable[[Block], T], combine: Callable[[T, T], T] = add) -> T:
        """``of_block`` of all blocks, added up or otherwise combined in the one order."""
        return reduce(combine, self.fold_shards(of_block, combine))

    def fold_shards(self, of_block: Callable[[Block], T], combine: Callable[[T, T], T]) -> list[T]:
        """The same for each shard."""
        return self._team.map(
            lambda i, _: reduce(combine, map(of_block, self._shards[i])), len(self._shards)
        )

    def log_loss(self, params: Parameters, grads: Parameters | None, total: float) -> float:
        """sum_i w_i L_i / total; ``grads``, if given, receives its gradient."""
        if len(self._shards) == 1:  # sharing out would cost a microsecond of some fifty
            return self._of_shard(self._shards[0], params, grads, total, self._desk(0))
        parts = [] if grads is None else [grads, *self._shard_grads]
        return add_up(self._shares(params, parts, total), parts)

    def shares(
        self, params: Parameters, total: float, *, gradient: bool
    ) -> tuple[list[float], list[Parameters]]:
        """The share of each shard in ``log_loss``, and in its gradient if that is wanted."""
        parts = [self._new_grads() for _ in self._shards] if gradient else []
        return self._shares(params, parts, total), parts

    def take(self, rows: npt.NDArray[np.intp], memory: Rows | None) -> Rows:
        """Some of the rows; if dense in ``memory``, as many that they overwrite."""
        if memory is not None and not self.is_sparse:
            _take(self.X, rows, 0, memory.X)
            _take(self.Y, rows, 1, memory.Y)
            if self.weights is not None:
                _take(self.weights, rows, 0, memory.weights)
            return memory
        return Rows(
            self.X[rows],
            np.ascontiguousarray(self.Y[:, rows]),
            self.layer_sizes[1],
            forward=self._forward,
            cost=self._cost,
            backward=self._backward,
            sample_weight=None if self.weights is None else self.weights[rows],
            team=self._team,
        )

    def _shares(self, params: Parameters, parts: list[Parameters], total: float) -> list[float]:
        """The share of each shard, computed by whoever is free; ``parts``, if any, as ``grads``."""

        def share(i: int, worker: int) -> float:
            out = parts[i] if parts else None
            return self._of_shard(self._shards[i], params, out, total, self._desk(worker))

        return self._team.map(share, len(self._shards))

    def _of_shard(
        self,
        shard: list[Block],
        params: Parameters,
        out: Parameters | None,
        total: float,
        desk: _Desk,
    ) -> float:
        """The shard's share of the cost; ``out`` receives its share of the gradient."""
        first, *others = shard
        cost = self._of_block(first, params, out, total, desk)
        for block in others:
            cost += self._of_block(block, params, out and desk.block_grads, total, desk)
            _add(out, desk.block_grads)
        return cost

    def _of_block(
        self, block: Block, params: Parameters, out: Parameters | None, total: float, desk: _Desk
    ) -> float:
        X, Y, weights = block
        work = desk.works[Y.shape[1]]
        _, cache = self._forward(X, params, work=work)
        cost = self._cost(cache, Y, weights=weights, total=total, work=work)
        if out is not None:
            grads = self._backward(
                params, cache, X, Y, weights=weights, total=total, work=work, out=out
            )
            out.assign(grads)  # a subclass may return arrays of its own
        return cost

    def _desk(self, worker: int) -> _Desk:
        desk = self._desks.get(worker)
        if desk is None:
            _, n_h, n_y = self.layer_sizes
            sizes = {block.Y.shape[1] for shard in self._shards for block in shard}
            works = {b: Workspace.allocate(n_h, n_y, b, self.Y.dtype) for b in sizes}
            desk = self._desks[worker] = _Desk(works, self._new_grads())
        return desk

    def _new_grads(self) -> Parameters:
        shapes = parameter_shapes(*self.layer_sizes)
        n = sum(rows * columns for rows, columns in shapes)
        return Parameters.views(np.empty(n, self.dtype), *self.layer_sizes)


class Objective:
    """The function that training minimises.

    With L_i the log loss of row i (lecture, equation 8) and w_i its weight (1 without weights)::

        cost = sum_i w_i L_i / sum_i w_i  +  alpha / 2 * (||W1||^2 + ||W2||^2)

    Parameters
    ----------
    rows : Rows
        The data, or what has its ``layer_sizes``, ``fold`` and ``log_loss`` and computes them
        elsewhere.
    alpha : float, default=0.0
        Strength of the L2 penalty. It does not depend on the number of rows.
    total : float, default=None
        What to divide by instead of sum_i w_i.
    """

    def __init__(self, rows: Any, *, alpha: float = 0.0, total: float | None = None) -> None:
        self.rows = rows
        self.alpha = alpha
        self.total = rows.fold(weight) if total is None else total
        self._batches: dict[int, Objective] = {}

    def views(self, theta: Array) -> Parameters:
        """The four arrays of the network as views of the flat vector ``theta``."""
        return Parameters.views(theta, *self.rows.layer_sizes)

    def __call__(self, params: Parameters, grads: Parameters | None = None) -> float:
        """The cost at ``params``; ``grads``, if given, receives its gradient."""
        cost: float = self.rows.log_loss(params, grads, self.total)
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
        m = self.rows.n_rows
        order = random_state.permutation(m)
        for start in range(0, m, size):
            taken = order[start : start + size]
            share = len(taken) / m
            yield self._batch(taken, share), share

    def _batch(self, taken: npt.NDArray[np.intp], share: float) -> Objective:
        """The objective of some rows, in memory that the next batch as large overwrites."""
        memory = self._batches.get(len(taken))
        rows = self.rows.take(taken, memory and memory.rows)
        if memory is None or rows is not memory.rows:
            memory = Objective(rows, alpha=self.alpha, total=self.total * share)
            self._batches[len(taken)] = memory
        return memory


class _Desk(NamedTuple):
    """Memory for one thread to work in."""

    works: dict[int, Workspace]  # by the number of rows of a block
    block_grads: Parameters


@contextmanager
def broadcast_row_by_row() -> Iterator[None]:
    """Let NumPy broadcast without copies, inside.

    By default it first copies what is broadcast along rows of less than half its buffer of 8192
    numbers, which takes longer than the operation itself. What needs the buffer, because it mixes
    dtypes, takes longer inside.
    """
    with np.errstate():  # which restores the size of the buffer as well
        np.setbufsize(SMALLEST_BUFFER)
        yield


def logits(X: Any, params: Parameters, *, forward: Callable[..., Any], n_jobs: int | None) -> Array:
    """Z2.T ``(m, n_y)`` of the rows of X, block by block; nan where W1 x + b1 overflows."""
    if X.shape[0] <= SMALLEST_BLOCK:  # of which one may be in a hurry
        return _logits(forward(X.T, params)[1])
    n_h, n_y = len(params.b1), len(params.b2)
    blocks = row_blocks(X, n_h)
    Z2 = np.empty((X.shape[0], n_y), X.dtype)
    works: dict[tuple[int, int], Workspace] = {}

    def of_block(i: int, worker: int) -> None:
        rows = blocks[i]
        size = rows.stop - rows.start
        if (worker, size) not in works:
            work = Workspace.allocate(n_h, n_y, size, X.dtype)
            works[worker, size] = work._replace(cache=work.cache._replace(Z1=work.dZ1))
        Z2[rows] = _logits(forward(X[rows].T, params, work=works[worker, size])[1])

    with single_blas_thread, Team(n_jobs) as team, broadcast_row_by_row():
        team.map(of_block, len(blocks))
    return Z2


def row_blocks(X: Any, n_h: int) -> list[slice]:
    """The blocks of X: all of one size, the last perhaps smaller."""
    return blocks_of(range(0, X.shape[0], _block_size(X, n_h)))


def _block_size(X: Any, n_h: int) -> int:
    """How many rows of X are a block.

    Where there are several their number is about a power of two, or a multiple of ``N_SHARDS``
    (sizes are rounded up to whole lines of the cache), so that shards differ by a block at most.
    """
    m, n_x = X.shape
    if sparse.issparse(X):
        n_x = 0  # takes no room in a block, and adding up gradients of many features costs
    largest = max(SMALLEST_BLOCK, BLOCK_BYTES // (X.dtype.itemsize * (n_x + 2 * n_h)))
    at_least = math.ceil(m / largest)
    n_shards = min(N_SHARDS, 1 << (at_least - 1).bit_length())
    n_blocks = math.ceil(at_least / n_shards) * n_shards
    size: int = math.ceil(m / n_blocks / WHOLE_LINES) * WHOLE_LINES
    return size


def row_shards(X: Any, n_h: int) -> Shards:
    """The blocks of X, in groups of consecutive ones.

    There are ``N_SHARDS``, but no more than blocks, and so few that their gradients take no more
    than half the memory of dense X; of sparse X, no more than there are rows for each feature.
    """
    m, n_x = X.shape
    size = _block_size(X, n_h)
    n_blocks = math.ceil(m / size)
    most = m // (n_x if sparse.issparse(X) else 2 * n_h)
    n_shards = min(N_SHARDS, n_blocks, max(1, most))
    bounds = [min(n_blocks * i // n_shards * size, m) for i in range(n_shards + 1)]
    return [range(start, stop, size) for start, stop in pairwise(bounds)]


def blocks_of(shard: range) -> list[slice]:
    """The rows of each block of a shard."""
    return [slice(start, min(start + shard.step, shard.stop)) for start in shard]


def add_up(costs: list[float], parts: list[Parameters]) -> float:
    """Add the shares of the shards in order: the costs, and to the first part the others."""
    for part in parts[1:]:
        _add(parts[0], part)
    return sum(costs)


def weight(block: Block) -> float:
    """sum_i w_i of a block; for a :meth:`Rows.fold`, as are those that follow."""
    if block.weights is None:
        return float(block.Y.shape[1])
    return float(block.weights.sum(dtype=np.float64))


def target_weights(block: Block) -> Array:
    """sum_i w_i (1 - y_i) and sum_i w_i y_i of each output, in float64: ``(2, n_y)``."""
    Y = block.Y.astype(np.float64, copy=False)
    return np.array([_weighted_sum(1 - Y, block), _weighted_sum(Y, block)])


def base_rates(rows: Any) -> Array:
    """The weighted mean of each output's targets, 0 or 1 only if they all are."""
    of_zeros, of_ones = rows.fold(target_weights)
    rates: Array = of_ones / (of_zeros + of_ones)
    return rates


def moments(rows: Any) -> tuple[Array, Array]:
    """Weighted mean and standard deviation of each feature, in float64.

    A standard deviation that is but the rounding error of the mean is returned as zero.
    """
    if rows.is_sparse:
        X, weights = (None if A is None else A.astype(np.float64) for A in (rows.X, rows.weights))
        mean, variance = mean_variance_axis(X, axis=0, weights=weights)
    else:
        total = rows.fold(weight)
        mean = rows.fold(_features) / total
        variance = rows.fold(partial(_squares, mean=mean)) / total
    spread = np.sqrt(variance)
    spread[spread <= ROUNDING * np.abs(mean)] = 0.0
    return mean, spread


def largest_entries(rows: Any) -> Array:
    """The largest absolute value of each feature, without a copy of X."""
    if rows.is_sparse:
        low, high = min_max_axis(rows.X, axis=0)
        return np.asarray(np.maximum(-low, high))
    largest: Array = rows.fold(_largest, np.maximum)
    return largest


def _largest(block: Block) -> Array:
    largest: Array = np.maximum(-block.X.min(axis=1), block.X.max(axis=1))
    return largest


def _features(block: Block) -> Array:
    """sum_i w_i x_i, in float64."""
    return _weighted_sum(block.X.astype(np.float64, copy=False), block)


def _squares(block: Block, mean: Array) -> Array:
    """sum_i w_i (x_i - mean)^2, in float64."""
    return _weighted_sum(np.square(block.X - mean[:, np.newaxis]), block)


def _weighted_sum(columns: Array, block: Block) -> Array:
    weights = np.ones(columns.shape[1]) if block.weights is None else block.weights
    # Not "@", whose sums differ where an array that came over a network lies at an odd address.
    weighted_sum: Array = np.dot(columns, weights.astype(np.float64, copy=False))
    return weighted_sum


def _logits(cache: Cache) -> Array:
    entries = cache.Z1.ravel()
    # Squares are finite where all is well, and told of in half the time.
    if not math.isfinite(entries.dot(entries)):
        cache.Z2[:, ~np.isfinite(cache.Z1).all(axis=0)] = np.nan
    return cache.Z2.T


def _take(array: Array, rows: npt.NDArray[np.intp], axis: int, out: Any) -> None:
    """Copy some rows (columns, where ``axis`` is 1) of an array into the C-ordered ``out``."""
    if array.flags.c_contiguous:
        np.take(array, rows, axis=axis, out=out, mode="clip")  # "raise" would fill a buffer first
    else:  # of which ``take`` would copy all
        out[...] = array[rows] if axis == 0 else array[:, rows]


def _add(total: Parameters | None, part: Parameters) -> None:
    if total is None:
        return
    for mine, theirs in zip(total, part, strict=True):
        np.add(mine, theirs, out=mine)

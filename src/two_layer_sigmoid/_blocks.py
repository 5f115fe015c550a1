"""Rows of a data set in blocks and shards, and reductions over them in one fixed order.

A block fits into the processor's cache, so that elementwise operations on it do not wait for main
memory. The buffers of a fit do not grow with the number of rows. The blocks of sparse X are copies,
because SciPy has no views of rows; they are made once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce
from itertools import pairwise, starmap
from operator import add
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
from scipy import sparse

from ._network import Array, layer_sizes
from ._parallel import map_in_threads

# Bytes of X and the hidden layer in a block. Measured: larger blocks wait for main memory. With
# smaller blocks two threads wait for each other, because each NumPy call must reacquire the GIL.
BLOCK_BYTES = 2**21
MIN_BLOCK_ROWS = 1024  # of every width: matrix products are slow on fewer rows
ROWS_PER_CACHE_LINE = 16  # of float32; for float64 two lines
N_SHARDS = 16

T = TypeVar("T")
Shards = list[range]  # of each shard, the rows at which its blocks start


class Data(Protocol):
    """What training needs of a data set, in memory or on a cluster."""

    layer_sizes: tuple[int, int, int]  # n_x, n_h and n_y
    dtype: np.dtype[Any]  # of X, Y and the arithmetic

    def reduce(self, function: Callable[..., T], combine: Callable[[T, T], T] = add) -> T:
        """``function(X, Y, weights)`` of every block, combined in the fixed order.

        A block has consecutive rows as columns: X ``(n_x, b)``, Y ``(n_y, b)`` and weights ``(b,)``
        or None.
        """


class BlockedData:
    """A data set in memory, cut into blocks and groups of blocks, the shards.

    The shape of the data alone determines the blocks and the shards, of which there are at most
    ``N_SHARDS``. A reduction combines the results for the blocks of a shard in order, then the
    results for the shards in order. Callers rely on this fixed order: it makes results independent
    of the number of threads.

    Parameters
    ----------
    X : ndarray or CSR array of shape (m, n_x)
        Rows are examples, as in scikit-learn.
    Y : ndarray of shape (n_y, m)
        Targets in {0, 1}, one row for each output.
    weights : ndarray of shape (m,) or None
        Sample weights.
    n_h : int
        Number of hidden units.
    n_jobs : int or None, default=1
        The number of threads that compute the shards, as for :func:`map_in_threads`.
    """

    def __init__(
        self,
        X: Any,
        Y: Array,
        weights: Array | None,
        n_h: int,
        *,
        n_jobs: int | None = 1,
    ) -> None:
        self.X, self.Y, self.dtype = X, Y, X.dtype
        self.weights = None if weights is None else weights.astype(X.dtype, copy=False)
        self.n_rows, self.is_sparse = X.shape[0], sparse.issparse(X)
        self._shards = [
            [
                (X[rows].T, Y[:, rows], None if self.weights is None else self.weights[rows])
                for rows in shard_blocks(shard)
            ]
            for shard in row_shards(X, n_h)
        ]
        first = self._shards[0][0]
        self.layer_sizes = layer_sizes(*first[:2], n_h)
        self._only_block = first if sum(map(len, self._shards)) == 1 else None
        self._n_jobs = n_jobs

    def reduce(self, function: Callable[..., T], combine: Callable[[T, T], T] = add) -> T:
        """``function(X, Y, weights)`` of every block, combined in the fixed order."""
        if self._only_block is not None:  # fast path for small data
            return function(*self._only_block)
        shards = map_in_threads(
            lambda shard: reduce(combine, starmap(function, shard)), self._shards, self._n_jobs
        )
        return reduce(combine, shards)

    def take(self, indices: npt.NDArray[np.intp], out: BlockedData | None) -> BlockedData:
        """The rows ``indices``. Dense rows overwrite ``out``, which must have as many rows."""
        if out is not None and not self.is_sparse:
            _take(self.X, indices, 0, out.X)
            _take(self.Y, indices, 1, out.Y)
            if self.weights is not None:
                _take(self.weights, indices, 0, out.weights)
            return out
        weights = None if self.weights is None else self.weights[indices]
        Y = np.ascontiguousarray(self.Y[:, indices])
        return BlockedData(self.X[indices], Y, weights, self.layer_sizes[1], n_jobs=self._n_jobs)


def with_contiguous_parts(X: Any) -> Any:
    """X, or a copy if it is sparse with strided arrays, which SciPy would copy for each slice."""
    if sparse.issparse(X) and not all(
        part.flags.c_contiguous for part in (X.data, X.indices, X.indptr)
    ):
        return X.copy()
    return X


def row_blocks(X: Any, n_h: int) -> list[slice]:
    """The blocks of X. All have one size, except that the last can be smaller."""
    return shard_blocks(range(0, X.shape[0], _block_size(X, n_h)))


def _block_size(X: Any, n_h: int) -> int:
    """Number of rows of X in a block.

    The number of blocks is about a power of two or a multiple of ``N_SHARDS``, so that shards
    differ by one block at most. It can be smaller, because sizes are rounded up to whole cache
    lines.
    """
    m, n_x = X.shape
    if sparse.issparse(X):
        n_x = 0  # sparse rows take little memory; more blocks would only add more dense gradients
    max_rows = max(MIN_BLOCK_ROWS, BLOCK_BYTES // (X.dtype.itemsize * (n_x + 2 * n_h)))
    min_blocks = math.ceil(m / max_rows)
    n_shards = min(N_SHARDS, 2 ** math.ceil(math.log2(min_blocks)))
    n_blocks = math.ceil(min_blocks / n_shards) * n_shards
    return math.ceil(m / n_blocks / ROWS_PER_CACHE_LINE) * ROWS_PER_CACHE_LINE


def row_shards(X: Any, n_h: int) -> Shards:
    """The blocks of X in groups of consecutive blocks.

    There are at most ``N_SHARDS`` groups. Their number is also limited so that their gradients take
    at most half of the memory of dense X; for sparse X there is at most one group for n_x rows.
    """
    m, n_x = X.shape
    size = _block_size(X, n_h)
    n_blocks = math.ceil(m / size)
    max_shards = m // (n_x if sparse.issparse(X) else 2 * n_h)
    n_shards = min(N_SHARDS, n_blocks, max(1, max_shards))
    bounds = [min(n_blocks * i // n_shards * size, m) for i in range(n_shards + 1)]
    return [range(start, stop, size) for start, stop in pairwise(bounds)]


def shard_blocks(shard: range) -> list[slice]:
    """The rows of each block of a shard."""
    return [slice(start, min(start + shard.step, shard.stop)) for start in shard]


def _take(array: Array, indices: npt.NDArray[np.intp], axis: int, out: Any) -> None:
    """Copy some rows (columns if ``axis`` is 1) of an array into the C-ordered ``out``."""
    if array.flags.c_contiguous and array.flags.aligned:
        # mode="clip", because "raise" fills a buffer first.
        np.take(array, indices, axis=axis, out=out, mode="clip")
    else:  # here np.take would copy the whole array for each mini-batch
        out[...] = array[indices] if axis == 0 else array[:, indices]

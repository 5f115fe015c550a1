"""The rows of a data set on a Dask cluster: read, checked and kept by the workers, and added up.

For a solver :class:`Partitions` are what ``_objective.Rows`` are, which each worker makes of its
own.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce
from itertools import accumulate, chain
from operator import add
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.utils import check_X_y

from . import _checks, _targets
from ._network import Array, Parameters
from ._objective import (
    Block,
    Rows,
    Shards,
    add_up,
    blocks_of,
    broadcast_row_by_row,
    row_shards,
)
from ._targets import Examples
from ._threads import single_blas_thread

try:
    import dask
    import dask.array as da
except ImportError as error:
    dask, ABSENT = None, error

T = TypeVar("T")
ESTIMATOR = "DaskTwoLayerSigmoidClassifier"


def check_dask(needed_by: str) -> None:
    """Refuse to begin without Dask."""
    if dask is None:
        message = f"{needed_by} needs Dask: pip install 'two-layer-sigmoid[dask]'."
        raise ImportError(message) from ABSENT


class Table(NamedTuple):
    """X, y and sample weights as dask arrays whose chunks are of the same rows."""

    X: Any
    y: Any
    weights: Any  # or None

    @classmethod
    def read(cls, X: Any, y: Any, sample_weight: Any, client: Any = None) -> Table:
        """From dask arrays, data frames and series; y and the weights also from memory."""
        if not is_lazy(X):
            raise TypeError(
                f"X must be a dask array or a dask dataframe, got {type(X).__name__}: use "
                "dask.array.from_array, or the TwoLayerSigmoidClassifier for arrays in memory."
            )
        X = _array(X, "X", client)
        if X.ndim != 2 or 0 in X.shape:
            raise ValueError(f"X must have rows and features, got an array of shape {X.shape}.")
        y = _of_rows(y, "y", X, client)
        if y.ndim == 2 and y.shape[1] == 1:
            y = y[:, 0]
        if sample_weight is None:
            return cls(X.rechunk({1: -1}), y, None)
        if not is_lazy(sample_weight):
            sample_weight = _targets.valid_weights(sample_weight, len(X))
        weights = _of_rows(sample_weight, "sample_weight", X, client)
        if weights.ndim != 1:
            raise ValueError(f"sample_weight must have one dimension, got {weights.ndim}.")
        return cls(X.rechunk({1: -1}), y, weights)

    def labels(self) -> npt.NDArray[Any]:
        """The different labels in y, computed."""
        labels: npt.NDArray[Any] = da.unique(self.y).compute()
        return labels


class Part(NamedTuple):
    """A partition as it is read: some consecutive rows."""

    X: Array  # (b, n_x)
    y: npt.NDArray[Any]  # (b,) or (b, n_y)
    weights: Array | None  # (b,)
    labels: npt.NDArray[Any]  # the different ones, or an empty indicator matrix


class Kinds(NamedTuple):
    """What there is in a partition."""

    n_rows: int
    labels: npt.NDArray[Any]  # as of its part
    limits: tuple[float, float] | None  # of the weights


class Portion(NamedTuple):
    """A partition as it is trained on: all that it takes to make its :class:`Rows`.

    They are made anew for each call: what is kept may be sent or written elsewhere, and Dask, which
    sees how large it is, decides by that; so it holds the data and no buffers.
    """

    X: Array  # (b, n_x)
    Y: Array  # (n_y, b)
    weights: Array | None  # (b,)
    n_h: int
    steps: dict[str, Any]
    shards: Shards

    def rows(self) -> Rows:
        """The rows, to compute with."""
        X, Y, weights, n_h, steps, shards = self
        weights = None if weights is None else _aligned(weights)
        return Rows(_aligned(X), _aligned(Y), n_h, **steps, sample_weight=weights, shards=shards)


class Partitions:
    """Rows that workers keep, a partition each, and what they add up of them.

    Leaving the context releases what is kept.

    Parameters
    ----------
    n_h : int
        Number of hidden units.
    steps : dict
        The steps of the network, as of ``_objective.Rows``.
    dtype : dtype
        Of X and of the arithmetic.
    client : distributed.Client or None
        Where to compute; None is Dask's default.
    """

    is_sparse = False

    def __init__(self, n_h: int, steps: dict[str, Any], dtype: Any, client: Any) -> None:
        self._n_h, self._steps, self.dtype, self._client = n_h, steps, np.dtype(dtype), client
        self._kept: list[Any] = []  # delayed objects, one for each partition

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for part in self._kept:
            for value in dict(part.dask).values():
                if hasattr(value, "release"):  # a future, which an exception may hold on to
                    value.release()
        self._kept = []

    def read(self, table: Table) -> npt.NDArray[Any]:
        """Have the rows read and checked by the workers; the labels that they found."""
        n_x = table.X.shape[1]
        lengths = table.X.chunks[0]
        columns = [[None] * len(lengths) if A is None else _delayed(A) for A in table]
        self._keep(
            [
                dask.delayed(_checked, pure=False)(
                    *parts,
                    n_x=n_x,
                    dtype=self.dtype,
                    place=f"Partition {i} (rows {end - n} to {end - 1})",
                )
                for i, (n, end, *parts) in enumerate(
                    zip(lengths, accumulate(lengths), *columns, strict=True)
                )
                if n > 0
            ]
        )
        kinds = self._collect(_kinds)
        for each in kinds:
            if isinstance(each, Exception):
                raise each
        n_rows, labels, limits = zip(*kinds, strict=True)
        self._n_x, self._lengths = n_x, list(n_rows)
        if table.weights is not None:
            lows, highs = zip(*limits, strict=True)
            limits = _targets.check_limits(min(lows), max(highs), "sample_weight")
            self._map(_with_scaled_weights, limits)
        if len({each.dtype.kind in "biuf" for each in labels}) > 1:  # which would become strings
            labels = tuple(each.astype(object) for each in labels)
        return np.concatenate(labels)

    def encode(self, classes: npt.NDArray[Any], multilabel: bool, class_weight: Any) -> None:
        """Turn labels and weights into targets, as ``_targets`` does in memory."""
        if isinstance(class_weight, str):
            sums = self._collect(_class_sums, classes, each=self._layout())
            class_weight = _targets.balanced(classes, list(chain.from_iterable(sums)))
        elif class_weight is not None:
            _targets.class_factors(classes, class_weight)  # refuses what is no class
        self._map(_encoded, class_weight, classes, multilabel)
        lengths = self._collect(_n_rows)
        self._kept = [part for part, n in zip(self._kept, lengths, strict=True) if n > 0]
        self._lengths = [n for n in lengths if n > 0]
        if not self._kept:
            _targets.check_two_classes(classes, classes[:0])
        n_y = 1 if len(classes) == 2 and not multilabel else len(classes)
        self.layer_sizes = self._n_x, self._n_h, n_y
        self._map(_portion, self._n_h, self._steps, each=self._layout())

    def fold(self, of_block: Callable[[Block], T], combine: Callable[[T, T], T] = add) -> T:
        """As ``Rows.fold``; ``of_block`` and ``combine`` travel to the workers."""
        of_shards = self._collect(_fold_shards, of_block, combine)
        folded: T = reduce(combine, chain.from_iterable(of_shards))
        return folded

    def log_loss(self, params: Parameters, grads: Parameters | None, total: float) -> float:
        """As ``Rows.log_loss``; the parameters travel to each worker once."""
        theta = dask.delayed(np.asarray, pure=False)(params.theta)
        shares = self._collect(_shares, theta, total, grads is not None)
        costs, thetas = (list(chain.from_iterable(each)) for each in zip(*shares, strict=True))
        parts = [Parameters.views(gradient, *self.layer_sizes) for gradient in thetas]
        cost = add_up(costs, parts)
        if grads is not None:
            grads.assign(parts[0])
        return cost

    def _layout(self) -> list[Shards]:
        return layout(self._lengths, self._n_x, self._n_h, self.dtype)

    def _calls(self, function: Any, args: tuple[Any, ...], each: list[Any] | None) -> list[Any]:
        call = dask.delayed(function, pure=False)
        if each is None:
            return [call(part, *args) for part in self._kept]
        return [call(part, its, *args) for part, its in zip(self._kept, each, strict=True)]

    def _map(self, function: Any, *args: Any, each: list[Any] | None = None) -> None:
        """Replace what is kept of each partition by ``function`` of it."""
        self._keep(self._calls(function, args, each))

    def _keep(self, calls: list[Any]) -> None:
        self._kept = list(dask.persist(*calls, scheduler=self._client))

    def _collect(self, function: Any, *args: Any, each: list[Any] | None = None) -> list[Any]:
        """``function`` of what is kept of each partition."""
        return list(dask.compute(*self._calls(function, args, each), scheduler=self._client))


def layout(lengths: list[int], n_x: int, n_h: int, dtype: Any) -> list[Shards]:
    """The shards of each of some partitions, of so many rows.

    Where no partition cuts a shard of the data in memory, those; else each partition is a shard,
    in blocks as large as in memory.
    """
    in_memory = shards_in_memory(sum(lengths), n_x, n_h, dtype)
    size = in_memory[0].step
    starts = [end - n for n, end in zip(lengths, accumulate(lengths), strict=True)]
    if not {shard.start for shard in in_memory}.issuperset(starts):
        return [[range(0, n, size)] for n in lengths]
    return [
        [
            range(shard.start - start, shard.stop - start, size)
            for shard in in_memory
            if start <= shard.start < start + n
        ]
        for start, n in zip(starts, lengths, strict=True)
    ]


def shards_in_memory(m: int, n_x: int, n_h: int, dtype: Any) -> Shards:
    """The shards of data of a shape and dtype, which is all that they depend on."""
    return row_shards(np.broadcast_to(np.zeros(1, dtype), (m, n_x)), n_h)


def is_lazy(X: Any) -> bool:
    """Whether X is a dask array, data frame or series, for those who may have no Dask."""
    return hasattr(X, "__dask_graph__") and any(
        hasattr(X, name) for name in ("map_blocks", "to_dask_array")
    )


def description(X: Any) -> Any:
    """What has the shape or the columns of a dask array or data frame."""
    return X._meta if hasattr(X, "columns") else X


def judged(clf: Any, method: str, X: Any) -> Any:
    """What a method of a fitted estimator in memory says of the rows of X, lazily."""
    X = X.to_dask_array() if hasattr(X, "columns") else X.rechunk({1: -1})
    example = getattr(clf, method)(np.zeros((1, clf.n_features_in_)))[:0]
    form = {"drop_axis": 1} if example.ndim == 1 else {"chunks": (X.chunks[0], example.shape[1:])}
    return X.map_blocks(_judged, clf, method, example, meta=example, **form)


def accuracy(predicted: Any, table: Table) -> float:
    """The weighted share of rows that are predicted right, computed."""
    right = predicted == table.y
    if right.ndim == 2:
        right = right.all(axis=1)
    return float(da.average(right, weights=table.weights).compute())


def _of_rows(A: Any, name: str, X: Any, client: Any) -> Any:
    """A dask array of ``A``, in chunks of the rows of X."""
    if is_lazy(A):
        A = _array(A, name, client)
    else:
        A = np.asarray(A.toarray() if sparse.issparse(A) else A)
    if A.ndim == 0 or A.shape[0] != X.shape[0]:
        raise ValueError(f"{name} has the shape {A.shape}, but X has {X.shape[0]} rows.")
    chunks = X.chunks[0], *A.shape[1:]
    return A.rechunk(chunks) if is_lazy(A) else da.from_array(A, chunks, name=False)


def _array(A: Any, name: str, client: Any) -> Any:
    """A dask array of known length."""
    if hasattr(A, "to_dask_array"):  # a data frame or series
        if A.ndim == 1 and A.dtype.kind in "biuf":
            A = A.astype(getattr(A.dtype, "numpy_dtype", A.dtype))  # nullable ones become objects
        (lengths,) = dask.compute(A.map_partitions(len), scheduler=client)
        with warnings.catch_warnings():  # of labels that become objects
            warnings.simplefilter("ignore", UserWarning)
            A = A.to_dask_array(lengths=tuple(lengths))
    if np.isnan(A.shape[0]):
        raise ValueError(
            f"{name} has chunks of unknown length: call {name}.compute_chunk_sizes() first."
        )
    return A


def _delayed(A: Any) -> list[Any]:
    return list(A.to_delayed().ravel())


# What workers do with a partition.


def _checked(X: Any, y: Any, weights: Any, *, n_x: int, dtype: Any, place: str) -> Part | Exception:
    """The partition, or what is wrong with it: of several errors the first is to be raised."""
    try:
        with _checks.silent_overflow():
            X, y = check_X_y(X, y, dtype=dtype, multi_output=True, estimator=ESTIMATOR)
        if X.shape[1] != n_x:
            raise ValueError(f"X has {X.shape[1]} features here, but {n_x} in the whole array.")
        labels = _targets.classes_of(y) if y.ndim == 1 else y[:0]
        if y.ndim == 2 and _targets.holds_several(y):
            _targets.indicator(y)
        if weights is not None:
            weights = _targets.valid_weights(weights, len(X))
    except (TypeError, ValueError) as error:
        return _checks.located(error, place)
    # Sums depend on the order in memory, which a chunk that is sent elsewhere may lose.
    return Part(np.require(X, requirements="C"), y, weights, labels)


def _kinds(part: Part | Exception) -> Kinds | Exception:
    if isinstance(part, Exception):
        return part
    weights = part.weights
    limits = None if weights is None else (weights.min(), weights.max())
    return Kinds(len(part.X), part.labels, limits)


def _with_scaled_weights(part: Part, limits: tuple[float, float]) -> Part:
    assert part.weights is not None
    return part._replace(weights=_targets.scaled(part.weights, "sample_weight", limits))


def _class_sums(part: Part, shards: Shards, classes: npt.NDArray[Any]) -> list[Array]:
    codes = _targets.label_codes(part.y, classes)
    blocks = [blocks_of(shard) for shard in shards]
    return _targets.class_sums(codes, len(classes), part.weights, blocks)


def _encoded(
    part: Part, class_weight: Any, classes: npt.NDArray[Any], multilabel: bool
) -> Examples:
    X, y, weights, _ = part
    return _targets.encode(X, y, weights, class_weight, classes=classes, multilabel=multilabel)


def _n_rows(examples: Examples) -> int:
    return len(examples[0])


def _portion(examples: Examples, shards: Shards, n_h: int, steps: dict[str, Any]) -> Portion:
    X, targets = examples
    return Portion(X, targets.Y, targets.weights, n_h, steps, shards)


def _fold_shards(portion: Portion, of_block: Any, combine: Any) -> list[Any]:
    with _alone():
        return portion.rows().fold_shards(of_block, combine)


def _shares(
    portion: Portion, theta: Array, total: float, gradient: bool
) -> tuple[list[float], list[Any]]:
    with _alone(), broadcast_row_by_row():
        rows = portion.rows()
        params = Parameters.views(_aligned(theta), *rows.layer_sizes)
        costs, parts = rows.shares(params, total, gradient=gradient)
    return costs, [grads.theta for grads in parts]


def _aligned(A: Array) -> Array:
    """The array, copied if it came over a network and lies at an odd address, which is slow."""
    return np.require(A, requirements="A")


def _judged(X: Array, clf: Any, method: str, of_no_rows: Array, block_id: Any = (0,)) -> Any:
    if not len(X):
        return of_no_rows
    try:
        return getattr(clf, method)(X)
    except ValueError as error:
        raise _checks.located(error, f"Partition {block_id[0]}") from error


@contextmanager
def _alone() -> Iterator[None]:
    """As in ``fit`` in memory: the same bits, and no warnings of overflow."""
    with single_blas_thread, _checks.silent_overflow():
        yield

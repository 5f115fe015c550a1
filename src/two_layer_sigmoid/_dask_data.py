"""A data set on a Dask cluster: read, validated, encoded and kept by the workers."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from functools import reduce
from itertools import accumulate, chain
from operator import add
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.utils import check_X_y

from . import _encoding, _validation
from ._blocks import Block, BlockedData, Shards, row_shards
from ._encoding import Examples, Labels
from ._network import Array
from ._parallel import single_blas_thread

try:
    import dask
    import dask.array as da
except ImportError as error:
    dask, IMPORT_ERROR = None, error

T = TypeVar("T")
ESTIMATOR = "DaskTwoLayerSigmoidClassifier"


def check_dask(needed_by: str) -> None:
    """Raise an error if Dask is not installed."""
    if dask is None:
        message = f"{needed_by} needs Dask: pip install 'two-layer-sigmoid[dask]'."
        raise ImportError(message) from IMPORT_ERROR


# The arguments of fit


class DaskInputs(NamedTuple):
    """X, y and sample weights as dask arrays with the same rows in each chunk."""

    X: Any
    y: Any
    weights: Any  # or None

    @classmethod
    def read(cls, X: Any, y: Any, sample_weight: Any, client: Any = None) -> DaskInputs:
        """From dask arrays, data frames and series; y and the weights can be in memory."""
        if not is_dask_collection(X):
            raise TypeError(
                f"X must be a dask array or a dask dataframe, got {type(X).__name__}: use "
                "dask.array.from_array, or the TwoLayerSigmoidClassifier for arrays in memory."
            )
        X = _dask_array(X, "X", client)
        if X.ndim != 2 or 0 in X.shape:
            raise ValueError(f"X must have rows and features, got an array of shape {X.shape}.")
        if not is_dask_collection(y):
            y = _encoding.as_labels(y)
        y = _in_chunks_of(X, y, "y", client)
        if y.ndim == 2 and y.shape[1] == 1:
            y = y[:, 0]
        if sample_weight is None:
            return cls(X.rechunk({1: -1}), y, None)
        if not is_dask_collection(sample_weight):
            sample_weight = _encoding.validate_sample_weight(sample_weight, len(X))
        weights = _in_chunks_of(X, sample_weight, "sample_weight", client)
        if weights.ndim != 1:
            raise ValueError(f"sample_weight must have one dimension, got {weights.ndim}.")
        weights = weights.astype(float)  # Dask can declare floats as integers
        return cls(X.rechunk({1: -1}), y, weights)

    def unique_labels(self) -> Labels:
        """The different labels in y, computed."""
        labels: Labels = da.unique(self.y).compute()
        return labels


def is_dask_collection(X: Any) -> bool:
    """Whether X is a dask array, data frame or series; works without Dask."""
    return hasattr(X, "__dask_graph__") and any(
        hasattr(X, name) for name in ("map_blocks", "to_dask_array")
    )


def dask_meta(X: Any) -> Any:
    """An object with the shape or the columns of a dask array or data frame."""
    return X._meta if hasattr(X, "columns") else X


def _in_chunks_of(X: Any, A: Any, name: str, client: Any) -> Any:
    """``A`` as a dask array in chunks of the rows of X."""
    if is_dask_collection(A):
        A = _dask_array(A, name, client)
    else:
        A = np.asarray(A.toarray() if sparse.issparse(A) else A)
    if A.ndim == 0 or A.shape[0] != X.shape[0]:
        n_rows = _encoding.counted(X.shape[0], "row")
        raise ValueError(f"{name} has the shape {A.shape}, but X has {n_rows}.")
    chunks = X.chunks[0], *A.shape[1:]
    return A.rechunk(chunks) if is_dask_collection(A) else da.from_array(A, chunks, name=False)


def _dask_array(A: Any, name: str, client: Any) -> Any:
    """A dask array of known length."""
    if hasattr(A, "to_dask_array"):  # a data frame or series
        if A.ndim == 1 and A.dtype.kind in "biuf" and hasattr(A.dtype, "numpy_dtype"):
            A = A.astype(A.dtype.numpy_dtype)  # nullable: not to objects
        (lengths,) = dask.compute(A.map_partitions(len), scheduler=client)
        with warnings.catch_warnings():  # that labels become objects
            warnings.simplefilter("ignore", UserWarning)
            A = A.to_dask_array(lengths=tuple(lengths))
    if np.isnan(A.shape[0]):
        raise ValueError(
            f"{name} has chunks of unknown length: call {name}.compute_chunk_sizes() first."
        )
    return A


# The data


class DaskData:
    """Rows in partitions that the workers keep.

    To leave the context releases them.

    Parameters
    ----------
    n_h : int
        Number of hidden units.
    dtype : dtype
        Of X, Y and the arithmetic.
    client : distributed.Client or None
        The cluster; None is Dask's default.
    """

    def __init__(self, n_h: int, dtype: Any, client: Any) -> None:
        self._n_h, self.dtype = n_h, np.dtype(dtype)
        # Found once: another client can become Dask's default during training.
        get = dask.base.get_scheduler(scheduler=client) or "threads"
        self._scheduler = getattr(get, "__self__", get)  # a client, or a function
        self._partitions: list[Any] = []  # delayed objects
        self.largest_weight = 1.0  # of ``sample_weight``

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for partition in self._partitions:
            for value in dict(partition.dask).values():
                if hasattr(value, "release"):  # a future, to which an exception can hold on
                    value.release()
        self._partitions = []

    @property
    def n_rows(self) -> int:
        """Number of examples, m."""
        return sum(self._lengths)

    def read(self, inputs: DaskInputs) -> Labels:
        """Let the workers read and validate the rows; return the labels that they have found."""
        n_x = inputs.X.shape[1]
        lengths = inputs.X.chunks[0]
        columns = [
            [None] * len(lengths) if A is None else list(A.to_delayed().ravel()) for A in inputs
        ]
        self._persist(
            [
                dask.delayed(_read_partition, pure=False)(
                    *arrays,
                    n_x=n_x,
                    dtype=self.dtype,
                    location=f"Partition {i} (rows {end - n} to {end - 1})",
                )
                for i, (n, end, *arrays) in enumerate(
                    zip(lengths, accumulate(lengths), *columns, strict=True)
                )
                if n > 0
            ]
        )
        summaries = self._compute(_summary)
        for summary in summaries:
            if isinstance(summary, Exception):
                raise summary
        n_rows, labels, limits = zip(*summaries, strict=True)
        self._n_x, self._lengths = n_x, list(n_rows)
        if inputs.weights is not None:
            lows, highs = zip(*limits, strict=True)
            limits = _encoding.check_weight_limits(min(lows), max(highs), "sample_weight")
            self._map(_with_scaled_weights, limits)
            self.largest_weight = limits[1]
        if len({each.dtype.kind in "biuf" for each in labels}) > 1:  # would become strings
            labels = tuple(each.astype(object) for each in labels)
        return np.concatenate(labels)

    def class_weight_sums(self, classes: Labels) -> Array:
        """The sum of the weights of each class, relative to the largest weight."""
        sums = self._compute(_class_weight_sums, classes, each=self._shards())
        total: Array = reduce(add, chain.from_iterable(sums))
        return total

    def weight_sum(self) -> float:
        """The sum of the weights, relative to the largest weight."""
        return float(reduce(add, self._compute(_weight_sum)))  # "sum" depends on Python's version

    def encode(
        self, classes: Labels, multilabel: bool, class_weight: dict[Any, float] | None
    ) -> npt.NDArray[np.bool_]:
        """Turn labels and weights into targets; return whether each class has a row."""
        self._map(_encode_partition, classes, multilabel, class_weight)
        lengths, present = zip(*self._compute(_rows_and_classes, len(classes)), strict=True)
        self._partitions = [p for p, n in zip(self._partitions, lengths, strict=True) if n]
        self._lengths = [n for n in lengths if n]
        n_y = 1 if len(classes) == 2 and not multilabel else len(classes)
        self.layer_sizes = self._n_x, self._n_h, n_y
        if self._partitions:
            self._map(_with_shards, self._n_h, each=self._shards())
        has_rows: npt.NDArray[np.bool_] = np.any(present, axis=0)
        return has_rows

    def reduce(self, function: Callable[[Block], T], combine: Callable[[T, T], T] = add) -> T:
        """``function`` of every block, combined in the fixed order; both travel to the workers."""
        # Not an argument of each task, so that parameters travel to each worker only once.
        operation = dask.delayed((function, combine), pure=False, traverse=False)
        shards = self._compute(_reduce_shards, operation, np.getbufsize())
        reduced: T = reduce(combine, chain.from_iterable(shards))
        return reduced

    def _shards(self) -> list[Shards]:
        return partition_shards(self._lengths, self._n_x, self._n_h, self.dtype)

    def _calls(self, function: Any, args: tuple[Any, ...], each: list[Any] | None) -> list[Any]:
        call = dask.delayed(function, pure=False)
        if each is None:
            return [call(partition, *args) for partition in self._partitions]
        pairs = zip(self._partitions, each, strict=True)
        return [call(partition, argument, *args) for partition, argument in pairs]

    def _map(self, function: Any, *args: Any, each: list[Any] | None = None) -> None:
        """Replace each partition by ``function`` of it."""
        self._persist(self._calls(function, args, each))

    def _persist(self, calls: list[Any]) -> None:
        if hasattr(self._scheduler, "persist"):  # dask.persist of Dask < 2026.1 moves the rows here
            self._partitions = list(self._scheduler.persist(calls))
        else:
            self._partitions = list(dask.persist(*calls, scheduler=self._scheduler))

    def _compute(self, function: Any, *args: Any, each: list[Any] | None = None) -> list[Any]:
        """``function`` of each partition."""
        return list(dask.compute(*self._calls(function, args, each), scheduler=self._scheduler))


def partition_shards(lengths: list[int], n_x: int, n_h: int, dtype: Any) -> list[Shards]:
    """The shards of each partition, for partitions of these numbers of rows.

    If no partition boundary cuts a shard of the data in memory, these are the shards. Otherwise
    each partition is a shard, in blocks as large as in memory.
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
    """The shards of data in memory, which depend on its shape and dtype only."""
    return row_shards(np.broadcast_to(np.zeros(1, dtype), (m, n_x)), n_h)


# Partitions, and the functions that workers call


class RawPartition(NamedTuple):
    """Some consecutive rows, validated."""

    X: Array  # (b, n_x)
    y: npt.NDArray[Any]  # (b,) or (b, n_y)
    weights: Array | None  # (b,)
    labels: Labels  # the different ones, or an empty indicator matrix


class EncodedPartition(NamedTuple):
    """A partition to train on.

    It has no buffers, so Dask can send or spill it and can measure its size. Each call creates a
    new :class:`BlockedData`.
    """

    X: Array  # (b, n_x)
    Y: Array  # (n_y, b)
    weights: Array | None  # (b,)
    n_h: int
    shards: Shards

    def blocked(self) -> BlockedData:
        """The rows in blocks."""
        weights = None if self.weights is None else _aligned(self.weights)
        X, Y = _aligned(self.X), _aligned(self.Y)
        return BlockedData(X, Y, weights, self.n_h, shards=self.shards)


def _aligned(A: Array) -> Array:
    """The array, copied if it lies at an odd address, as from a network: NumPy is slow there."""
    return np.require(A, requirements="A")


def _read_partition(
    X: Any, y: Any, weights: Any, *, n_x: int, dtype: Any, location: str
) -> RawPartition | Exception:
    """The partition, or its error: the client raises the first error of all partitions."""
    try:
        with _validation.ignore_overflow():
            y = _encoding.as_labels(y)
            X, y = check_X_y(X, y, dtype=dtype, multi_output=True, estimator=ESTIMATOR)
        if X.shape[1] != n_x:
            here = _encoding.counted(X.shape[1], "feature")
            raise ValueError(f"X has {here} here, but {n_x} in the whole array.")
        labels = _labels_of(y)
        if y.ndim == 2:
            _encoding.indicator(y)
        if weights is not None:
            weights = _encoding.validate_sample_weight(weights, len(X))
    except (TypeError, ValueError) as error:
        return _validation.add_location(error, location)
    # Sums depend on the memory order, which a chunk can lose on a network.
    return RawPartition(np.require(X, requirements="C"), y, weights, labels)


def _labels_of(y: Labels) -> Labels:
    """The different labels of a column, none of a multilabel matrix; other targets raise errors."""
    if y.ndim == 2:
        _encoding.is_multilabel_target(y)
        return y[:0]
    labels = _encoding.unique_labels(y)
    # scikit-learn warns of many classes; each of two rows is not many.
    _encoding.is_multilabel_target(np.repeat(labels, 2))
    return labels


def _summary(partition: RawPartition | Exception) -> Any:
    """Number of rows, labels and limits of the weights; or the error."""
    if isinstance(partition, Exception):
        return partition
    weights = partition.weights
    limits = None if weights is None else (weights.min(), weights.max())
    return len(partition.X), partition.labels, limits


def _with_scaled_weights(partition: RawPartition, limits: tuple[float, float]) -> RawPartition:
    assert partition.weights is not None
    weights = _encoding.scale_weights(partition.weights, "sample_weight", limits)
    return partition._replace(weights=weights)


def _class_weight_sums(partition: RawPartition, shards: Shards, classes: Labels) -> list[Array]:
    codes = _encoding.label_codes(partition.y, classes)
    return _encoding.class_weight_sums(codes, partition.weights, len(classes), shards)


def _weight_sum(partition: RawPartition) -> float:
    return len(partition.X) if partition.weights is None else float(partition.weights.sum())


def _encode_partition(
    partition: RawPartition,
    classes: Labels,
    multilabel: bool,
    class_weight: dict[Any, float] | None,
) -> Examples:
    codes = _encoding.codes_of(partition.y, classes, multilabel)
    return _encoding.encode(partition.X, codes, partition.weights, classes, class_weight)


def _rows_and_classes(examples: Examples, n_classes: int) -> tuple[int, npt.NDArray[np.bool_]]:
    """Number of rows, and whether each class has a row (meaningless if multilabel)."""
    return len(examples[0]), _encoding.has_rows(examples[1], n_classes)


def _with_shards(examples: Examples, shards: Shards, n_h: int) -> EncodedPartition:
    return EncodedPartition(*examples, n_h, shards)


def _reduce_shards(
    partition: EncodedPartition, operation: tuple[Any, Any], buffer_size: int
) -> list[Any]:
    """The reduction of each shard, with the settings of a fit in memory."""
    # A copy has buffers of its own, which are freed with it. Those of the original would pile up:
    # one for each thread and number of rows, and Dask keeps messages.
    operation = copy.deepcopy(operation)
    with single_blas_thread, _validation.ignore_overflow():
        np.setbufsize(buffer_size)
        return partition.blocked().reduce_shards(*operation)


# Predictions and scores


def predict_lazily(predict: Any, X: Any, from_logits: Any, n_features: int) -> Any:
    """``predict(chunk, from_logits)`` of the chunks of X, lazily."""
    X = X.to_dask_array() if hasattr(X, "columns") else X.rechunk({1: -1})
    empty = predict(np.zeros((1, n_features)), from_logits)[:0]
    shape = {"drop_axis": 1} if empty.ndim == 1 else {"chunks": (X.chunks[0], empty.shape[1:])}
    return X.map_blocks(_predict_chunk, predict, from_logits, empty, meta=empty, **shape)


def _predict_chunk(
    X: Array, predict: Any, from_logits: Any, empty: Array, block_id: Any = (0,)
) -> Any:
    if not len(X):
        return empty
    try:
        return predict(X, from_logits)
    except ValueError as error:
        raise _validation.add_location(error, f"Partition {block_id[0]}") from error


def accuracy(predicted: Any, inputs: DaskInputs) -> float:
    """The weighted fraction of rows that are predicted correctly, computed."""
    if predicted.shape[1:] != inputs.y.shape[1:]:
        raise ValueError(
            f"y has the shape {inputs.y.shape}, but the predictions have the shape "
            f"{predicted.shape}: use the format of y in fit."
        )
    drop_axis = list(range(1, predicted.ndim))
    correct = da.map_blocks(
        _correct_rows, predicted, inputs.y, dtype=bool, drop_axis=drop_axis, meta=np.empty(0, bool)
    )
    weights = da.ones_like(correct, dtype=float) if inputs.weights is None else inputs.weights
    right, total, smallest, largest = dask.compute(
        (correct * weights).sum(), weights.sum(), weights.min(), weights.max()
    )
    _encoding.check_weight_limits(smallest, largest, "sample_weight")
    return float(right / total)


def _correct_rows(predicted: Labels, y: Any, block_id: Any = (0,)) -> npt.NDArray[np.bool_]:
    """Which rows of a chunk are predicted correctly: all labels of a multilabel row."""
    if not len(y):
        return np.zeros(0, bool)
    try:
        y = _encoding.as_labels(y)
        with _validation.ignore_overflow():  # of a cast of NaN
            _labels_of(y)
    except (TypeError, ValueError) as error:
        raise _validation.add_location(error, f"Partition {block_id[0]}") from error
    correct: npt.NDArray[np.bool_] = (predicted == y).reshape(len(y), -1).all(axis=1)
    return correct

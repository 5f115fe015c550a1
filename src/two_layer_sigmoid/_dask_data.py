"""A data set on a Dask cluster: read, validated, encoded and kept by the workers."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
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
    from dask.highlevelgraph import HighLevelGraph
except ImportError as error:
    dask, IMPORT_ERROR = None, error

T = TypeVar("T")
ESTIMATOR = "DaskTwoLayerSigmoidClassifier"


def check_dask(needed_by: str) -> None:
    """Raise an error if Dask is not installed."""
    if dask is None:
        message = f"{needed_by} needs Dask: pip install 'two-layer-sigmoid[dask]'."
        raise ImportError(message) from IMPORT_ERROR


# The arguments of fit and score


class DaskInputs(NamedTuple):
    """X, y and sample weights as dask arrays with the same rows in each chunk."""

    X: Any
    y: Any
    weights: Any  # or None

    def unique_labels(self) -> Labels:
        """The different labels in y, computed."""
        labels: Labels = da.unique(self.y).compute()
        return labels

    def each_chunk(self, function: Any, **options: Any) -> list[Any]:
        """``function(X, y, weights, i, rows)`` of each chunk ``i`` that has rows, delayed."""
        lengths = self.X.chunks[0]
        columns = [[None] * len(lengths) if A is None else _delayed_chunks(A) for A in self]
        call = dask.delayed(function, pure=False)
        return [
            call(*arrays, i, range(end - n, end), **options)
            for i, (n, end, *arrays) in enumerate(
                zip(lengths, accumulate(lengths), *columns, strict=True)
            )
            if n > 0
        ]


@contextmanager
def read_inputs(
    X: Any,
    y: Any,
    sample_weight: Any,
    scheduler: Any,
    convert: Callable[[Any], Any] = lambda X: X,
) -> Iterator[DaskInputs]:
    """The inputs from dask arrays, data frames and series; y and the weights can be in memory.

    ``convert`` replaces X by another array with these rows, such as predictions.

    The lengths of a frame's partitions are unknown, and a shuffle can return the rows in another
    order each time. So one call computes the inputs, without optimization, which would give
    different names to tasks that they share. The workers keep them until the context ends.
    """
    if not is_dask_collection(X):
        raise TypeError(
            f"X must be a dask array or a dask dataframe, got {type(X).__name__}: use "
            "dask.array.from_array, or the TwoLayerSigmoidClassifier for arrays in memory."
        )
    given = {"X": X, "y": y, "sample_weight": sample_weight}
    lazy = {name: A for name, A in given.items() if is_dask_collection(A)}
    for name, A in lazy.items():
        if not is_frame(A) and np.isnan(A.shape[0]):
            raise ValueError(
                f"{name} has chunks of unknown length: call {name}.compute_chunk_sizes() first."
            )
    kept: list[Any] = []
    try:
        with scheduler.as_current() if hasattr(scheduler, "as_current") else nullcontext():
            lazy = dict(zip(lazy, lazy_arrays(lazy.values()), strict=True))
            shape = lazy["X"].shape
            _check_has_rows(shape)
            lazy["X"] = convert(lazy["X"])
            if any(map(is_frame, given.values())):
                kept = persist(list(lazy.values()), scheduler)
                lazy = dict(zip(lazy, map(_with_lengths, kept), strict=True))
        _check_has_rows((lazy["X"].shape[0], *shape[1:]))
        yield _in_equal_chunks(**given | lazy)
    finally:
        release(kept)


def is_dask_collection(X: Any) -> bool:
    """Whether X is a dask array, data frame or series; works without Dask."""
    return hasattr(X, "__dask_graph__") and any(
        hasattr(X, name) for name in ("map_blocks", "to_dask_array")
    )


def is_frame(X: Any) -> bool:
    """Whether X is a data frame, series or index of Dask."""
    return hasattr(X, "to_dask_array")


def dask_meta(X: Any) -> Any:
    """An object with the shape or the columns of a dask array or data frame."""
    return X._meta if hasattr(X, "columns") else X


def lazy_arrays(collections: Iterable[Any]) -> list[Any]:
    """Dask arrays with a chunk for each partition of a frame, or with all columns of an array.

    Not by ``to_dask_array``, which optimizes each frame for itself. That fuses partitions, and
    gives different names to the tasks that frames share. All frames have one graph here.
    """
    collections = list(collections)
    frames = [A for A in collections if is_frame(A)]
    tasks = dict(chain.from_iterable(A.__dask_graph__().items() for A in frames))
    graph = f"frames-{dask.base.tokenize([A.__dask_keys__() for A in frames])}", tasks
    return [
        _array_of_frame(A, *graph) if is_frame(A) else A.rechunk({1: -1}) if A.ndim == 2 else A
        for A in collections
    ]


def _array_of_frame(frame: Any, graph_name: str, tasks: dict[Any, Any]) -> Any:
    meta, keys = _as_array(frame._meta), frame.__dask_keys__()
    name = f"rows-{dask.base.tokenize(keys)}"
    other_axes = (0,) * (meta.ndim - 1)
    rows = {(name, i, *other_axes): (_as_array, key) for i, key in enumerate(keys)}
    graph = HighLevelGraph({graph_name: tasks, name: rows}, {graph_name: set(), name: {graph_name}})
    chunks = (np.nan,) * len(keys), *((n,) for n in meta.shape[1:])
    return da.Array(graph, name, chunks, dtype=meta.dtype)


def _as_array(partition: Any) -> npt.NDArray[Any]:
    """A partition of a frame or series, in C order; nullable numbers become numbers."""
    if partition.ndim == 2:
        if not any(map(_is_nullable_number, partition.dtypes)):
            return np.ascontiguousarray(partition)
        return np.column_stack([_as_array(column) for _, column in partition.items()])
    if not _is_nullable_number(partition.dtype):
        return np.asarray(partition)
    dtype = float if partition.isna().any() else partition.dtype.numpy_dtype
    array: npt.NDArray[Any] = partition.to_numpy(dtype, na_value=np.nan)
    return array


def _is_nullable_number(dtype: Any) -> bool:
    return dtype.kind in "biuf" and hasattr(dtype, "numpy_dtype")


def _check_has_rows(shape: tuple[Any, ...]) -> None:
    if len(shape) != 2 or 0 in shape:
        raise ValueError(f"X must have rows and features, got an array of shape {shape}.")


def _with_lengths(A: Any) -> Any:
    """The dask array with known lengths of its chunks."""
    lengths = dask.compute(*map(dask.delayed(len), _delayed_chunks(A)))
    return da.Array(A.dask, A.name, (lengths, *A.chunks[1:]), dtype=A.dtype)


def _delayed_chunks(A: Any) -> list[Any]:
    chunks: list[Any] = A.to_delayed(optimize_graph=False).ravel().tolist()
    return chunks


def _in_equal_chunks(X: Any, y: Any, sample_weight: Any) -> DaskInputs:
    """The inputs in chunks of the rows of X."""
    y = _in_chunks_of(X, y, "y")
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if sample_weight is None:
        return DaskInputs(X, y, None)
    if not is_dask_collection(sample_weight):
        sample_weight = _encoding.validate_sample_weight(sample_weight, len(X))
    weights = _in_chunks_of(X, sample_weight, "sample_weight")
    if weights.ndim != 1:
        raise ValueError(f"sample_weight must have one dimension, got {weights.ndim}.")
    return DaskInputs(X, y, weights)


def _in_chunks_of(X: Any, A: Any, name: str) -> Any:
    """``A`` as a dask array in chunks of the rows of X."""
    if not is_dask_collection(A):
        A = _encoding.as_labels(A) if name == "y" else np.asarray(A)
        A = np.asarray(A.toarray() if sparse.issparse(A) else A)
    if A.ndim == 0 or A.shape[0] != X.shape[0]:
        n_rows = _encoding.counted(X.shape[0], "row")
        raise ValueError(f"{name} has the shape {A.shape}, but X has {n_rows}.")
    chunks = X.chunks[0], *A.shape[1:]
    return A.rechunk(chunks) if is_dask_collection(A) else da.from_array(A, chunks, name=False)


# Schedulers


def find_scheduler(client: Any) -> Any:
    """A client, or a function that computes; None is Dask's default."""
    get = dask.base.get_scheduler(scheduler=client) or "threads"
    return getattr(get, "__self__", get)


def persist(collections: list[Any], scheduler: Any) -> list[Any]:
    """Compute the collections in one call; the workers keep the results."""
    if hasattr(scheduler, "persist"):  # dask.persist of Dask < 2026.1 moves the rows here
        return list(scheduler.persist(collections, optimize_graph=False))
    return list(dask.persist(*collections, scheduler=scheduler, optimize_graph=False))


def release(persisted: list[Any]) -> None:
    """Let the workers forget the results, also those to which an exception holds on."""
    for collection in persisted:
        for value in dict(collection.dask).values():
            if hasattr(value, "release"):  # a future
                value.release()


# The data


class DaskData:
    """Rows in partitions that the workers keep.

    To leave the context releases them.

    Parameters
    ----------
    n_h : int
        Number of hidden units.
    scheduler : distributed.Client or callable
        See :func:`find_scheduler`.
    """

    def __init__(self, n_h: int, scheduler: Any) -> None:
        self._n_h, self._scheduler = n_h, scheduler
        self._partitions: list[Any] = []  # delayed objects
        self.largest_weight = 1.0  # of ``sample_weight``

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        release(self._partitions)
        self._partitions = []

    @property
    def n_rows(self) -> int:
        """Number of examples, m."""
        return sum(self._lengths)

    def read(self, inputs: DaskInputs, dtype: Any) -> Labels:
        """Let the workers read and validate the rows; return the labels that they have found.

        ``dtype`` is that of X, Y and the arithmetic.
        """
        self.dtype = np.dtype(dtype)
        n_x = inputs.X.shape[1]
        self._persist(inputs.each_chunk(_read_partition, n_x=n_x, dtype=self.dtype))
        n_rows, labels, limits = zip(*_without_errors(self._compute(_summary)), strict=True)
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
        self._partitions = persist(calls, self._scheduler)

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
    X: Any, y: Any, weights: Any, i: int, rows: range, *, n_x: int, dtype: Any
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
        location = f"Partition {i} (rows {rows[0]} to {rows[-1]})"
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


def _without_errors(results: Sequence[Any]) -> Sequence[Any]:
    """The results of all partitions; the first error among them is raised."""
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


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


def accuracy(inputs: DaskInputs, scheduler: Any) -> float:
    """The weighted fraction of rows whose prediction, in place of X, is correct; computed."""
    predicted, y, _ = inputs
    if predicted.shape[1:] != y.shape[1:]:
        raise ValueError(
            f"y has the shape {y.shape}, but the predictions have the shape "
            f"{predicted.shape}: use the format of y in fit."
        )
    sums = dask.compute(*inputs.each_chunk(_weight_sums), scheduler=scheduler)
    correct, total, smallest, largest = zip(*_without_errors(sums), strict=True)
    _encoding.check_weight_limits(min(smallest), max(largest), "sample_weight")
    return float(reduce(add, correct) / reduce(add, total))


def _weight_sums(
    predicted: Labels, y: Any, weights: Any, i: int, rows: range
) -> tuple[float, float, float, float] | Exception:
    """Weight of the correct rows and of all rows, and limits of the weights; or the error."""
    try:
        y = _encoding.as_labels(y)
        with _validation.ignore_overflow():  # of a cast of NaN
            _labels_of(y)
        w = _encoding.validate_sample_weight(1.0 if weights is None else weights, len(rows))
    except (TypeError, ValueError) as error:
        return _validation.add_location(error, f"Partition {i}")
    assert w is not None
    correct = (predicted == y).reshape(len(y), -1).all(axis=1)  # all labels of a multilabel row
    return float(w @ correct), float(w.sum()), float(w.min()), float(w.max())

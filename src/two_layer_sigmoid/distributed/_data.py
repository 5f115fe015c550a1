"""A data set on a Dask cluster: read, validated, encoded and kept by the workers."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate, compress, count, repeat
from operator import add
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.utils import check_X_y

from .. import _targets
from .._blocks import BlockedData
from .._checks import add_location, check_features
from .._network import Array
from .._parallel import ignore_overflow, single_blas_thread
from .._targets import Labels, Targets

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


# The arguments of fit and score


class DaskInputs(NamedTuple):
    """X, y and the sample weights as dask arrays whose chunks have the same rows."""

    X: Any
    y: Any
    weights: Any  # or None

    def unique_labels(self) -> Labels:
        """The different labels in y, as a NumPy array."""
        return da.unique(self.y).compute()

    def each_chunk(self, function: Any, **options: Any) -> list[Any]:
        """Delayed calls ``function(X, y, weights, i, rows)`` for the chunks ``i`` with rows."""
        columns = [repeat(None) if A is None else _delayed_chunks(A) for A in self]
        ends = list(accumulate(self.X.chunks[0]))
        chunks = zip(*columns, count(), map(range, [0, *ends], ends), strict=False)
        call = dask.delayed(function, pure=False)
        return [call(*arrays, i, rows, **options) for *arrays, i, rows in chunks if rows]


@contextmanager
def read_inputs(
    X: Any,
    y: Any,
    sample_weight: Any,
    scheduler: Any,
    convert: Callable[[Any], Any] = lambda X: X,
) -> Iterator[DaskInputs]:
    """A context with the inputs as dask arrays. y and the weights can be in memory.

    ``convert`` replaces X by another array with the same rows, such as the predictions.

    The lengths of a frame's partitions are unknown, and a shuffle can order the rows differently in
    each computation. So frames are computed in one call, and the workers keep the results until the
    context ends. The call does not optimize, because Dask would optimize each input separately and
    give different names to the tasks that they share.
    """
    if not is_dask_collection(X):
        raise TypeError(
            f"X must be a dask array or a dask dataframe, got {type(X).__name__}: use "
            "dask.array.from_array, or the TwoLayerSigmoidClassifier for arrays in memory."
        )
    check_features(dask_meta(X))
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
            lazy = {name: lazy_array(A) for name, A in lazy.items()}
            shape = lazy["X"].shape
            _check_has_rows(shape)
            lazy["X"] = convert(lazy["X"])
            if any(map(is_frame, given.values())):
                kept = persist(list(lazy.values()), scheduler)
                lazy = {name: A.compute_chunk_sizes() for name, A in zip(lazy, kept, strict=True)}
        _check_has_rows((lazy["X"].shape[0], *shape[1:]))
        yield _in_equal_chunks(**given | lazy)
    finally:
        release(kept)


def is_dask_collection(X: Any) -> bool:
    """Whether X is a dask array, data frame or series; does not need Dask."""
    return hasattr(X, "__dask_graph__") and (is_frame(X) or hasattr(X, "map_blocks"))


def is_frame(X: Any) -> bool:
    """Whether X is a data frame, series or index of Dask."""
    return hasattr(X, "to_dask_array")


def dask_meta(X: Any) -> Any:
    """An object with the shape or the columns of a dask array or data frame."""
    return X._meta if hasattr(X, "columns") else X


def lazy_array(A: Any) -> Any:
    """A dask array: of a frame with a chunk for each partition, of an array with whole rows.

    ``to_dask_array`` would optimize each frame separately, which fuses partitions and gives
    different names to the tasks that frames share.
    """
    if not is_frame(A):
        return A.rechunk({1: -1}) if A.ndim == 2 else A
    meta, keys = _as_array(A._meta), A.__dask_keys__()
    name = f"rows-{dask.base.tokenize(keys)}"
    other_axes = (0,) * (meta.ndim - 1)
    rows = {(name, i, *other_axes): (_as_array, key) for i, key in enumerate(keys)}
    chunks = (np.nan,) * len(keys), *((n,) for n in meta.shape[1:])
    return da.Array(dict(A.__dask_graph__()) | rows, name, chunks, dtype=meta.dtype)


def _as_array(partition: Any) -> npt.NDArray[Any]:
    """A partition of a frame or series, in C order; nullable numbers become numbers."""
    if partition.ndim == 1 or any(map(_targets.is_nullable_number, partition.dtypes)):
        return _targets.as_numpy(partition)
    return np.ascontiguousarray(partition)


def _check_has_rows(shape: tuple[Any, ...]) -> None:
    if len(shape) != 2 or 0 in shape:
        raise ValueError(f"X must have rows and features, got an array of shape {shape}.")


def _delayed_chunks(A: Any) -> list[Any]:
    return A.to_delayed(optimize_graph=False).ravel().tolist()


def _in_equal_chunks(X: Any, y: Any, sample_weight: Any) -> DaskInputs:
    """The inputs in chunks of the rows of X."""
    y = _in_chunks_of(X, y, "y")
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if sample_weight is None:
        return DaskInputs(X, y, None)
    if not is_dask_collection(sample_weight):
        sample_weight = _targets.validate_sample_weight(sample_weight, len(X))
    weights = _in_chunks_of(X, sample_weight, "sample_weight")
    if weights.ndim != 1:
        raise ValueError(f"sample_weight must have one dimension, got {weights.ndim}.")
    return DaskInputs(X, y, weights)


def _in_chunks_of(X: Any, A: Any, name: str) -> Any:
    """``A`` as a dask array in chunks of the rows of X."""
    if not is_dask_collection(A):
        A = _targets.as_labels(A) if name == "y" else np.asarray(A)
        A = np.asarray(A.toarray() if sparse.issparse(A) else A)
    if A.ndim == 0 or A.shape[0] != X.shape[0]:
        n_rows = _targets.counted(X.shape[0], "row")
        raise ValueError(f"{name} has the shape {A.shape}, but X has {n_rows}.")
    chunks = X.chunks[0], *A.shape[1:]
    return A.rechunk(chunks) if is_dask_collection(A) else da.from_array(A, chunks, name=False)


# Schedulers


def find_scheduler(client: Any) -> Any:
    """The client, or else the function that computes graphs. None is Dask's default."""
    get = dask.base.get_scheduler(scheduler=client) or "threads"
    return getattr(get, "__self__", get)


def persist(collections: list[Any], scheduler: Any) -> list[Any]:
    """Compute the collections in one call; the workers keep the results."""
    if hasattr(scheduler, "persist"):  # dask.persist of Dask < 2026.1 moves the rows here
        return list(scheduler.persist(collections, optimize_graph=False))
    return list(dask.persist(*collections, scheduler=scheduler, optimize_graph=False))


def release(persisted: list[Any]) -> None:
    """Free the results on the workers, even if an exception still refers to them."""
    for collection in persisted:
        for value in dict(collection.dask).values():
            if hasattr(value, "release"):  # a future
                value.release()


# The data


class Partitions:
    """One object for each partition, which the workers keep until the context ends.

    Parameters
    ----------
    scheduler : distributed.Client or callable
        See :func:`find_scheduler`.
    """

    def __init__(self, scheduler: Any) -> None:
        self._scheduler = scheduler
        self._objects: list[Any] = []  # delayed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        release(self._objects)
        self._objects = []

    def set(self, calls: list[Any]) -> None:
        """Compute the objects by delayed calls."""
        self._objects = persist(calls, self._scheduler)

    def replace(self, function: Any, *args: Any) -> None:
        """Replace each object by ``function(object, *args)``."""
        self.set(self._calls(function, args))

    def keep(self, conditions: Sequence[Any]) -> None:
        """Drop the objects whose condition is false."""
        self._objects = list(compress(self._objects, conditions))

    def compute(self, function: Any, *args: Any) -> list[Any]:
        """``function(object, *args)`` of each object."""
        return list(dask.compute(*self._calls(function, args), scheduler=self._scheduler))

    def _calls(self, function: Any, args: tuple[Any, ...]) -> list[Any]:
        call = dask.delayed(function, pure=False)
        return [call(partition, *args) for partition in self._objects]


@dataclass
class DaskData:
    """A data set on a cluster, with the protocol of :class:`~two_layer_sigmoid._blocks.Data`."""

    partitions: Partitions  # of EncodedPartition
    layer_sizes: tuple[int, int, int]
    dtype: np.dtype[Any]

    def reduce(self, function: Callable[..., T], combine: Callable[[T, T], T] = add) -> T:
        """``function(X, Y, weights)`` of every block, combined in the order of the rows.

        Both functions are sent to the workers. Each worker combines the blocks of a partition.
        """
        # One delayed object, so that the parameters travel once to each worker, not with each task.
        operation = dask.delayed((function, combine), pure=False, traverse=False)
        options = self.layer_sizes[1], np.getbufsize()
        results = self.partitions.compute(_reduce_partition, operation, *options)
        return reduce(combine, results)


class RawData(NamedTuple):
    """What is known of the partitions before they are encoded."""

    labels: Labels  # the different ones of each partition; an empty matrix if y is multilabel
    n_x: int
    dtype: np.dtype[Any]
    largest_weight: float  # 1 without sample weights


def read(partitions: Partitions, inputs: DaskInputs, dtype: np.dtype[Any]) -> RawData:
    """Read and validate the rows on the workers. ``dtype`` is that of the arithmetic."""
    n_x = inputs.X.shape[1]
    partitions.set(inputs.each_chunk(_read_partition, n_x=n_x, dtype=dtype))
    found, smallest, largest = zip(*_without_errors(partitions.compute(_found)), strict=True)
    if len({labels.dtype.kind in "biuf" for labels in found}) > 1:  # numbers would become strings
        found = tuple(labels.astype(object) for labels in found)
    labels = np.concatenate(found)
    _targets.check_label_types(labels)
    _targets.check_weight_limits(min(smallest), max(largest))
    return RawData(labels, n_x, dtype, float(max(largest)))


def encode(
    partitions: Partitions, raw: RawData, targets: Targets, class_weight: Any, n_h: int
) -> tuple[DaskData, float]:
    """Encode labels and weights on the workers: the data, and the sum of the weights as given."""
    # Relative to the largest ones, because their sum can overflow.
    largest, largest_of_class = raw.largest_weight, 1.0
    sums = reduce(add, partitions.compute(_class_sums, largest, targets))
    weight_of_class = _targets.class_weights(class_weight, targets, sums)
    if weight_of_class is not None:
        largest_of_class = float(weight_of_class.max())
        weight_of_class = weight_of_class / largest_of_class
        sums = sums * weight_of_class
    total = float(sums.sum())
    _targets.check_sum_of_weights(total)
    partitions.replace(_encode_partition, targets, weight_of_class, (largest, total))
    partitions.keep(partitions.compute(lambda partition: len(partition.X)))
    data = DaskData(partitions, (raw.n_x, n_h, targets.n_outputs), raw.dtype)
    return data, total * largest * largest_of_class


# Partitions, and the functions that workers call


class RawPartition(NamedTuple):
    """Some consecutive rows, validated."""

    X: Array  # (b, n_x)
    y: npt.NDArray[Any]  # (b,) or (b, n_y)
    weights: Array | None  # (b,)
    labels: Labels  # the different ones, or an empty indicator matrix


class EncodedPartition(NamedTuple):
    """A partition to train on.

    It has no buffers, so Dask can send or spill it and can measure its size.
    """

    X: Array  # (b, n_x)
    Y: Array  # (n_y, b)
    weights: Array | None  # (b,)


def _read_partition(
    X: Any, y: Any, weights: Any, i: int, rows: range, *, n_x: int, dtype: Any
) -> RawPartition | Exception:
    """The partition, or its error, so that the client can raise the first of all errors."""
    try:
        with ignore_overflow():
            y = _targets.as_labels(y)
            X, y = check_X_y(X, y, dtype=dtype, multi_output=True, estimator=ESTIMATOR)
        if X.shape[1] != n_x:
            here = _targets.counted(X.shape[1], "feature")
            raise ValueError(f"X has {here} here, but {n_x} in the whole array.")
        labels = _labels_of(y)
        if y.ndim == 2:
            _targets.indicator(y)
        if weights is not None:
            weights = _targets.sample_weight_array(weights, len(X))
    except (TypeError, ValueError) as error:
        return add_location(error, f"Partition {i} (rows {rows[0]} to {rows[-1]})")
    # C order: the order in memory changes the last digits, and sending a chunk can change it.
    return RawPartition(np.require(X, requirements="C"), y, weights, labels)


def _labels_of(y: Labels) -> Labels:
    """The different labels of a column, none of a multilabel matrix. Other targets raise."""
    if y.ndim == 2:
        _targets.is_multilabel_target(y)
        return y[:0]
    labels = _targets.unique_labels(y)
    # Each label twice, because scikit-learn warns if there are almost as many classes as rows.
    _targets.is_multilabel_target(np.repeat(labels, 2))
    return labels


def _without_errors(results: Sequence[Any]) -> Sequence[Any]:
    """The results of all partitions. If some are errors, raise the first."""
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


def _found(partition: RawPartition | Exception) -> Any:
    """The labels, and the smallest and the largest weight; or the error."""
    if isinstance(partition, Exception):
        return partition
    weights = np.ones(1) if partition.weights is None else partition.weights
    return partition.labels, weights.min(), weights.max()


def _class_sums(partition: RawPartition, largest: float, targets: Targets) -> Any:
    """The sum of the weights of each class; multilabel: the sum of all weights, and zeros."""
    X, y, weights, _ = partition
    codes = np.zeros(len(X), int) if targets.is_multilabel else targets.codes(y)
    weights = None if weights is None else weights / largest
    return np.bincount(codes, weights, len(targets.classes))


def _encode_partition(
    partition: RawPartition,
    targets: Targets,
    weight_of_class: Array | None,
    divisors: tuple[float, float],
) -> EncodedPartition:
    """The partition with weights divided by both ``divisors``, whose product can overflow."""
    X, y, weights, _ = partition
    codes = targets.codes(y)
    weights = None if weights is None else weights / divisors[0]
    weights = _targets.row_weights(codes, weights, weight_of_class)
    Y = targets.encode(codes, X.dtype)
    if weights is not None:
        X, Y, weights = _targets.without_zeros(X, Y, weights / divisors[1])
    return EncodedPartition(X, Y, weights)


def _reduce_partition(
    partition: EncodedPartition, operation: tuple[Any, Any], n_h: int, buffer_size: int
) -> Any:
    """The reduction of the blocks of a partition, with the settings of a fit in memory."""
    # A copy, whose buffers are freed at the end. The buffers of the original, for each thread and
    # number of rows, would stay as long as Dask keeps the operation.
    operation = copy.deepcopy(operation)
    # A deserialised array may be unaligned, which makes NumPy slow.
    X, Y = (np.require(A, requirements="A") for A in partition[:2])
    w = partition.weights
    weights = None if w is None else np.require(w, requirements="A")
    with single_blas_thread, ignore_overflow():
        np.setbufsize(buffer_size)
        return BlockedData(X, Y, weights, n_h).reduce(*operation)


# Predictions and scores


def predict_lazily(predict: Any, X: Any, from_logits: Any, n_features: int) -> Any:
    """A dask array of ``predict(chunk, from_logits)`` for the chunks of X."""
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
        raise add_location(error, f"Partition {block_id[0]}") from error


def accuracy(inputs: DaskInputs, scheduler: Any) -> float:
    """The weighted fraction of correct predictions, which take the place of X in ``inputs``."""
    predicted, y, _ = inputs
    if predicted.shape[1:] != y.shape[1:]:
        raise ValueError(
            f"y has the shape {y.shape}, but the predictions have the shape "
            f"{predicted.shape}: use the format of y in fit."
        )
    sums = dask.compute(*inputs.each_chunk(_weight_sums), scheduler=scheduler)
    correct, total, smallest, largest = zip(*_without_errors(sums), strict=True)
    _targets.check_weight_limits(min(smallest), max(largest))
    return float(reduce(add, correct) / reduce(add, total))


def _weight_sums(
    predicted: Labels, y: Any, weights: Any, i: int, rows: range
) -> tuple[float, float, float, float] | Exception:
    """The sums of correct and of all weights, the smallest and the largest; or the error."""
    try:
        y = _targets.as_labels(y)
        with ignore_overflow():  # scikit-learn casts NaN to int
            _labels_of(y)
        w = _targets.sample_weight_array(1.0 if weights is None else weights, len(rows))
    except (TypeError, ValueError) as error:
        return add_location(error, f"Partition {i}")
    correct = (predicted == y).reshape(len(y), -1).all(axis=1)  # all labels of a multilabel row
    return float(w @ correct), float(w.sum()), float(w.min()), float(w.max())

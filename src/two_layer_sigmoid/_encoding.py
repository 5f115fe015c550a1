"""Labels and weights to the targets Y of the network, and the split of a validation set.

The same functions encode data in memory and the partitions of a cluster.
"""

from __future__ import annotations

import math
from functools import reduce
from numbers import Number
from operator import add
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, is_multilabel

from ._blocks import Shards, shard_blocks
from ._network import Array

CHUNK_ROWS = 2**16  # rows whose labels are Python objects at a time

Labels = npt.NDArray[Any]
Examples = tuple[Any, Array, Array | None]  # X (m, n_x), Y (n_y, m) and the weights (m,)


def counted(n: int, noun: str) -> str:
    """A number and its noun, for messages: "1 row", "2 rows"."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


# Labels of pandas, Polars and NumPy


def as_labels(y: Any, name: str = "y") -> Any:
    """The labels as an array of NumPy, none missing; None and sparse matrices as they are."""
    if y is None or sparse.issparse(y):
        return y
    labels = as_numpy(y)
    missing = _is_missing(labels)
    if missing.ndim and missing.any():
        rows = np.flatnonzero(missing.reshape(len(labels), -1).any(axis=1))
        raise ValueError(
            f"{name} contains missing labels, {len(rows)} of {len(labels)}, the first at position "
            f"{rows[0]}: drop these rows, or give them a label of their own."
        )
    return labels


def as_numpy(y: Any) -> npt.NDArray[Any]:
    """The labels as an array of NumPy; missing ones of any type stay: NA, None, NaN or NaT.

    scikit-learn makes floats of pandas' nullable integers, so that large labels become equal, and
    does not know NumPy's StringDType.
    """
    if hasattr(y, "iloc") and y.ndim == 2 and y.shape[1]:  # each column has a dtype of its own
        return np.column_stack([as_numpy(y.iloc[:, j]) for j in range(y.shape[1])])
    dtype: Any = getattr(y, "dtype", None)
    if hasattr(dtype, "numpy_dtype") and dtype.kind in "biuf":  # nullable
        nullable: npt.NDArray[Any] = y.to_numpy(object if y.isna().any() else dtype.numpy_dtype)
        return nullable
    labels = np.asarray(y)
    if labels.dtype.kind in "mM":  # a dtype pickled by NumPy 2.3 has broken metadata in NumPy 2.0
        return labels.astype(labels.dtype.str)
    if labels.dtype.kind == "T":
        return labels.astype(object)
    if labels.dtype.kind == "U" and dtype is None:  # NumPy makes "nan" of NaN in a list
        objects = np.asarray(y, dtype=object)
        return objects if _is_missing(objects).any() else labels
    return labels


def _is_missing(labels: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    if labels.dtype.kind in "fcmM":
        return np.asarray(np.isnan(labels))  # NaN or NaT
    if labels.dtype.kind != "O":
        return np.zeros(labels.shape, bool)
    missing = [type(label) is not str and _is_missing_label(label) for label in labels.flat]
    return np.reshape(missing, labels.shape)


def _is_missing_label(label: Any) -> bool:
    if isinstance(label, float | np.floating):
        return math.isnan(label)
    if isinstance(label, np.datetime64 | np.timedelta64):
        return bool(np.isnat(label))
    return label is None or type(label).__name__ in {"NAType", "NaTType"}  # of pandas


# Classes


def find_classes(y: Any) -> tuple[Labels, bool]:
    """The sorted classes of y, and whether y is multilabel (then the classes are its columns)."""
    if is_multilabel_target(y):
        return np.arange(y.shape[1]), True
    return unique_labels(column_or_1d(y, warn=True)), False


def is_multilabel_target(y: Any) -> bool:
    """Whether y is an indicator matrix; a y that is neither one nor a column of labels raises."""
    try:
        check_classification_targets(y)
        multilabel: bool = is_multilabel(y)
    except TypeError as error:
        _refuse_mixed_types(y, error)
        raise
    if y.ndim == 2 and y.shape[1] > 1 and not multilabel:
        raise ValueError(
            "y has several columns that are not all 0 or 1 (multiclass-multioutput), which is not "
            "supported: pass one column of labels, a multilabel indicator matrix of 0 and 1, or "
            "use sklearn.multioutput.MultiOutputClassifier."
        )
    return multilabel


def unique_labels(y: Labels) -> Labels:
    """The different labels, sorted."""
    try:
        classes: Labels = LabelEncoder().fit(y).classes_
    except TypeError as error:
        _refuse_mixed_types(y, error)
        raise
    return classes


def _refuse_mixed_types(y: Any, error: TypeError) -> None:
    """Say so if the labels have several types, which is the usual reason of a TypeError."""
    types = sorted({type(label).__name__ for label in np.ravel(y)}) if y.dtype.kind == "O" else []
    if len(types) > 1:
        raise TypeError(
            f"y mixes labels of the types {', '.join(types)}: convert all labels to one type."
        ) from error


def label_codes(y: Labels, classes: Labels) -> npt.NDArray[Any]:
    """The position of each label among the classes; a label that equals none of them raises.

    ``LabelEncoder.transform`` casts y to the dtype of the classes first, which makes "10" the
    class "1" and 257 the class 1.
    """
    positions = {label: i for i, label in enumerate(classes.tolist())}
    codes = np.empty(len(y), np.min_scalar_type(-len(classes)))
    for start in range(0, len(y), CHUNK_ROWS):
        rows = slice(start, start + CHUNK_ROWS)
        codes[rows] = [positions.get(label, -1) for label in _comparable(y[rows], classes)]
        if codes[rows].min() < 0:
            unknown = y[rows][codes[rows] < 0].tolist()
            raise ValueError(
                f"y holds labels that are not among the classes {classes.tolist()}, such as "
                f"{min(unknown, key=str)!r}: use these labels only. The first partial_fit needs "
                "all labels as classes."
            )
    return codes


def _comparable(y: Labels, classes: Labels) -> list[Any]:
    """The labels as Python objects, to compare with ``classes.tolist()``; None if none is equal.

    Python compares numbers and strings exactly. Dates are compared in the unit of the classes.
    """
    kinds = {y.dtype.kind, classes.dtype.kind}
    if len(kinds) == 2 and kinds & {"m", "M"}:
        return [None] * len(y)
    comparable: list[Any] = in_unit_of_classes(y, classes).tolist()
    return comparable


def in_unit_of_classes(y: Labels, classes: Labels) -> Labels:
    """Dates in the unit of the classes, NaT if that is not exact; other labels as they are."""
    if y.dtype.kind not in "mM" or y.dtype.kind != classes.dtype.kind:
        return y
    converted = y.astype(classes.dtype)
    exact = converted.astype(y.dtype) == y
    return np.where(exact, converted, np.array("NaT", classes.dtype))


# Weights


def check_sample_weight(sample_weight: Any, m: int) -> Array | None:
    """``sample_weight`` as float64 with maximum 1; None if all rows have the same weight."""
    weights = validate_sample_weight(sample_weight, m)
    return None if weights is None else scale_weights(weights, "sample_weight")


def validate_sample_weight(sample_weight: Any, m: int) -> Array | None:
    """``sample_weight`` as an array of finite numbers in float64."""
    if sample_weight is None:
        return None
    if isinstance(sample_weight, Number):
        sample_weight = np.full(m, sample_weight)
    if isinstance(sample_weight, (str, dict)):
        raise ValueError(
            f"sample_weight must hold one number for each row of X, got {sample_weight!r}; "
            "weights of classes are set by class_weight."
        )
    w = check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
    if w.shape != (m,):
        raise ValueError(
            f"sample_weight has shape {w.shape}, but must have one entry for each row of X: ({m},)."
        )
    weights: Array = w
    return weights


def scale_weights(
    weights: Array, name: str, limits: tuple[float, float] | None = None
) -> Array | None:
    """Weights with maximum 1, so that no dtype overflows; the loss depends on ratios only.

    None if all are equal. ``limits`` are the minimum and maximum of all weights, already checked,
    if these weights are a part of them.
    """
    smallest, largest = limits or check_weight_limits(weights.min(), weights.max(), name)
    return None if smallest == largest else weights / largest


def check_weight_limits(smallest: float, largest: float, name: str) -> tuple[float, float]:
    """The limits, if weights can have them."""
    if not (smallest >= 0 and np.isfinite(largest)):
        raise ValueError(
            f"{name} must be finite and non-negative, got values from {smallest} to {largest}. "
            "Use weight 0 for rows that should not count."
        )
    if largest == 0:
        raise ValueError(f"{name} is zero for every row: give at least one row a positive weight.")
    return smallest, largest


def resolve_class_weight(
    class_weight: Any, classes: Labels, multilabel: bool, sums: Array
) -> tuple[dict[Any, float] | None, float]:
    """``class_weight`` as a dict, or None; and the sum of all weights.

    ``sums`` are the sums of ``sample_weight`` in each class. "balanced" does not change their sum.
    """
    if class_weight is None:
        return None, float(sums.sum())
    if multilabel:
        raise ValueError(
            f"class_weight={class_weight!r} is not supported for multilabel targets, whose rows "
            "belong to several classes: use class_weight=None, and sample_weight in fit."
        )
    if isinstance(class_weight, str):
        balanced = 1 / np.where(sums > 0, sums, np.inf)
        return dict(zip(classes, balanced, strict=True)), float(sums.sum())
    weights = _weights_of(classes, class_weight)
    check_weight_limits(weights.min(), weights.max(), "class_weight")
    return class_weight, float(sums @ weights)


def class_weight_sums(
    codes: npt.NDArray[Any], weights: Array | None, n_classes: int, shards: Shards
) -> list[Array]:
    """The sum of the weights of each class in each shard."""

    def block_sums(rows: slice) -> Any:
        return np.bincount(codes[rows], None if weights is None else weights[rows], n_classes)

    return [reduce(add, map(block_sums, shard_blocks(shard))) for shard in shards]


def class_factors(classes: Labels, class_weight: dict[Any, float] | None) -> Array | None:
    """The weight of each class, with maximum 1; None if they are equal."""
    if class_weight is None:
        return None
    return scale_weights(_weights_of(classes, class_weight), "class_weight")


def _weights_of(classes: Labels, class_weight: dict[Any, float]) -> Array:
    """The weight of each class; 1 for those that are not in a dict of other classes.

    scikit-learn 1.9 has a function for this, but it converts labels to int where it can: it takes
    the weight of 1 for "1" and for "01", and fails on dates.
    """
    absent = [label not in class_weight for label in classes]
    if any(absent) and len(classes) - sum(absent) != len(class_weight):
        raise ValueError(
            f"The classes, {classes[absent].tolist()}, are not in class_weight: use the labels of "
            "y as its keys."
        )
    return np.array([class_weight.get(label, 1) for label in classes], np.float64)


# Targets


def codes_of(y: Any, classes: Labels, multilabel: bool) -> npt.NDArray[Any]:
    """The code of each label ``(m,)``; of a multilabel y the targets ``(n_y, m)``."""
    return indicator(y) if multilabel else label_codes(column_or_1d(y), classes)


def encode(
    X: Any,
    codes: npt.NDArray[Any],
    weights: Array | None,
    classes: Labels,
    class_weight: dict[Any, float] | None,
) -> Examples:
    """X, the targets Y in the dtype of X, and the weights, without the rows of weight 0.

    Two classes make one output, more classes one output each. A multilabel indicator matrix makes
    one output for each label.
    """
    Y = codes
    if codes.ndim == 1:
        factors = class_factors(classes, class_weight)
        if factors is not None:
            weights = factors[codes] if weights is None else factors[codes] * weights
        Y = codes == ([[1]] if len(classes) == 2 else np.arange(len(classes))[:, np.newaxis])
    Y = Y.astype(X.dtype)
    if weights is None:
        return X, Y, weights
    weights = weights.astype(X.dtype, copy=False)  # float32 rounds very small weights to 0
    if weights.all():
        return X, Y, weights
    counts = weights > 0
    return X[counts], Y[:, counts], weights[counts]


def indicator(y: Any) -> npt.NDArray[Any]:
    """A multilabel y as targets ``(n_y, m)``."""
    Y = y.toarray() if sparse.issparse(y) else y
    if not np.isin(Y, (0, 1)).all():
        raise ValueError(
            f"A multilabel y must be an indicator matrix of 0 and 1, got the values {np.unique(Y)}."
        )
    return np.ascontiguousarray(Y.T)


def has_rows(Y: Array, n_classes: int) -> npt.NDArray[np.bool_]:
    """Whether each class has a row, for targets that are not multilabel."""
    if n_classes == 2:
        return np.array([not Y.all(), Y.any()])
    return np.array([targets.any() for targets in Y])


def check_rows_left(n_rows: int) -> None:
    """Refuse targets without rows, which ``encode`` returns if all have weight 0."""
    if n_rows == 0:
        raise ValueError(
            "sample_weight times class_weight is zero for every row: give at least one row a "
            "positive weight."
        )


def check_two_classes(classes: Labels, name: str = "y") -> None:
    """Refuse labels with fewer than two classes."""
    if len(classes) < 2:
        raise ValueError(
            f"{name} holds only one class, {classes.tolist()[0]!r}: a classifier needs at least "
            "two classes to learn from."
        )


def check_target_type(y: Any, classes: Labels, multilabel: bool | None) -> bool:
    """Whether y is multilabel; it must be if ``multilabel``, and must not be if that is False."""
    is_multilabel = is_multilabel_target(y)
    if not is_multilabel and not multilabel:
        return False
    n_columns = y.shape[1] if is_multilabel else len(classes)
    if multilabel is not None:
        check_same_format(is_multilabel, multilabel, n_columns)
    if not np.array_equal(classes, np.arange(n_columns)):
        raise ValueError(
            f"y is a multilabel indicator matrix of {n_columns} columns, so classes must be "
            f"np.arange({n_columns}), the column numbers, but classes is "
            f"{np.asarray(classes).tolist()}."
        )
    return True


def check_same_format(is_multilabel: bool, was_multilabel: bool, n_columns: int) -> None:
    """Refuse a multilabel y after one column of labels, and the other way round."""
    if is_multilabel != was_multilabel:
        matrix = f"a multilabel indicator matrix of {n_columns} columns"
        types = matrix, "one column of labels"
        got, needed = types if is_multilabel else types[::-1]
        raise ValueError(f"y is {got}, but it was {needed} in the first fit: use the same format.")


# The validation set


def split(
    examples: Examples,
    classes: Labels | None,
    fraction: float,
    random_state: np.random.RandomState,
) -> tuple[Examples, Examples]:
    """Split a fraction of the rows off, as copies: the training and the validation set.

    Every row is equally likely, independently of its weight. Each class keeps its share of the rows
    as nearly as whole rows can; multilabel targets, without ``classes``, are not stratified. The
    rows keep their order.
    """
    X, Y, weights = examples
    m = X.shape[0]
    labels = None
    if classes is not None:  # the errors of scikit-learn name the labels
        labels = classes[Y[0].astype(int) if len(Y) == 1 else Y.argmax(axis=0)]
    n_classes = 1 if labels is None else len(np.unique(labels))
    try:
        parts = train_test_split(
            np.arange(m),
            test_size=max(math.ceil(fraction * m), n_classes),
            stratify=labels,
            random_state=random_state,
        )
    except ValueError as error:
        raise ValueError(
            f"validation_fraction={fraction} cannot be split off {counted(m, 'row')}: {error} Give "
            "more rows, another fraction, or X_val and y_val."
        ) from error
    if labels is not None and len(np.unique(labels[parts[0]])) < n_classes:
        raise ValueError(
            f"validation_fraction={fraction} of {m} rows leaves a class without a row to train on: "
            "choose a smaller fraction, or give X_val and y_val."
        )
    training, validation = (
        (X[rows], Y[:, rows], None if weights is None else weights[rows])
        for rows in map(np.sort, parts)
    )
    return training, validation

"""Targets: labels to the outputs Y of the network, logits back to labels, and weights of rows.

This module alone knows the kinds of target: two classes, more classes, multilabel. The same
functions serve data in memory and the partitions of a cluster.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import expit, log_expit
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, is_multilabel

from ._network import Array

# What a message suggests for Python objects; "str" for all others
DTYPES_OF_OBJECTS = {
    "bool": "bool",
    "int": "int",
    "float": "float",
    "date": "datetime64",
    "datetime": "datetime64",
    "timedelta": "timedelta64",
}
FEW_CLASSES = 10  # so few that scikit-learn does not warn of many classes

Labels = npt.NDArray[Any]
Codes = npt.NDArray[Any]  # (m,), positions among the classes; multilabel: Y (n_y, m)
Examples = tuple[Any, Array, Array | None]  # X (m, n_x), Y (n_y, m) and the weights (m,)


def counted(n: int, noun: str) -> str:
    """A number and its noun, for messages: "1 row", "2 rows"."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


@dataclass(frozen=True, eq=False)
class Targets:
    """What the network predicts: classes of which each row has one, or several labels for a row.

    Two classes have one output. More classes have one output each, and so has each label of a
    multilabel y, whose classes are the column numbers.
    """

    classes: Labels  # (n_classes,), sorted
    is_multilabel: bool

    @classmethod
    def of(cls, y: Any) -> Targets:
        """The targets of a whole y."""
        if is_surely_a_column(y):
            classes = np.unique(y)
            if len(classes) > FEW_CLASSES:
                check_classification_targets(y)  # can warn of many classes
            return cls.of_labels(classes)
        if is_multilabel_target(y):
            return cls(np.arange(y.shape[1]), True)
        return cls.of_labels(unique_labels(column_or_1d(y, warn=True)))

    @classmethod
    def of_labels(cls, classes: Labels, name: str = "y") -> Targets:
        """The targets with these sorted classes, of which there must be two."""
        if len(classes) < 2:
            raise ValueError(
                f"{name} holds only one class, {classes.tolist()[0]!r}: a classifier needs at "
                "least two classes to learn from."
            )
        return cls(classes, False)

    @classmethod
    def of_stream(cls, y: Any, classes: Labels) -> Targets:
        """The targets with the given classes, some of which can be missing in this first y."""
        if not is_multilabel_target(y):
            return cls.of_labels(classes, "classes")
        _check_column_numbers(classes, y.shape[1])
        return cls(classes, True)

    def check_same_kind(self, y: Any) -> None:
        """Raise if y is of another kind."""
        self.check_format(is_multilabel_target(y), y.shape[1] if y.ndim == 2 else 1)

    def check_format(self, is_multilabel: bool, n_columns: int) -> None:
        """Raise if a multilabel y follows one column of labels, or the other way round."""
        if is_multilabel != self.is_multilabel:
            n = n_columns if is_multilabel else len(self.classes)
            types = f"a multilabel indicator matrix of {n} columns", "one column of labels"
            got, needed = types if is_multilabel else types[::-1]
            raise ValueError(
                f"y is {got}, but it was {needed} in the first fit: use the same format."
            )
        if is_multilabel:
            _check_column_numbers(self.classes, n_columns)

    @property
    def n_outputs(self) -> int:
        """The number of outputs, n_y."""
        return 1 if len(self.classes) == 2 and not self.is_multilabel else len(self.classes)

    @property
    def is_multiclass(self) -> bool:
        """Whether each row has one of more than two classes."""
        return not self.is_multilabel and len(self.classes) > 2

    # From labels to outputs

    def codes(self, y: Any) -> Codes:
        """The code of each label; a label that equals none of the classes raises.

        ``LabelEncoder.transform`` casts y to the dtype of the classes first, which makes "10" the
        class "1" and 257 the class 1.
        """
        if self.is_multilabel:
            return indicator(y)
        code_type = np.min_scalar_type(-len(self.classes))
        if is_surely_a_column(y) and y.dtype == self.classes.dtype:
            codes = np.searchsorted(self.classes[:-1], y)
            if (self.classes[codes] == y).all():
                return codes.astype(code_type)
        labels = y if y.ndim == 1 else column_or_1d(y)
        inverse: Any = slice(None)
        if labels.dtype.kind != "O":  # sorting objects takes longer than looking each of them up
            labels, inverse = np.unique(labels, return_inverse=True)
        positions = {label: code for code, label in enumerate(self.classes.tolist())}
        found = [positions.get(label, -1) for label in comparable(labels, self.classes)]
        codes = np.array(found, code_type)
        unknown = labels[codes < 0].tolist()
        if unknown:
            raise ValueError(
                f"y holds labels that are not among the classes {self.classes.tolist()}, such as "
                f"{min(unknown, key=str)!r}: use these labels only. The first partial_fit needs "
                "all labels as classes."
            )
        return codes[inverse]

    def encode(self, codes: Codes, dtype: npt.DTypeLike) -> Array:
        """The outputs Y ``(n_y, m)``, which are 0 or 1."""
        if not self.is_multilabel:
            ones = [1] if self.n_outputs == 1 else np.arange(len(self.classes))
            codes = codes == np.reshape(ones, (-1, 1))
        return codes.astype(dtype)

    # From logits Z2 (m, n_y) to predictions

    def decisions(self, Z2: Array) -> Array:
        """The logits, one-dimensional for two classes."""
        return Z2[:, 0] if self.n_outputs == 1 else Z2

    def labels(self, Z2: Array) -> Labels:
        """The predicted labels.

        An output is 1 if a2 > 0.5, strictly. This is z2 > 0, without the rounding error of a2.
        """
        if self.is_multilabel:
            return (Z2 > 0).astype(int)
        codes = Z2.argmax(axis=1) if self.is_multiclass else (Z2[:, 0] > 0).astype(int)
        return self.classes[codes]

    def probabilities(self, Z2: Array) -> Array:
        """The probabilities of the classes (of each label if multilabel), inside (0, 1)."""
        if self.is_multiclass:
            P = np.exp(self.log_probabilities(Z2))
        else:
            P = self._logits_of_columns(Z2)
            expit(P, out=P)
        limits = np.finfo(P.dtype)
        return P.clip(limits.tiny, 1 - limits.eps, out=P)  # faster than np.clip

    def log_probabilities(self, Z2: Array) -> Array:
        """The logarithms of the probabilities, from the logits: never -inf.

        L-BFGS can give weights and logits of any size. For more than two classes the logarithms end
        at that of the smallest probability, so both sort the classes alike. Otherwise they end at 8
        times it, which scikit-learn's checks still accept as the logarithm of its smallest
        probability.
        """
        log_P = self._logits_of_columns(Z2)
        log_expit(log_P, out=log_P)
        lowest = np.log(np.finfo(log_P.dtype).tiny)
        if self.is_multiclass:
            # log(sum(exp)): for one row scipy.special.logsumexp takes ten times as long.
            log_P -= log_P.max(axis=1, keepdims=True)
            log_P -= np.log(np.exp(log_P).sum(axis=1, keepdims=True))
        else:
            lowest *= 8
        np.maximum(log_P, lowest, out=log_P)
        return log_P

    def _logits_of_columns(self, Z2: Array) -> Array:
        """A copy, with one column for each probability: -z2 and z2 for two classes."""
        return Z2.copy() if self.n_outputs > 1 else np.concatenate([-Z2, Z2], axis=1)


# Labels of pandas, Polars and NumPy


def as_labels(y: Any, name: str = "y") -> Any:
    """The labels as an array of NumPy, none missing; None and sparse matrices as they are."""
    if y is None or sparse.issparse(y):
        return y
    check_not_lazy(y, name)
    labels = as_numpy(y)
    missing = _is_missing(labels)
    if missing.ndim and missing.any():
        rows = np.flatnonzero(missing.reshape(len(labels), -1).any(axis=1))
        raise ValueError(
            f"{name} contains missing labels, {len(rows)} of {len(labels)}, the first at position "
            f"{rows[0]}: drop these rows, or give them a label of their own."
        )
    check_label_types(labels, name)
    return labels


def check_not_lazy(data: Any, name: str) -> None:
    """Raise if the data are a lazy frame of Polars, of which NumPy makes one object."""
    if type(data).__name__ == "LazyFrame":
        raise TypeError(f"{name} is a LazyFrame: pass {name}.collect() instead.")


def check_label_types(labels: Labels, name: str = "y") -> None:
    """Raise if the labels are objects other than strings. scikit-learn refuses bytes."""
    if labels.dtype.kind != "O":
        return
    types = sorted({"str" if isinstance(x, str) else type(x).__name__ for x in labels.flat})
    if len(types) > 1:
        raise TypeError(
            f"{name} mixes labels of the types {', '.join(types)}: convert all labels to one type."
        )
    if types not in ([], ["str"], ["bytes"]):
        dtype = DTYPES_OF_OBJECTS.get(types[0], "str")
        raise ValueError(
            f"Unknown label type: {name} holds Python objects of the type {types[0]}: convert them "
            f"to another dtype, for example with np.array({name}, dtype={dtype!r})."
        )


def as_numpy(y: Any) -> npt.NDArray[Any]:
    """The labels as an array of NumPy; missing ones of any type stay: NA, None, NaN or NaT.

    scikit-learn makes floats of pandas' nullable integers, so that large labels become equal, and
    does not know NumPy's StringDType.
    """
    if hasattr(y, "iloc") and y.ndim == 2 and y.shape[1]:  # each column has a dtype of its own
        return np.column_stack([as_numpy(y.iloc[:, j]) for j in range(y.shape[1])])
    dtype: Any = getattr(y, "dtype", None)
    if is_nullable_number(dtype):
        return y.to_numpy(float if y.isna().any() else dtype.numpy_dtype, na_value=np.nan)
    labels = usable_dates(np.asarray(y))
    if labels.dtype.kind == "T":
        return labels.astype(object)
    if labels.dtype.kind == "U" and dtype is None:  # NumPy makes "nan" of NaN in a list
        objects = np.asarray(y, dtype=object)
        return objects if _is_missing(objects).any() else labels
    return labels


def is_nullable_number(dtype: Any) -> bool:
    """Whether a dtype is one of the numbers of pandas that can be missing."""
    return hasattr(dtype, "numpy_dtype") and dtype.kind in "biuf"


def usable_dates(labels: Any) -> Any:
    """Dates with a dtype that every NumPy can use; other labels as they are.

    Dates pickled by NumPy >= 2.3 have a dtype with broken metadata in NumPy <= 2.2.
    """
    if isinstance(labels, np.ndarray | np.generic) and labels.dtype.kind in "mM":
        return labels.astype(labels.dtype.str)
    return labels


def _is_missing(labels: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    if labels.dtype.kind in "fcmM":
        return np.asarray(np.isnan(labels))  # NaN or NaT
    if labels.dtype.kind != "O":
        return np.zeros(labels.shape, bool)
    missing = [type(label) is not str and _is_missing_label(label) for label in labels.flat]
    return np.reshape(missing, labels.shape)


def _is_missing_label(label: Any) -> bool:
    if isinstance(label, float | np.floating | np.datetime64 | np.timedelta64):
        return bool(np.isnan(label))  # NaN or NaT
    return label is None or type(label).__name__ in {"NAType", "NaTType"}  # of pandas


# Labels and outputs


def is_surely_a_column(y: Any) -> bool:
    """Whether y holds integers, booleans or strings in one dimension.

    For few rows scikit-learn's checks of y take longer than the network.
    """
    return isinstance(y, np.ndarray) and y.ndim == 1 and len(y) > 0 and y.dtype.kind in "biuU"


def is_multilabel_target(y: Any) -> bool:
    """Whether y is an indicator matrix; a y that is neither one nor a column of labels raises."""
    if is_surely_a_column(y):
        return False
    check_classification_targets(y)
    multilabel: bool = is_multilabel(y)
    if y.ndim == 2 and y.shape[1] > 1 and not multilabel:
        raise ValueError(
            "y has several columns that are not all 0 or 1 (multiclass-multioutput), which is not "
            "supported: pass one column of labels, a multilabel indicator matrix of 0 and 1, or "
            "use sklearn.multioutput.MultiOutputClassifier."
        )
    return multilabel


def unique_labels(y: Labels) -> Labels:
    """The different labels, sorted."""
    return LabelEncoder().fit(y).classes_


def comparable(labels: Labels, classes: Labels) -> list[Any]:
    """The labels as Python objects, to compare with ``classes.tolist()``; None if none is equal.

    Python compares numbers and strings exactly. Dates are compared in the unit of the classes.
    """
    kinds = {labels.dtype.kind, classes.dtype.kind}
    if len(kinds) == 2 and kinds & {"m", "M"}:
        return [None] * len(labels)
    return in_unit_of_classes(labels, classes).tolist()


def in_unit_of_classes(y: Labels, classes: Labels) -> Labels:
    """Dates in the unit of the classes, NaT if that is not exact; other labels as they are."""
    if y.dtype.kind not in "mM" or y.dtype.kind != classes.dtype.kind:
        return y
    converted = y.astype(classes.dtype)
    exact = converted.astype(y.dtype) == y
    return np.where(exact, converted, np.array("NaT", classes.dtype))


def indicator(y: Any) -> npt.NDArray[Any]:
    """A multilabel y as outputs ``(n_y, m)``."""
    Y = y.toarray() if sparse.issparse(y) else y
    if not np.isin(Y, (0, 1)).all():
        raise ValueError(
            f"A multilabel y must be an indicator matrix of 0 and 1, got the values {np.unique(Y)}."
        )
    return np.ascontiguousarray(Y.T)


def _check_column_numbers(classes: Labels, n_columns: int) -> None:
    if not np.array_equal(classes, np.arange(n_columns)):
        raise ValueError(
            f"y is a multilabel indicator matrix of {n_columns} columns, so classes must be "
            f"np.arange({n_columns}), the column numbers, but classes is "
            f"{np.asarray(classes).tolist()}."
        )


# Weights


def validate_sample_weight(sample_weight: Any, m: int) -> Array | None:
    """``sample_weight`` as finite, non-negative numbers in float64, not all zero; or None."""
    if sample_weight is None:
        return None
    weights = sample_weight_array(sample_weight, m)
    check_weight_limits(weights.min(), weights.max())
    return weights


def sample_weight_array(sample_weight: Any, m: int) -> Array:
    """``sample_weight`` as finite numbers in float64, one for each row."""
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
    return w


def check_weight_limits(smallest: float, largest: float, name: str = "sample_weight") -> None:
    """Raise if weights are negative, infinite or all zero."""
    if not (smallest >= 0 and np.isfinite(largest)):
        raise ValueError(
            f"{name} must be finite and non-negative, got values from {smallest} to {largest}. "
            "Use weight 0 for rows that should not count."
        )
    if largest == 0:
        raise ValueError(f"{name} is zero for every row: give at least one row a positive weight.")


def class_sums(
    codes: Codes, sample_weight: Array | None, targets: Targets
) -> npt.NDArray[Any] | None:
    """The sum of the weights of each class, relative to the largest weight; not for multilabel."""
    if targets.is_multilabel:
        return None
    relative = None if sample_weight is None else sample_weight / sample_weight.max()
    return np.bincount(codes, relative, len(targets.classes))


def class_weights(
    class_weight: Any, targets: Targets, sums: npt.NDArray[Any] | None
) -> Array | None:
    """The weight of each class ``(n_classes,)``, or None.

    "balanced" gives every class the same sum of weights, and does not change the sum of all.
    ``sums`` are those of the classes.
    """
    if class_weight is None:
        return None
    if targets.is_multilabel:
        raise ValueError(
            f"class_weight={class_weight!r} is not supported for multilabel targets, whose rows "
            "belong to several classes: use class_weight=None, and sample_weight in fit."
        )
    if isinstance(class_weight, str):
        assert sums is not None
        share = sums.sum() / np.count_nonzero(sums)
        return np.divide(share, sums, out=np.zeros(len(sums)), where=sums > 0)
    weights = _weights_of(targets.classes, class_weight)
    check_weight_limits(weights.min(), weights.max(), "class_weight")
    return weights


def _weights_of(classes: Labels, class_weight: dict[Any, float]) -> Array:
    """The weight of each class; 1 for those that are not in a dict of other classes.

    scikit-learn 1.9 has a function for this, but it converts labels to int where it can: it takes
    the weight of 1 for "1" and for "01", and fails on dates.
    """
    labels = zip(classes, classes.tolist(), strict=True)  # NumPy's and Python's, such as dates
    keys = [numpy if numpy in class_weight else python for numpy, python in labels]
    absent = [key not in class_weight for key in keys]
    if any(absent) and len(classes) - sum(absent) != len(class_weight):
        raise ValueError(
            f"The classes, {classes[absent].tolist()}, are not in class_weight: use the labels of "
            "y as its keys."
        )
    return np.array([class_weight.get(key, 1) for key in keys], np.float64)


def row_weights(
    codes: Codes, sample_weight: Array | None, weight_of_class: Array | None
) -> Array | None:
    """The weight of each row ``(m,)``: its sample weight times that of its class, or None."""
    if weight_of_class is None:
        return sample_weight
    weights: Array = weight_of_class[codes]
    return weights if sample_weight is None else weights * sample_weight


def relative_weights(weights: Array) -> tuple[Array, float]:
    """The weights divided by their sum, which the loss does not depend on; and the sum."""
    largest = weights.max()  # first, because the sum can overflow or be subnormal
    check_sum_of_weights(largest)
    relative = weights / largest
    total = float(relative.sum())
    relative /= total
    return relative, float(largest) * total


def check_sum_of_weights(total: float) -> None:
    """Raise if all weights are zero."""
    if total == 0:
        raise ValueError(
            "sample_weight times class_weight is zero for every row: give at least one row a "
            "positive weight."
        )


def without_zeros(X: Any, Y: Array, weights: Array) -> tuple[Any, Array, Array]:
    """The rows with a positive weight in the dtype of X; float32 rounds very small ones to 0."""
    weights = weights.astype(X.dtype, copy=False)
    if weights.all():
        return X, Y, weights
    is_used = weights > 0
    return X[is_used], Y[:, is_used], weights[is_used]


def examples(
    targets: Targets,
    X: Any,
    codes: Codes,
    sample_weight: Array | None,
    weight_of_class: Array | None,
) -> tuple[Examples, float]:
    """The examples of data in memory, and the sum of their weights as given."""
    Y = targets.encode(codes, X.dtype)
    weights = row_weights(codes, sample_weight, weight_of_class)
    if weights is None:
        return (X, Y, None), float(X.shape[0])
    relative, total = relative_weights(weights)
    X, Y, relative = without_zeros(X, Y, relative)
    return (X, Y, None if relative.min() == relative.max() else relative), total


# The validation set


def split(
    examples: Examples, targets: Targets, fraction: float, random_state: np.random.RandomState
) -> tuple[Examples, Examples]:
    """Split a fraction of the rows off, as copies: the training and the validation set.

    Every row is equally likely, independently of its weight. Each class keeps its share of the rows
    as nearly as whole rows can; multilabel targets are not stratified. The rows keep their order.
    """
    X, Y, weights = examples
    m = X.shape[0]
    labels = None
    if not targets.is_multilabel:  # the errors of scikit-learn name the labels
        labels = targets.classes[Y[0].astype(int) if len(Y) == 1 else Y.argmax(axis=0)]
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
            f"validation_fraction={fraction} of {counted(m, 'row')} leaves a class without a row "
            "to train on: choose a smaller fraction, or give X_val and y_val."
        )
    training, validation = (
        (X[rows], Y[:, rows], None if weights is None else weights[rows])
        for rows in map(np.sort, parts)
    )
    return training, validation

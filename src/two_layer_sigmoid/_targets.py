"""Labels and weights to the targets Y of the network, and its logits back to labels."""

from __future__ import annotations

import math
from functools import reduce
from numbers import Number
from operator import add
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import entr, expit, log_expit, logsumexp
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import check_array, column_or_1d, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, is_multilabel

from ._network import Array

ROWS_AT_A_TIME = 2**16  # half a MiB of codes, which take far longer than the call


class Targets(NamedTuple):
    """What the network is to learn: ``Y`` in {0, 1}, and how much each row counts."""

    Y: Array  # (n_y, m)
    weights: Array | None  # (m,), at most 1; None: all rows count the same
    classes: npt.NDArray[Any]
    multilabel: bool

    def of_rows(self, rows: npt.NDArray[Any]) -> Targets:
        """The targets of some of the rows."""
        weights = None if self.weights is None else self.weights[rows]
        return self._replace(Y=self.Y[:, rows], weights=weights)


Examples = tuple[Any, Targets]  # X (m, n_x), and what to learn from it


def encode(
    X: Any,
    y: Any,
    weights: Array | None,
    class_weight: Any,
    *,
    shards: list[list[slice]] | None = None,
    classes: Any = None,
    multilabel: bool | None = None,
) -> Examples:
    """Turn the labels ``y`` of the rows of X and checked weights into targets of X's dtype.

    Two classes make one output, more make one output each; a multilabel indicator matrix makes
    one output for each label. Rows that weigh nothing are dropped, from X too, whatever they hold.
    ``shards``, as blocks, say how to add up what classes weigh, where these are to be balanced.
    ``classes`` and ``multilabel`` are those of an earlier y, where this one must be of its kind:
    it may lack some classes, and must have no others.
    """
    if holds_several(y):
        check_no_class_weight(class_weight)
        Y = indicator(y).astype(X.dtype)
        _check_kind(True, len(Y), classes, multilabel)
        targets = Targets(Y, weights, np.arange(len(Y)), True)
    else:
        _check_kind(False, 1, classes, multilabel)
        y = column_or_1d(y, warn=True)
        known = classes_of(y) if classes is None else np.asarray(classes)
        codes = label_codes(y, known)
        if isinstance(class_weight, str):
            assert shards is not None
            class_weight = balanced(known, class_sums(codes, len(known), weights, shards))
        weights = _with_class_weight(known, codes, weights, class_weight)
        present = known
        if classes is None and weights is not None:
            present = present[np.unique(codes[weights > 0])]
        check_two_classes(known, present)
        K = len(known)
        outputs = np.array([[1]]) if K == 2 else np.arange(K)[:, np.newaxis]
        targets = Targets((codes == outputs).astype(X.dtype), weights, known, False)
    return _drop_weightless(X, targets)


def split(
    X: Any, targets: Targets, fraction: float, random_state: np.random.RandomState
) -> tuple[Examples, Examples]:
    """Cut off a share of the rows, each as likely as any other whatever its weight.

    The classes keep their shares of the rows as nearly as whole rows can (multilabel targets are
    not stratified); the rows keep their order. Both parts are copies.
    """
    m, n_y = X.shape[0], len(targets.Y)
    codes = targets.Y[0] if n_y == 1 else targets.Y.argmax(axis=0)
    n_classes = 1 if targets.multilabel else max(n_y, 2)
    try:
        parts = train_test_split(
            np.arange(m),
            test_size=max(math.ceil(fraction * m), n_classes),
            stratify=None if targets.multilabel else codes,
            random_state=random_state,
        )
    except ValueError as error:
        raise ValueError(
            f"validation_fraction={fraction} cannot be split off {m} rows: {error} Give more rows, "
            "another fraction, or X_val and y_val."
        ) from error
    if not targets.multilabel and len(np.unique(codes[parts[0]])) < n_classes:
        raise ValueError(
            f"validation_fraction={fraction} of {m} rows leaves a class without a row to train on: "
            "choose a smaller fraction, or give X_val and y_val."
        )
    training, validation = ((X[rows], targets.of_rows(rows)) for rows in map(np.sort, parts))
    return training, validation


def resolved(
    class_weight: Any, y: Any, weights: Array | None, shards: list[list[slice]]
) -> dict[Any, float] | None:
    """``class_weight`` as a dict where it is "balanced", which depends on y; else as it is."""
    if not isinstance(class_weight, str) or holds_several(y):
        return class_weight  # type: ignore[no-any-return]
    y = column_or_1d(y)
    classes = classes_of(y)
    return balanced(classes, class_sums(label_codes(y, classes), len(classes), weights, shards))


def classes_of(labels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The different labels, sorted; refuses what is no label."""
    try:
        classes: npt.NDArray[Any] = LabelEncoder().fit(labels).classes_
    except TypeError as error:
        raise _mixed(labels) from error
    holds_several(np.repeat(classes, 2))  # scikit-learn warns where most are different
    return classes


def class_sums(
    codes: npt.NDArray[Any], n_classes: int, weights: Array | None, shards: list[list[slice]]
) -> list[Any]:
    """What each class weighs in each shard, given as its blocks, for :func:`balanced`."""

    def of_block(rows: slice) -> Any:
        return np.bincount(codes[rows], None if weights is None else weights[rows], n_classes)

    return [reduce(add, map(of_block, shard)) for shard in shards]


def balanced(classes: npt.NDArray[Any], of_shards: list[Array]) -> dict[Any, float]:
    """Weights by which the classes come to weigh the same."""
    sums = reduce(add, of_shards)
    return dict(zip(classes, 1 / np.where(sums > 0, sums, np.inf), strict=True))


def check_weights(sample_weight: Any, m: int) -> Array | None:
    """``sample_weight`` as an array in float64, None where every row counts the same."""
    weights = valid_weights(sample_weight, m)
    return None if weights is None else scaled(weights, "sample_weight")


def valid_weights(sample_weight: Any, m: int) -> Array | None:
    """``sample_weight`` as an array in float64, of finite numbers."""
    if sample_weight is None:
        return None
    if isinstance(sample_weight, Number):
        sample_weight = np.full(m, sample_weight)
    if isinstance(sample_weight, str):
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


def scaled(weights: Array, name: str, limits: tuple[float, float] | None = None) -> Array | None:
    """Weights with the largest 1, so that no dtype overflows; the cost depends on ratios only.

    None where they are all the same. ``limits`` are the smallest and the largest of all, checked,
    where these are a part.
    """
    smallest, largest = limits or check_limits(weights.min(), weights.max(), name)
    return None if smallest == largest else weights / largest


def check_limits(smallest: float, largest: float, name: str) -> tuple[float, float]:
    """Refuse weights that cannot be."""
    if not (smallest >= 0 and np.isfinite(largest)):
        raise ValueError(
            f"{name} must be finite and non-negative, got values from {smallest} to {largest}. "
            "Give what should not count the weight 0."
        )
    if largest == 0:
        raise ValueError(f"{name} is zero for every row: give at least one row a positive weight.")
    return smallest, largest


def constant_cost(rates: Array) -> float:
    """The log loss of the best constant predictor: the entropy of each output's base rate."""
    return float((entr(rates) + entr(1 - rates)).sum())


def labels(Z2: Array, classes: npt.NDArray[Any], multilabel: bool) -> npt.NDArray[Any]:
    """The labels that the logits ``Z2`` ``(m, n_y)`` predict.

    An output says 1 where a2 > 0.5, strictly: where z2 > 0, the same without rounding.
    """
    if multilabel:
        return (Z2 > 0).astype(int)
    codes = (Z2[:, 0] > 0).astype(int) if Z2.shape[1] == 1 else Z2.argmax(axis=1)
    predicted: npt.NDArray[Any] = classes[codes]
    return predicted


def probabilities(Z2: Array, multilabel: bool) -> Array:
    """The probabilities of the classes (multilabel: of each label), inside (0, 1)."""
    if _is_one_of_many(Z2, multilabel):
        P = np.exp(log_probabilities(Z2, multilabel))
    else:
        P = _both(Z2)
        expit(P, out=P)
    limits = np.finfo(P.dtype)
    return P.clip(limits.tiny, 1 - limits.eps, out=P)  # np.clip takes its time to say the same


def log_probabilities(Z2: Array, multilabel: bool) -> Array:
    """The logarithms of the probabilities, from the logits: never -inf.

    Weights on their way to infinity, as L-BFGS has them, give logits without end. Those of one of
    many classes end where ``probabilities`` does, so that both sort the classes alike; others, in
    sight of it, where scikit-learn's checks still take them for the logarithms of its smallest.
    """
    log_P = _both(Z2)
    log_expit(log_P, out=log_P)
    lowest = np.log(np.finfo(log_P.dtype).tiny)
    if _is_one_of_many(Z2, multilabel):
        log_P -= logsumexp(log_P, axis=1, keepdims=True)
    else:
        lowest *= 8
    np.maximum(log_P, lowest, out=log_P)
    return log_P


def _is_one_of_many(Z2: Array, multilabel: bool) -> bool:
    """More than two classes, with one sigmoid each that knows nothing of the others."""
    return Z2.shape[1] > 1 and not multilabel


def _both(Z2: Array) -> Array:
    """A copy; one output is two classes: the logit of class 0 is minus that of class 1."""
    if Z2.shape[1] > 1:
        return Z2.copy()
    both = np.empty((len(Z2), 2), Z2.dtype)
    np.negative(Z2[:, 0], out=both[:, 0])
    both[:, 1] = Z2[:, 0]
    return both


def holds_several(y: Any) -> bool:
    """Whether y is an indicator matrix, and not one column of labels; nothing else is learned."""
    try:
        check_classification_targets(y)
        multilabel: bool = is_multilabel(y)
    except TypeError as error:
        raise _mixed(y) from error
    if y.ndim == 2 and y.shape[1] > 1 and not multilabel:
        raise ValueError(
            "y has several columns that are not all 0 or 1 (multiclass-multioutput), which is not "
            "supported: pass one column of labels, a multilabel indicator matrix of 0 and 1, or "
            "use sklearn.multioutput.MultiOutputClassifier."
        )
    return multilabel


def _mixed(y: Any) -> TypeError:
    kinds = sorted({type(label).__name__ for label in np.ravel(y)})
    return TypeError(
        f"y mixes labels of the types {', '.join(kinds)}: use numbers or strings throughout."
    )


def _drop_weightless(X: Any, targets: Targets) -> Examples:
    if targets.weights is None or targets.weights.all():
        return X, targets
    counts = targets.weights > 0
    return X[counts], targets.of_rows(counts)


def label_codes(y: npt.NDArray[Any], classes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The position of each label among the classes; refuses a label that equals none of them.

    ``LabelEncoder.transform`` casts y to the dtype of the classes first, which makes "10" the
    class "1" and 257 the class 1.
    """
    positions = {label: i for i, label in enumerate(classes.tolist())}
    codes = np.empty(len(y), np.min_scalar_type(-len(classes)))
    for start in range(0, len(y), ROWS_AT_A_TIME):
        rows = slice(start, start + ROWS_AT_A_TIME)
        labels = _comparable(y[rows], classes)
        codes[rows] = [positions.get(label, -1) for label in labels]
        if codes[rows].min() < 0:
            unknown = y[rows][codes[rows] < 0].tolist()
            raise ValueError(
                f"y holds labels that are not among the classes {classes.tolist()}, such as "
                f"{min(unknown, key=str)!r}: code it alike, and name every class at the start."
            )
    return codes


def _comparable(labels: npt.NDArray[Any], classes: npt.NDArray[Any]) -> list[Any]:
    """The labels as Python objects, to compare with ``classes.tolist()``; None where none is equal.

    Python compares numbers and strings exactly. Dates are compared in the unit of the classes.
    """
    kinds = {labels.dtype.kind, classes.dtype.kind}
    if kinds & {"m", "M"} and labels.dtype != classes.dtype:
        if len(kinds) == 2:
            return [None] * len(labels)
        converted = labels.astype(classes.dtype)
        exact = converted.astype(labels.dtype) == labels
        labels = np.where(exact, converted, np.array("NaT", classes.dtype))
    comparable: list[Any] = labels.tolist()
    return comparable


def _check_kind(is_indicator: bool, n_labels: int, classes: Any, multilabel: bool | None) -> None:
    """Refuse one column of labels where a multilabel indicator matrix was, or the reverse."""
    columns = f"a multilabel indicator matrix of {n_labels} columns"
    if multilabel not in {None, is_indicator}:
        kinds = columns, "one column of labels"
        got, wanted = kinds if is_indicator else kinds[::-1]
        raise ValueError(f"y is {got}, but it was {wanted} before: code it alike.")
    if is_indicator and classes is not None and not np.array_equal(classes, np.arange(n_labels)):
        raise ValueError(
            f"y is {columns}, whose classes are np.arange({n_labels}), the numbers of the columns, "
            f"but classes is {np.asarray(classes).tolist()}."
        )


def check_no_class_weight(class_weight: Any) -> None:
    """Refuse weights of classes where a row may belong to several."""
    if class_weight is not None:
        raise ValueError(
            f"class_weight={class_weight!r} is not supported for multilabel targets, whose rows "
            "belong to several classes: use class_weight=None, and sample_weight in fit."
        )


def indicator(y: Any) -> npt.NDArray[Any]:
    """A multilabel y as targets, ``(n_y, m)``."""
    Y = y.toarray() if sparse.issparse(y) else y
    if not np.isin(Y, (0, 1)).all():
        raise ValueError(
            f"A multilabel y must be an indicator matrix of 0 and 1, got the values {np.unique(Y)}."
        )
    return np.ascontiguousarray(Y.T)


def class_factors(classes: npt.NDArray[Any], class_weight: dict[Any, float]) -> Array | None:
    """What rows of each class count, at most 1; None where they count the same."""
    return scaled(compute_class_weight(class_weight, classes=classes, y=classes), "class_weight")


def _with_class_weight(
    classes: npt.NDArray[Any],
    codes: npt.NDArray[Any],
    weights: Array | None,
    class_weight: dict[Any, float] | None,
) -> Array | None:
    factors = None if class_weight is None else class_factors(classes, class_weight)
    if factors is None:
        return weights
    of_rows: Array = factors[codes]
    return of_rows if weights is None else of_rows * weights


def check_two_classes(classes: npt.NDArray[Any], present: npt.NDArray[Any]) -> None:
    """Refuse fewer than two classes, with ``present`` those in the rows of positive weight."""
    if len(present) < 2:
        one = (present if len(present) else classes).tolist()[0]
        raise ValueError(
            f"y holds only one class, {one!r}"
            + (", in the rows of positive weight" if len(classes) > 1 else "")
            + ": a classifier needs at least two classes to learn from."
        )

"""Labels and weights to the targets Y of the network, and its logits back to labels."""

from __future__ import annotations

from numbers import Number
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import entr, expit, log_expit, logsumexp
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import check_array, column_or_1d, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, is_multilabel

from ._network import Array


class Targets(NamedTuple):
    """What the network is to learn: ``Y`` in {0, 1}, and how much each row counts."""

    Y: Array  # (n_y, m)
    weights: Array | None  # (m,), the largest 1; None: all rows count the same
    classes: npt.NDArray[Any]
    multilabel: bool


def encode(X: Any, y: Any, sample_weight: Any, class_weight: Any) -> tuple[Any, Targets]:
    """Turn the labels ``y`` of the rows of X and their weights into targets of X's dtype.

    Two classes make one output, more make one output each; a multilabel indicator matrix makes
    one output for each label. Rows that weigh nothing are dropped, from X too, whatever they hold.
    """
    weights = check_weights(sample_weight, X.shape[0])
    if _is_multilabel(y):
        Y = _indicator(y, class_weight).astype(X.dtype)
        targets = Targets(Y, weights, np.arange(len(Y)), True)
    else:
        encoder = LabelEncoder()
        codes = encoder.fit_transform(column_or_1d(y, warn=True))
        weights = _with_class_weight(encoder.classes_, codes, weights, class_weight)
        _check_two_classes(encoder.classes_, codes, weights)
        K = len(encoder.classes_)
        outputs = np.array([[1]]) if K == 2 else np.arange(K)[:, np.newaxis]
        targets = Targets((codes == outputs).astype(X.dtype), weights, encoder.classes_, False)
    return _drop_weightless(X, targets)


def check_weights(sample_weight: Any, m: int) -> Array | None:
    """``sample_weight`` as an array in float64, None where every row counts the same."""
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
    return _scaled(w, "sample_weight")


def constant_cost(targets: Targets) -> float:
    """The log loss of the best constant predictor: the entropy of each output's base rate."""
    rates = np.average(targets.Y, axis=1, weights=targets.weights)
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
        P = expit(_both(Z2))
    limits = np.finfo(P.dtype)
    return np.clip(P, limits.tiny, 1 - limits.eps, out=P)


def log_probabilities(Z2: Array, multilabel: bool) -> Array:
    """The logarithms of the probabilities, from the logits: never -inf."""
    log_P: Array = log_expit(_both(Z2))
    if _is_one_of_many(Z2, multilabel):
        log_P -= logsumexp(log_P, axis=1, keepdims=True)
    return log_P


def _is_one_of_many(Z2: Array, multilabel: bool) -> bool:
    """More than two classes, with one sigmoid each that knows nothing of the others."""
    return Z2.shape[1] > 1 and not multilabel


def _both(Z2: Array) -> Array:
    """One output is two classes: the logit of class 0 is minus that of class 1."""
    return np.hstack([-Z2, Z2]) if Z2.shape[1] == 1 else Z2


def _is_multilabel(y: Any) -> bool:
    """Whether y is an indicator matrix, and not one column of labels; nothing else is learned."""
    try:
        check_classification_targets(y)
        multilabel: bool = is_multilabel(y)
    except TypeError as error:
        kinds = sorted({type(label).__name__ for label in np.ravel(y)})
        raise TypeError(
            f"y mixes labels of the types {', '.join(kinds)}: use numbers or strings throughout."
        ) from error
    if y.ndim == 2 and y.shape[1] > 1 and not multilabel:
        raise ValueError(
            "y has several columns that are not all 0 or 1 (multiclass-multioutput), which is not "
            "supported: pass one column of labels, a multilabel indicator matrix of 0 and 1, or "
            "use sklearn.multioutput.MultiOutputClassifier."
        )
    return multilabel


def _drop_weightless(X: Any, targets: Targets) -> tuple[Any, Targets]:
    if targets.weights is None or targets.weights.all():
        return X, targets
    counts = targets.weights > 0
    Y, weights = targets.Y[:, counts], targets.weights[counts]
    return X[counts], targets._replace(Y=Y, weights=weights)


def _indicator(y: Any, class_weight: Any) -> npt.NDArray[Any]:
    if class_weight is not None:
        raise ValueError(
            f"class_weight={class_weight!r} is not supported for multilabel targets, whose rows "
            "belong to several classes: use class_weight=None, and sample_weight in fit."
        )
    Y = y.toarray() if sparse.issparse(y) else y
    if not np.isin(Y, (0, 1)).all():
        raise ValueError(
            f"A multilabel y must be an indicator matrix of 0 and 1, got the values {np.unique(Y)}."
        )
    return np.ascontiguousarray(Y.T)


def _with_class_weight(
    classes: npt.NDArray[Any], codes: npt.NDArray[Any], weights: Array | None, class_weight: Any
) -> Array | None:
    if class_weight is None:
        return weights
    if isinstance(class_weight, str):  # "balanced": every class weighs the same in sum
        class_sums = np.bincount(codes, weights=weights, minlength=len(classes))
        factors = 1 / np.where(class_sums > 0, class_sums, np.inf)
    else:
        factors = compute_class_weight(class_weight, classes=classes, y=classes)
    factors = factors[codes] if weights is None else factors[codes] * weights
    return _scaled(factors, "class_weight")


def _scaled(weights: Array, name: str) -> Array | None:
    """Weights with the largest 1, so that no dtype overflows; the cost depends on ratios only."""
    smallest, largest = weights.min(), weights.max()
    if not (smallest >= 0 and np.isfinite(largest)):
        raise ValueError(
            f"{name} must be finite and non-negative, got values from {smallest} to {largest}. "
            "Give what should not count the weight 0."
        )
    if largest == 0:
        raise ValueError(f"{name} is zero for every row: give at least one row a positive weight.")
    return None if smallest == largest else weights / largest


def _check_two_classes(
    classes: npt.NDArray[Any], codes: npt.NDArray[Any], weights: Array | None
) -> None:
    present = classes if weights is None else classes[np.unique(codes[weights > 0])]
    if len(present) < 2:
        raise ValueError(
            f"y holds only one class, {present.tolist()[0]!r}"
            + (", in the rows of positive weight" if len(classes) > 1 else "")
            + ": a classifier needs at least two classes to learn from."
        )

"""Labels and weights to targets, and the split of a validation set."""

from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from tests.helpers import assert_same_weights, make_clf
from two_layer_sigmoid import _targets
from two_layer_sigmoid._targets import Targets

Y_INDICATOR = np.array([[0, 1, 1], [1, 0, 0], [0, 0, 1], [1, 1, 1]])


class Encoded(NamedTuple):
    X: Any
    Y: Any
    weights: Any
    targets: Targets
    weight_sum: float


def encode(y, sample_weight=None, class_weight=None, *, X=None, dtype=np.float64):
    """What the estimators do with y and weights, in the same order."""
    y = y if sparse.issparse(y) else np.asarray(y)
    X = np.arange(y.shape[0], dtype=dtype)[:, np.newaxis] if X is None else X
    weights = _targets.validate_sample_weight(sample_weight, y.shape[0])
    targets = Targets.of(y)
    codes = targets.codes(y)
    sums = _targets.class_sums(codes, weights, targets)
    weight_of_class = _targets.class_weights(class_weight, targets, sums)
    examples, weight_sum = _targets.examples(targets, X, codes, weights, weight_of_class)
    return Encoded(*examples, targets, weight_sum)


@pytest.mark.parametrize("y", [[-1, 1, 1, -1], [False, True, True, False], list("nyyn")])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_two_classes_are_one_output(y, dtype):
    _, Y, weights, targets, _ = encode(y, dtype=dtype)
    assert_array_equal(Y, [[0, 1, 1, 0]])
    assert Y.dtype == dtype
    assert weights is None
    assert_array_equal(targets.classes, np.unique(y))
    assert (targets.is_multilabel, targets.is_multiclass, targets.n_outputs) == (False, False, 1)


def test_more_classes_are_one_output_each():
    _, Y, _, targets, _ = encode(["c", "a", "b", "a"])
    assert_array_equal(Y, [[0, 1, 0, 1], [0, 0, 1, 0], [1, 0, 0, 0]])
    assert_array_equal(targets.classes, ["a", "b", "c"])
    assert (targets.is_multilabel, targets.is_multiclass, targets.n_outputs) == (False, True, 3)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.csr_matrix])
def test_multilabel_indicator_has_one_output_per_label(container):
    _, Y, _, targets, _ = encode(container(Y_INDICATOR), dtype=np.float32)
    assert_array_equal(Y, Y_INDICATOR.T)
    assert Y.dtype == np.float32
    assert (targets.is_multilabel, targets.is_multiclass, targets.n_outputs) == (True, False, 3)
    assert_array_equal(targets.classes, [0, 1, 2])


def test_labels_are_coded_by_given_classes():
    def outputs(y, classes):
        targets = Targets.of_labels(np.asarray(classes))
        return targets.encode(targets.codes(np.asarray(y)), float)

    assert_array_equal(outputs(["b", "b"], ["a", "b", "c"]), [[0, 0], [1, 1], [0, 0]])
    assert_array_equal(outputs([0, 0], [0, 1]), [[0, 0]])


# Weights


@pytest.mark.parametrize(
    ("sample_weight", "weights", "weight_sum"),
    [
        ([1, 2, 4, 4], np.array([1, 2, 4, 4]) / 11, 11),
        ([1e308, 1e308, 1.5e308, 1.5e308], [0.2, 0.2, 0.3, 0.3], np.inf),
        ([1e-310, 1e-310, 2e-310, 2e-310], np.array([1, 1, 2, 2]) / 6, 6e-310),
        ([3, 3, 3, 3], None, 12),
        (2.0, None, 8),
        (None, None, 4),
    ],
)
def test_weights_are_divided_by_their_sum(sample_weight, weights, weight_sum):
    with np.errstate(over="ignore"):
        encoded = encode([0, 1, 0, 1], sample_weight)
    assert encoded.weight_sum == weight_sum
    if weights is None:
        assert encoded.weights is None
    else:
        assert_allclose(encoded.weights, weights, rtol=1e-12)


def test_balanced_counts_weights_not_rows():
    weights = encode([0, 0, 0, 1], [1, 2, 1, 2], "balanced").weights
    assert_allclose(
        weights, [1 / 8, 1 / 4, 1 / 8, 1 / 2]
    )  # the classes weigh 4 and 2, then 3 and 3
    weights = encode([0, 0, 0, 1], None, "balanced").weights
    assert_allclose(weights, [1 / 6, 1 / 6, 1 / 6, 1 / 2])


def test_balanced_treats_weights_as_repeated_rows():
    y, times = np.array([0, 1, 1, 2, 2, 2]), np.array([3, 1, 1, 2, 1, 1])
    weighted = encode(y, times, "balanced").weights / times
    repeated = encode(y.repeat(times), None, "balanced").weights
    scale = repeated[0] / weighted[0]
    assert_allclose(repeated, (weighted * scale).repeat(times))


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_rows_without_weight_are_dropped(container):
    X = container(np.arange(6.0)[:, np.newaxis])
    weights = np.array([0.5, 1, 0, 0, 0.5, 1])
    encoded = encode([0, 1, 2, 2, 1, 0], weights, X=X)
    kept = encoded.X.toarray() if sparse.issparse(encoded.X) else encoded.X
    assert_array_equal(kept, [[0], [1], [4], [5]])
    assert_allclose(encoded.weights, np.array([0.5, 1, 0.5, 1]) / 3)
    assert_array_equal(encoded.Y, [[1, 0, 0, 1], [0, 1, 1, 0], [0, 0, 0, 0]])
    assert_array_equal(
        encoded.targets.classes, [0, 1, 2]
    )  # the class stays, as scikit-learn has it


def test_weights_rounded_to_0_drop_their_rows():
    encoded = encode([0, 1, 1], [1, 1, 1e-60], dtype=np.float32)
    assert_array_equal(encoded.X[:, 0], [0, 1])
    assert encoded.weights is None
    assert len(encode([0, 1, 1], [1, 1, 1e-60]).X) == 3
    X, y = np.arange(4, dtype=np.float32)[:, np.newaxis], [0, 0, 1, 1]
    clf, fewer = (make_clf(alpha=0.01).fit(X[:n], y[:n], [1, 1, 1, 1e-60][:n]) for n in (4, 3))
    assert_same_weights(clf, fewer)


def test_class_weight_multiplies_sample_weight():
    weights = encode(["a", "b", "b"], [1, 2, 1], {"a": 4, "b": 1}).weights
    assert_allclose(weights, np.array([4, 2, 1]) / 7)


def test_balanced_ignores_classes_without_weight():
    assert_allclose(encode([0, 1, 1, 2], [1, 1, 1, 0], "balanced").weights, [1 / 2, 1 / 4, 1 / 4])


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["0", "1"]),
        np.array(["01", "1"]),
        np.array(["1", "no"], dtype=object),
        np.array(["2020", "2021"], "M8[D]"),
        np.array(["2020", "2021"], "M8[ns]"),
        np.array([1, 3], "m8[D]"),
        np.array([1.0, 2.0]),
        np.array([False, True]),
    ],
    ids=str,
)
def test_class_weight_works_for_labels_of_any_type(labels):
    y = labels[[0, 1, 1, 1]]
    assert_allclose(encode(y, None, "balanced").weights, [1 / 2, 1 / 6, 1 / 6, 1 / 6])
    by_label = dict(zip(labels, (1, 4), strict=True))
    assert_allclose(encode(y, None, by_label).weights, np.array([1, 4, 4, 4]) / 13)


@pytest.mark.parametrize(
    ("y", "class_weight", "absent"),
    [
        (["0", "1"], {0: 1, 1: 9}, r"\['0', '1'\]"),
        ([0, 1], {"0": 1, "1": 9}, r"\[0, 1\]"),
        (["01", "2"], {"1": 9, "2": 1}, r"\['01'\]"),
    ],
)
def test_class_weight_does_not_convert_labels(y, class_weight, absent):
    with pytest.raises(ValueError, match=f"The classes, {absent}, are not in class_weight"):
        encode(y, None, class_weight)


def test_class_weight_changes_the_sum_of_weights():
    y, weights = np.array(["a", "a", "b"]), np.array([0.5, 1.0, 0.25])
    assert encode(y).weight_sum == 3
    assert encode(y, weights).weight_sum == 1.75
    assert encode(y, weights, "balanced").weight_sum == pytest.approx(1.75)
    assert encode(y, weights, {"a": 2, "b": 8}).weight_sum == 5
    assert encode(y, weights, {"b": 4}).weight_sum == 2.5
    assert encode(Y_INDICATOR).weight_sum == 4


@pytest.mark.parametrize(
    ("y", "sample_weight", "class_weight", "message"),
    [
        ([1, 1], None, None, "only one class, 1: "),
        (["b", "b"], None, None, "only one class, 'b'"),
        ([0, 1], [1, -1], None, "sample_weight must be finite and non-negative"),
        ([0, 1], [0, 0], None, "sample_weight is zero for every row"),
        ([0, 1], [1, np.nan], None, "sample_weight contains NaN"),
        ([0, 1], [1, np.inf], None, "sample_weight contains infinity"),
        ([0, 1], [1, 2, 3], None, r"sample_weight has shape \(3,\).*\(2,\)"),
        ([0, 1], [[1], [2]], None, r"sample_weight has shape \(2, 1\).*\(2,\)"),
        ([0, 1], ["a", "b"], None, "could not convert string to float"),
        ([0, 1], "balanced", None, "sample_weight must hold one number .* got 'balanced'"),
        ([0, 1], {0: 1, 1: 2}, None, "sample_weight must hold one number .* set by class_weight"),
        ([0, 1], None, {0: 1, 1: -1}, "class_weight must be finite and non-negative"),
        ([0, 1], None, {0: 1, 1: np.nan}, "class_weight must be finite and non-negative"),
        ([0, 1], None, {0: 1, 7: 1}, "are not in class_weight"),
        ([0, 1], [1, 0], {0: 0}, "sample_weight times class_weight is zero for every row"),
        (Y_INDICATOR, None, "balanced", "class_weight='balanced' is not supported for multilabel"),
        ([[-1, 1], [1, 1]], None, None, "indicator matrix of 0 and 1, got the values"),
        ([[1, 2], [3, 1]], None, None, "MultiOutputClassifier"),
        ([0.5, 1.5], None, None, "Unknown label type: continuous"),
    ],
)
def test_bad_targets_and_weights_are_refused(y, sample_weight, class_weight, message):
    with pytest.raises(ValueError, match=message):
        make_clf(class_weight=class_weight).fit(np.zeros((len(y), 1)), y, sample_weight)


# The split


def test_split_keeps_shares_weights_and_order():
    y = (np.arange(100) % 4 == 0).astype(int)
    X, weights = np.arange(100.0)[:, np.newaxis], np.arange(1, 101) / 100
    encoded = encode(y, weights, X=X)
    parts = _targets.split(encoded[:3], encoded.targets, 0.2, np.random.RandomState(0))
    assert [len(X_part) for X_part, _, _ in parts] == [80, 20]
    for X_part, Y_part, weights_part in parts:
        rows = X_part[:, 0].astype(int)
        assert (np.diff(rows) > 0).all()
        assert_array_equal(Y_part[0], y[rows])
        assert_allclose(weights_part, (rows + 1) / 5050)
        assert Y_part.mean() == 0.25
    assert_array_equal(np.sort(np.r_[parts[0][0], parts[1][0]], axis=0), X)
